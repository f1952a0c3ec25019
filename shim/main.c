/* SPDX-License-Identifier: Apache-2.0 */
/* The program: its subcommands, its version, its exit status for wrong words. */
#include <argp.h>

#include "base/version.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct command list[] = {
    {"serve", cli_serve, "stand between the kubelet and containerd"},
    {"check", cli_check, "find every error in a policy"},
    {"explain", cli_explain, "say what the gate would do with a pod, and why"},
    {"test", cli_test, "hold a policy against its cases"},
    {"ps", cli_ps, "show what runs here, and what the policy would choose now"},
    {"verify", cli_verify, "prove by a pod under each runtime that it isolates as declared"},
    {"setup", cli_setup, "put the gate in front of this node's containerd, or take that back"},
    {"audit", cli_audit, "read the audit log, and check that it is whole"},
};

int main(int argc, char **argv)
{
    static const struct commands commands = {
        .name = "crigate",
        .doc = "Decides, between the kubelet and containerd, which runtime a pod runs under.\v",
        .list = list,
        .count = sizeof(list) / sizeof(list[0]),
    };
    char version[64];
    snprintf(version, sizeof(version), "crigate %s", crigate_version);
    argp_program_version = version;
    argp_err_exit_status = CLI_USAGE;
    return commands_run(&commands, argc, argv);
}
