/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `crigate audit`; as those of cli.h. */
#ifndef CRIGATE_CLI_AUDIT_H
#define CRIGATE_CLI_AUDIT_H

int cli_audit_show(int argc, char **argv);
int cli_audit_stats(int argc, char **argv);
int cli_audit_verify(int argc, char **argv);
int cli_audit_convert(int argc, char **argv);
int cli_audit_resend(int argc, char **argv);

#endif
