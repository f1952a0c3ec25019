/* SPDX-License-Identifier: Apache-2.0 */
/* crigate setup: puts the gate in front of this node's containerd, or shows how it would. */
#include <argp.h>
#include <errno.h>
#include <limits.h>

#include "base/say.h"
#include "base/writer.h"
#include "cli/output.h"
#include "cli/table.h"
#include "setup/setup.h"

enum { APPLY_KEY = 'a', UNDO_KEY = 'u', CONFIG_KEY = 'c', LONG_KEYS = 256 };
enum { CONTAINERD_KEY = LONG_KEYS, KUBELET_KEY, ROOT_KEY, NO_START_KEY };

enum task { TASK_SHOW, TASK_APPLY, TASK_UNDO };

struct options {
    enum task task;
    enum output_format format;
    struct setup_options setup;
};

static const struct argp_option option_table[] = {
    {"apply", APPLY_KEY, NULL, 0, "do what the plan says", 0},
    {"undo", UNDO_KEY, NULL, 0, "take back all that --apply has done on this node", 0},
    {"config", CONFIG_KEY, "FILE", 0, "the gate's settings; default: /etc/crigate/crigate.yaml", 0},
    {"containerd-config", CONTAINERD_KEY, "FILE", 0,
     "containerd's configuration; default: /etc/containerd/config.toml", 0},
    {"kubelet-config", KUBELET_KEY, "FILE", 0,
     "the kubelet's configuration; default: what its unit names, or the file of kubeadm or EKS", 0},
    {"root", ROOT_KEY, "DIR", 0, "set up the tree in DIR, such as an image; starts nothing", 0},
    {"no-start", NO_START_KEY, NULL, 0, "start and restart nothing: write files, enable units", 0},
    OUTPUT_OPTION,
    {0}};

static void set_task(struct argp_state *state, struct options *options, enum task task)
{
    if (options->task != TASK_SHOW && options->task != task)
        argp_error(state, "--apply or --undo, not both");
    options->task = task;
}

static const char *absolute(struct argp_state *state, const char *name, const char *path)
{
    if (path[0] != '/')
        argp_error(state, "%s takes an absolute path, not \"%s\"", name, path);
    return path;
}

/* Files under it are looked up with patterns. */
static const char *parse_root(struct argp_state *state, const char *path)
{
    if (path[strcspn(path, "*?[\\")])
        argp_error(state,
                   "--root: a directory whose name has \"*\", \"?\", \"[\" or \"\\\" cannot "
                   "be used: \"%s\"",
                   path);
    return absolute(state, "--root", path);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case APPLY_KEY:
        set_task(state, options, TASK_APPLY);
        return 0;
    case UNDO_KEY:
        set_task(state, options, TASK_UNDO);
        return 0;
    case CONFIG_KEY:
        options->setup.config = absolute(state, "--config", arg);
        return 0;
    case CONTAINERD_KEY:
        options->setup.containerd_config = absolute(state, "--containerd-config", arg);
        return 0;
    case KUBELET_KEY:
        options->setup.kubelet_config = absolute(state, "--kubelet-config", arg);
        return 0;
    case ROOT_KEY:
        options->setup.root = parse_root(state, arg);
        return 0;
    case NO_START_KEY:
        options->setup.no_start = true;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &options->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "setup takes no argument: %s", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Shows what is to be done so that this node's pods go through the gate, and changes nothing; "
    "--apply does it, --undo takes it back to the byte.\n"
    "It registers gVisor's runsc with containerd, enables and starts crigate.socket and "
    "crigate.service, and, once the gate answers, points the kubelet at it. When a step fails, all "
    "steps are taken back."
    "\vWhat was there before is kept in /var/lib/crigate/setup. A file that somebody has changed "
    "since keeps that change: --undo takes out only the lines that --apply wrote. A run that was "
    "cut short is taken back by the next --apply or --undo. Run --apply again after `kubeadm "
    "upgrade`, which writes the kubelet's file anew; it does only what is needed.\n"
    "With --root, with --no-start and without systemd it lists the steps that are left. Each path "
    "is one inside DIR.\n\n"
    "Exit status: 0 done, or shown, or nothing to do; 1 it cannot be done, or failed and was "
    "rolled "
    "back; 2 wrong usage.";

static const struct argp parser = {.options = option_table, .parser = parse_option, .doc = doc};

static void complain(const struct err *err)
{
    char text[4 * sizeof(err->text)]; /* each byte as \xNN */
    struct writer writer = writer_make(text, sizeof(text));
    writer_text(&writer, err->text);
    if (*text)
        say_error("%s", text);
}

/* --- text ---------------------------------------------------------------------------------- */

static void print_lines(struct str lines, char sign, enum table_style style)
{
    struct table_look look = table_look_of_stdout();
    while (lines.len) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.data) : lines.len;
        size_t shown = len && lines.data[len - 1] == '\r' ? len - 1 : len;
        printf("       %s%c ", table_style_begin(&look, style), sign);
        output_text((struct str){.data = lines.data, .len = shown});
        printf("%s\n", table_style_end(&look, style));
        len += end ? 1 : 0;
        lines = (struct str){.data = lines.data + len, .len = lines.len - len};
    }
}

static void print_step(const struct setup_step *step, enum task task)
{
    static const char *const words[] = {
        [SETUP_TO_DO] = "to do", [SETUP_HOLDS] = "holds", [SETUP_LEFT] = "left"};
    const char *word =
        step->state == SETUP_TO_DO && task == TASK_APPLY ? "done" : words[step->state];
    printf("%-5s  %s ", word, step->action);
    output_text(str_of(step->target));
    fputs(": ", stdout);
    output_text(str_of(step->text));
    putchar('\n');
    print_lines(step->hunk.old, '-', TABLE_RED);
    print_lines(step->hunk.new, '+', TABLE_GREEN);
}

static void print_text(const struct setup_plan *plan, enum task task)
{
    bool changes = setup_plan_changes(plan);
    for (size_t i = 0; i < plan->step_count; i++)
        print_step(&plan->steps[i], task);
    if (!changes)
        puts("nothing to do");
    else if (task == TASK_SHOW)
        puts("nothing is changed yet: `crigate setup --apply` does it");
}

/* --- JSON ---------------------------------------------------------------------------------- */

static json_t *json_step(const struct setup_step *step)
{
    static const char *const words[] = {
        [SETUP_TO_DO] = "toDo", [SETUP_HOLDS] = "holds", [SETUP_LEFT] = "left"};
    OWNED_JSON json_t *object =
        json_pack("{s:s, s:s}", "state", words[step->state], "action", step->action);
    if (output_json_str(object, "target", str_of(step->target)) < 0 ||
        output_json_str(object, "text", str_of(step->text)) < 0)
        return NULL;
    if ((step->hunk.old.len || step->hunk.new.len) &&
        (output_json_str(object, "removes", step->hunk.old) < 0 ||
         output_json_str(object, "adds", step->hunk.new) < 0))
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_plan(const struct setup_plan *plan, enum task task)
{
    OWNED_JSON json_t *steps = json_array();
    for (size_t i = 0; i < plan->step_count; i++) {
        if (json_array_append_new(steps, json_step(&plan->steps[i])) < 0)
            return NULL;
    }
    return json_pack("{s:b, s:b, s:O}", "changes", setup_plan_changes(plan), "applied",
                     task == TASK_APPLY, "steps", steps);
}

/* --- tasks --------------------------------------------------------------------------------- */

static enum cli_exit show(const struct options *options, const struct setup_plan *plan)
{
    if (options->format == OUTPUT_TEXT)
        print_text(plan, options->task);
    else if (output_json(json_plan(plan, options->task)) < 0)
        return CLI_DOES_NOT_HOLD;
    return output_finish(CLI_HOLDS);
}

static enum cli_exit plan_and_apply(const struct options *options, struct journal_store *store)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(setup_plan_free) struct setup_plan plan;
    struct err err = {0};
    if (setup_plan_make(&options->setup, &plan, &diags, &err) < 0) {
        diags_print(&diags, stderr);
        complain(&err);
        return CLI_DOES_NOT_HOLD;
    }
    if (options->task == TASK_APPLY && setup_plan_changes(&plan) &&
        setup_apply(&plan, store, &err) < 0) {
        complain(&err);
        return CLI_DOES_NOT_HOLD;
    }
    return show(options, &plan);
}

static enum cli_exit undo(const struct options *options, const struct journal_store *store)
{
    struct err err = {0};
    size_t runs;
    if (setup_undo(&options->setup, store, &runs, &err) < 0) {
        complain(&err);
        return CLI_DOES_NOT_HOLD;
    }
    if (options->format == OUTPUT_JSON) {
        if (output_json(json_pack("{s:I}", "runsTakenBack", (json_int_t)runs)) < 0)
            return CLI_DOES_NOT_HOLD;
    } else {
        puts(runs ? "all is as it was" : "nothing to undo");
    }
    return output_finish(CLI_HOLDS);
}

/* A plan that is only shown is made of the files as such a run has left them. */
static int warn_if_cut_short(const struct journal_store *store, struct err *err)
{
    struct journal journal;
    bool found;
    if (journal_newest(store, &journal, &found, err) < 0)
        return -1;
    if (found && !journal.is_complete)
        say_warn("an earlier run was cut short: --apply and --undo take it back first");
    return 0;
}

/* `real` holds the root's path without symbolic links, as setup wants it. */
static bool find_root(struct setup_options *options, char real[PATH_MAX])
{
    if (!*options->root)
        return true;
    if (!realpath(options->root, real)) {
        say_error("--root %s: %s", options->root, strerror(errno));
        return false;
    }
    options->root = strcmp(real, "/") == 0 ? "" : real;
    return true;
}

static enum cli_exit run(const struct options *options, struct journal_store *store)
{
    struct err err = {0};
    if (options->task == TASK_UNDO)
        return undo(options, store);
    if (options->task == TASK_SHOW ? warn_if_cut_short(store, &err) < 0
                                   : setup_recover(&options->setup, store, &err) < 0) {
        complain(&err);
        return CLI_DOES_NOT_HOLD;
    }
    return plan_and_apply(options, store);
}

int cli_setup(int argc, char **argv)
{
    struct options options = {
        .setup = {.config = "/etc/crigate/crigate.yaml",
                  .containerd_config = "/etc/containerd/config.toml",
                  .root = ""},
    };
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED_ARENA struct arena arena = {0};
    OWNED(journal_close) struct journal_store store = {.lock = -1};
    struct err err = {0};
    char root[PATH_MAX];
    if (!find_root(&options.setup, root))
        return CLI_USAGE;
    if (journal_open(options.setup.root, options.task == TASK_APPLY, &arena, &store, &err) < 0) {
        complain(&err);
        return CLI_DOES_NOT_HOLD;
    }
    return run(&options, &store);
}
