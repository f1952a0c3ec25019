/* SPDX-License-Identifier: Apache-2.0 */
/* crigate ps: what runs on this node, under which runtime, and what the policy would choose now. */
#include <argp.h>
#include <grpc/grpc.h>
#include <time.h>

#include "base/say.h"
#include "base/writer.h"
#include "cli/known_labels.h"
#include "cli/output.h"
#include "cli/ps_report.h"
#include "config/policy_file.h"

#define TIMEOUT_MS 10000

enum { CONFIG_KEY = 'c', EXIT_CODE_KEY = 'e' };

struct options {
    const char *config;
    enum output_format format;
    bool exit_code;
};

static const struct argp_option option_table[] = {
    {"config", CONFIG_KEY, "FILE", 0,
     "the gate's settings, which name containerd's socket, the policy and the node's labels; "
     "default: /etc/crigate/crigate.yaml",
     0},
    {"exit-code", EXIT_CODE_KEY, NULL, 0, "exit 1 if a sandbox drifts", 0},
    OUTPUT_OPTION,
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case CONFIG_KEY:
        options->config = arg;
        return 0;
    case EXIT_CODE_KEY:
        options->exit_code = true;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &options->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "ps takes no argument: %s", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Shows each pod sandbox on this node: the runtime it runs under, whether that is a sandbox or "
    "the host's kernel, and what the policy would choose for it now. It drifts if the policy would "
    "refuse it or run it under another runtime. Asks containerd, changes nothing."
    "\vThe policy and the labels are read from their files as they are now. The pod is judged as "
    "if it asked for the runtime that it has, since containerd does not keep what it asked for; "
    "nor does it tell whether a pod is privileged or has an SELinux label, so rules on these see "
    "a pod without. \"?\" is what is not known: it is no drift. Sandboxes that are not ready are "
    "listed, not judged. A policy that only observes is shown as if it were enforced.\n\n"
    "Exit status: 0 it was shown, 1 with --exit-code: a sandbox drifts, 2 wrong usage, or it could "
    "not be found out.";

static const struct argp parser = {.options = option_table, .parser = parse_option, .doc = doc};

/* What the command needs of the settings' files. */
struct bed {
    struct settings settings;
    struct policy *policy;
    struct node_labels *labels;
    struct err labels_trouble;
    struct timespec now;
};

static void free_bed(struct bed *bed)
{
    if (bed->labels)
        node_labels_unref(bed->labels);
    if (bed->policy)
        policy_unref(bed->policy);
    settings_free(&bed->settings);
}

static int load_bed(const char *config, struct bed *bed)
{
    OWNED_DIAGS struct diags diags = {0};
    if (settings_load(config, &diags, &bed->settings) < 0 ||
        policy_file_load(bed->settings.policy, &diags, &bed->policy) < 0) {
        diags_print(&diags, stderr);
        return -1;
    }
    clock_gettime(CLOCK_REALTIME, &bed->now);
    if (known_labels_read(&bed->settings, bed->now.tv_sec, &bed->labels, &bed->labels_trouble) <
        0) {
        say_error("memory is out");
        return -1;
    }
    return 0;
}

/* Containerd's words are foreign. */
static void complain(const struct err *err)
{
    char text[4 * sizeof(err->text)]; /* each byte as \xNN */
    struct writer writer = writer_make(text, sizeof(text));
    writer_text(&writer, err->text);
    say_error("%s", text);
}

static int print(const struct options *options, const struct ps_report *report)
{
    if (options->format == OUTPUT_JSON)
        return output_json(ps_report_json(report));
    struct table_look look = table_look_of_stdout();
    if (ps_report_print(report, &look, stdout) == 0)
        return 0;
    say_error("memory is out");
    return -1;
}

static enum cli_exit show(const struct options *options, const struct bed *bed,
                          const struct sandbox_query *query)
{
    OWNED(survey_free) struct survey survey = {0};
    if (survey_judge(query, bed->policy, bed->labels, &survey) < 0) {
        say_error("memory is out");
        return CLI_USAGE;
    }
    const struct ps_report report = {
        .survey = &survey,
        .labels_trouble = bed->labels_trouble.text,
        .now = (int64_t)bed->now.tv_sec * 1000000000 + bed->now.tv_nsec,
    };
    if (print(options, &report) < 0)
        return CLI_USAGE;
    if (output_finish(CLI_HOLDS) != CLI_HOLDS)
        return CLI_USAGE; /* 1 would be taken for drift */
    return options->exit_code && survey.tally.drifted ? CLI_DOES_NOT_HOLD : CLI_HOLDS;
}

int cli_ps(int argc, char **argv)
{
    struct options options = {.config = "/etc/crigate/crigate.yaml"};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED(free_bed) struct bed bed = {0};
    if (load_bed(options.config, &bed) < 0)
        return CLI_USAGE;
    OWNED(sandbox_query_free) struct sandbox_query query = {0};
    struct err err = {0};
    grpc_init();
    const struct sandbox_query_options ask = {.socket = bed.settings.upstream,
                                              .timeout_ms = TIMEOUT_MS};
    int asked = sandbox_query_run(&ask, &query, &err);
    grpc_shutdown();
    if (asked < 0) {
        complain(&err);
        return CLI_USAGE;
    }
    return show(&options, &bed, &query);
}
