/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands. Each gets its own argv (argv[0] is "crigate NAME"), parses it with argp and
 * returns the exit status; none of them calls exit() itself.
 */
#ifndef CRIGATE_CLI_CLI_H
#define CRIGATE_CLI_CLI_H

enum cli_exit {
    CLI_HOLDS = 0,         /* the command did what it should; what was asked holds */
    CLI_DOES_NOT_HOLD = 1, /* it does not, or the daemon could not run */
    CLI_USAGE = 2,         /* the words on the command line are wrong */
};

int cli_serve(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_test(int argc, char **argv);
int cli_ps(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_audit(int argc, char **argv);
int cli_setup(int argc, char **argv);

#endif
