/* SPDX-License-Identifier: Apache-2.0 */
/* crigate test: holds policies against cases that a platform team keeps beside them. */
#include <argp.h>

#include "base/say.h"
#include "cli/output.h"
#include "cli/test_result.h"

enum test_format { TEST_TEXT, TEST_JSON, TEST_JUNIT };

struct options {
    char **paths; /* borrowed from argv */
    size_t count;
    enum test_format format;
};

static const struct argp_option option_table[] = {
    {"output", OUTPUT_KEY, "FORMAT", 0,
     "text (the default), json, for a script to read, or junit, the XML that CI systems read", 0},
    {0}};

static void take_format(struct options *options, const char *word, struct argp_state *state)
{
    static const char *const words[] = {
        [TEST_TEXT] = "text", [TEST_JSON] = "json", [TEST_JUNIT] = "junit"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], word) == 0) {
            options->format = (enum test_format)i;
            return;
        }
    }
    argp_error(state, "--output is text, json or junit, not \"%s\"", word);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OUTPUT_KEY:
        take_format(options, arg, state);
        return 0;
    case ARGP_KEY_ARGS:
        options->paths = state->argv + state->next;
        options->count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which cases? Name their files");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Holds a policy against cases: each names a pod, a node, and what the gate should do."
    "\vA file of cases:\n\n"
    "  apiVersion: crigate/v1\n"
    "  kind: PolicyCases\n"
    "  policy: policy.yaml          # as seen from this file\n"
    "  nodeLabels: {agenttier.io/runtime: gvisor}   # of every case that gives none\n"
    "  cases:\n"
    "  - name: a warm-pool pod runs in gVisor\n"
    "    pod:                       # a Pod manifest; or `podFile: PATH`\n"
    "      metadata: {name: warm-1, labels: {agenttier.io/managed: \"true\"}}\n"
    "    expect: {run: runsc, rule: agents-in-gvisor}\n"
    "  - name: an agent waits while the node's labels are not known\n"
    "    cri: {name: b7, labels: {agenttier.io/managed: \"true\"}}\n"
    "    handler: gvisor            # else the manifest's runtimeClassName\n"
    "    nodeLabels: unknown\n"
    "    expect: {refuse: labelsUnknown}\n\n"
    "`pod` gets the labels that the kubelet adds; `cri` is taken as it stands: namespace, name, "
    "uid, labels, annotations, hostNetwork, hostPID, hostIPC, privileged, userNamespaces, seLinux, "
    "and containers, each with a name, those flags, devices (host paths and CDI names) and mounts "
    "({containerPath, recursiveReadOnly, bidirectional}). Without nodeLabels, the node has no "
    "labels.\n\n"
    "`expect` has `run: HANDLER`, or `refuse` with true or the reason: rule, otherwise, "
    "unknownRuntime, labelsUnknown, downgrade, incompatible. A pod runs when each container does; "
    "`container: NAME` expects that this one is refused. Besides: `rule: NAME`, the one that "
    "decides (`otherwise` too), `message: TEXT`, a part of the refusal, `observed: [RULE, ...]`, "
    "the rules of mode observe that match. A policy of mode observe is judged as if it were "
    "enforced.\n\n"
    "Rules that no case reaches are warnings: a case reaches a rule that wins, or is observed.\n\n"
    "Exit status: 0 every case holds, 1 one does not, 2 wrong usage, or a file cannot be used.\n\n"
    "Example: crigate test --output junit config/policy-cases.yaml >report.xml";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "CASES.yaml...", .doc = doc};

/* The files of one run and their policies. */
struct suite {
    struct cases_file *files; /* `count` of them */
    size_t count;
    struct case_policies policies;
};

static void free_suite(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++)
        cases_file_free(&suite->files[i]);
    free(suite->files);
    case_policies_free(&suite->policies);
}

/* Every file, so that one run shows all that is wrong. */
static int load(const struct options *options, struct suite *suite)
{
    int rc = 0;
    suite->files = calloc(options->count, sizeof(*suite->files));
    if (!suite->files) {
        say_error("memory is out");
        return -1;
    }
    for (size_t i = 0; i < options->count; i++) {
        OWNED_DIAGS struct diags diags = {0};
        rc |= cases_file_load(options->paths[i], &suite->policies, &diags,
                              &suite->files[suite->count++]);
        diags_print(&diags, stderr);
    }
    for (const struct case_policy *item = suite->policies.first; item; item = item->next)
        diags_print(&item->diags, stderr);
    return rc;
}

static enum cli_exit print(const struct test_results *results, enum test_format format)
{
    switch (format) {
    case TEST_TEXT:
        test_print_text(results);
        break;
    case TEST_JSON:
        if (test_print_json(results) < 0)
            return CLI_USAGE;
        break;
    case TEST_JUNIT:
        test_print_junit(results);
        test_print_unreached(results, stderr);
        break;
    }
    return output_finish(results->failed ? CLI_DOES_NOT_HOLD : CLI_HOLDS);
}

int cli_test(int argc, char **argv)
{
    struct options options = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED(free_suite) struct suite suite = {0};
    OWNED(test_results_free) struct test_results results = {0};
    if (load(&options, &suite))
        return CLI_USAGE;
    if (test_run(suite.files, suite.count, &suite.policies, &results)) {
        say_error("memory is out");
        return CLI_USAGE;
    }
    return print(&results, options.format);
}
