/* SPDX-License-Identifier: Apache-2.0 */
/* Parses as far as the name of a subcommand, and lists them all in --help. */
#include "cli/commands.h"

#include <argp.h>

#include "base/nearest.h"
#include "cli/cli.h"

#define COMMANDS_MOST 16

struct choice {
    const struct commands *commands;
    const struct command *command;
    int first; /* the index of its name in argv */
};

static void fail_unknown(struct argp_state *state, const struct commands *commands,
                         const char *word)
{
    struct str names[COMMANDS_MOST];
    size_t count = commands->count < COMMANDS_MOST ? commands->count : COMMANDS_MOST;
    for (size_t i = 0; i < count; i++)
        names[i] = str_of(commands->list[i].name);
    const struct str *near = nearest_word(str_of(word), names, count, sizeof(*names));
    if (near)
        argp_error(state, "\"%s\" is no command; did you mean \"%.*s\"?", word, STR_FMT(*near));
    else
        argp_error(state, "\"%s\" is no command", word);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct choice *choice = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        choice->first = state->next - 1;
        for (size_t i = 0; i < choice->commands->count; i++) {
            if (strcmp(choice->commands->list[i].name, arg) == 0)
                choice->command = &choice->commands->list[i];
        }
        if (!choice->command)
            fail_unknown(state, choice->commands, arg);
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The list of commands, put behind the options in --help. */
static char *list_commands(int key, const char *text, void *input)
{
    const struct choice *choice = input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);
    if (!out)
        return NULL;
    fputs("Commands:\n", out);
    for (size_t i = 0; i < choice->commands->count; i++)
        fprintf(out, "  %-10s %s\n", choice->commands->list[i].name,
                choice->commands->list[i].summary);
    fprintf(out, "\n`%s COMMAND --help` tells more.", choice->commands->name);
    fputs("\n\nExit status: 0 what was asked holds, 1 it does "
          "not, 2 wrong usage.",
          out);
    return fclose(out) == 0 ? list : NULL;
}

int commands_run(const struct commands *commands, int argc, char **argv)
{
    const struct argp parser = {
        .parser = parse_option,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = commands->doc,
        .help_filter = list_commands,
    };
    struct choice choice = {.commands = commands};
    if (argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &choice))
        return CLI_USAGE;
    char name[64];
    snprintf(name, sizeof(name), "%s %s", commands->name, choice.command->name);
    argv[choice.first] = name;
    return choice.command->run(argc - choice.first, argv + choice.first);
}
