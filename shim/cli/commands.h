/* SPDX-License-Identifier: Apache-2.0 */
/* A command made of subcommands: finds the one that is named and hands it the rest of the words. */
#ifndef CRIGATE_CLI_COMMANDS_H
#define CRIGATE_CLI_COMMANDS_H

#include <stddef.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* as cli.h has it */
    const char *summary;
};

struct commands {
    const char *name; /* of the command itself, such as "crigate" */
    const char *doc;
    const struct command *list;
    size_t count;
};

/* Returns what the subcommand returns, or exits as argp does for --help and wrong words. */
int commands_run(const struct commands *commands, int argc, char **argv);

#endif
