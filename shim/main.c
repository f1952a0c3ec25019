/* SPDX-License-Identifier: Apache-2.0 */
/* The command: finds the subcommand and hands it the rest of the words. */
#include <argp.h>

#include "base/nearest.h"
#include "base/version.h"
#include "cli/cli.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"serve", cli_serve, "stand between the kubelet and containerd"},
    {"check", cli_check, "find every error in a policy"},
    {"explain", cli_explain, "say what the gate would do with a pod, and why"},
    {"test", cli_test, "hold a policy against its cases"},
    {"ps", cli_ps, "show what runs here, and what the policy would choose now"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

struct choice {
    const struct command *command;
    int first; /* the index of its name in argv */
};

static void fail_unknown(struct argp_state *state, const char *word)
{
    struct str names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = str_of(commands[i].name);
    const struct str *near = nearest_word(str_of(word), names, COMMAND_COUNT, sizeof(*names));
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
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            if (strcmp(commands[i].name, arg) == 0)
                choice->command = &commands[i];
        }
        if (!choice->command)
            fail_unknown(state, arg);
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
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);
    if (!out)
        return NULL;
    fputs("Commands:\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs(
        "\n`crigate COMMAND --help` tells more.\n\nExit status: 0 what was asked holds, 1 it does "
        "not, 2 wrong usage.",
        out);
    return fclose(out) == 0 ? list : NULL;
}

static int run(const struct choice *choice, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof(name), "crigate %s", choice->command->name);
    argv[choice->first] = name;
    return choice->command->run(argc - choice->first, argv + choice->first);
}

int main(int argc, char **argv)
{
    static const struct argp parser = {
        .parser = parse_option,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "Decides, between the kubelet and containerd, which runtime a pod runs under.\v",
        .help_filter = list_commands,
    };
    struct choice choice = {0};
    char version[64];
    snprintf(version, sizeof(version), "crigate %s", crigate_version);
    argp_program_version = version;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &choice))
        return CLI_USAGE;
    return run(&choice, argc, argv);
}
