/* SPDX-License-Identifier: Apache-2.0 */
/* crigate serve: the command line of the daemon. */
#include <argp.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "daemon/daemon.h"

enum { OPTION_CHECK = 0x100 };

struct request {
    const char *config;
    bool check;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct request *request = state->input;
    if (key == 'c')
        request->config = arg;
    else if (key == OPTION_CHECK)
        request->check = true;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "serve takes no argument: %s", arg);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int cli_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"check", OPTION_CHECK, NULL, 0,
         "say whether the settings and the policy that they name are right, and serve nothing", 0},
        {"config", 'c', "FILE", 0, "the settings; default: /etc/crigate/crigate.yaml", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .doc =
            "Stands between the kubelet and containerd and judges every call that picks a "
            "container runtime.\v"
            "Runs in the foreground. The policy and the label file are followed: a new one is in "
            "force for the next call once its writer has closed it, or moved it there. A wrong "
            "one is told in this log and in the audit log, and what was in force stays. SIGHUP: "
            "reads both now, and says so when nothing has changed; the settings are read at the "
            "start only. SIGTERM or SIGINT: lets running calls end for up to 10 "
            "seconds and serves new ones meanwhile, asks its peers to connect anew, exits 0. Exit "
            "1: it could not start, or --check found an error; 2: wrong usage.",
    };
    struct request request = {.config = "/etc/crigate/crigate.yaml"};
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &request))
        return CLI_USAGE;
    int outcome = request.check ? daemon_check(request.config) : daemon_run(request.config);
    return outcome < 0 ? CLI_DOES_NOT_HOLD : CLI_HOLDS;
}
