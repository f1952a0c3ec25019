/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit: what is done with the files of the audit log. */
#include "cli/audit.h"

#include "cli/cli.h"
#include "cli/commands.h"

int cli_audit(int argc, char **argv)
{
    static const struct command list[] = {
        {"show", cli_audit_show, "print the records, one line a decision"},
        {"stats", cli_audit_stats, "count the decisions"},
        {"verify", cli_audit_verify, "check that no record is missing or altered"},
        {"convert", cli_audit_convert, "print the records in a SIEM's words (ECS, OCSF)"},
        {"resend", cli_audit_resend, "send records that a receiver lost once more"},
    };
    static const struct commands commands = {
        .name = "crigate audit",
        .doc = "Reads the files of the audit log.\v",
        .list = list,
        .count = sizeof(list) / sizeof(list[0]),
    };
    return commands_run(&commands, argc, argv);
}
