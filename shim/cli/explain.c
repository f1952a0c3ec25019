/* SPDX-License-Identifier: Apache-2.0 */
/* crigate explain: judges one Pod manifest as the gate would, and says why. */
#include <argp.h>

#include "base/file.h"
#include "base/say.h"
#include "cli/explanation.h"
#include "cli/output.h"
#include "config/pod_manifest.h"
#include "config/policy_file.h"
#include "node/labels.h"

enum { NODE_LABELS_KEY = 'l', HANDLER_KEY = 'r' };

struct options {
    const char *policy, *pod;
    const char *node_labels; /* NULL: not known */
    const char *handler;     /* NULL: the manifest's runtimeClassName */
    enum output_format format;
};

static const struct argp_option option_table[] = {
    {"node-labels", NODE_LABELS_KEY, "KEY=VALUE,...", 0,
     "The node's labels; \"\" is a node without labels. Left out, they are not known, as on a node "
     "that has not read them yet",
     0},
    {"handler", HANDLER_KEY, "HANDLER", 0,
     "The runtime handler that the kubelet asks for; \"\" is none. Left out, the manifest's "
     "runtimeClassName is taken for it",
     0},
    OUTPUT_OPTION,
    {0}};

static void take_file(struct options *options, char *arg, struct argp_state *state)
{
    if (!options->policy)
        options->policy = arg;
    else if (!options->pod)
        options->pod = arg;
    else
        argp_error(state, "one policy and one pod: \"%s\" is one too many", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case NODE_LABELS_KEY:
        options->node_labels = arg;
        return 0;
    case HANDLER_KEY:
        options->handler = arg;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &options->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        take_file(options, arg, state);
        return 0;
    case ARGP_KEY_END:
        if (!options->pod)
            argp_error(state, "name a policy file and a Pod manifest");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Says what the gate would do with a pod: which rule wins, why each rule above it does not, "
    "what the guards say, and the runtime or the exact refusal, of its containers too."
    "\vPOD.yaml is a Kubernetes Pod manifest; - reads it from standard input. Of several documents "
    "the first one is read.\n\nExit status: 0 the pod runs, 1 it or a container is refused, 2 "
    "wrong usage, or a "
    "file cannot be used.\n\nExample: crigate explain policy.yaml --node-labels "
    "agenttier.io/runtime=gvisor pod.yaml";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "POLICY POD.yaml", .doc = doc};

static int load_pod(const char *path, struct diags *diags, struct pod_manifest *pod)
{
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    struct err err;
    bool is_stdin = strcmp(path, "-") == 0;
    int rc = is_stdin ? file_read_fd(STDIN_FILENO, POD_MANIFEST_MAX, &arena, &text, &err)
                      : file_read(path, POD_MANIFEST_MAX, &arena, &text, &err);
    const char *name = is_stdin ? "standard input" : path;
    if (rc) {
        struct diag_source source = {.path = name};
        diags_add(diags, DIAG_ERROR, &source, (struct place){0}, NULL, "%s", err.text);
        return -1;
    }
    return pod_manifest_parse(name, text, diags, pod);
}

static int load_labels(const char *text, struct node_labels **labels)
{
    struct err err;
    if (!text) {
        *labels = node_labels_unknown();
        if (*labels)
            return 0;
        err_set(&err, "memory is out");
    } else if (node_labels_parse(text, labels, &err) == 0) {
        return 0;
    }
    say_error("--node-labels: %s", err.text);
    return -1;
}

/* -1 when memory is out. */
static int judge_containers(struct explanation *e, const struct pod_containers *containers,
                            struct arena *arena)
{
    if (e->decision.verdict.action != VERDICT_RUN)
        return 0;
    struct container_verdict *verdicts = arena_array(arena, containers->count, sizeof(*verdicts));
    if (!verdicts) {
        say_error("memory is out");
        return -1;
    }
    for (size_t i = 0; i < containers->count; i++)
        container_verdict_make(e->policy, e->pod, &e->decision.verdict, &containers->items[i],
                               e->node, &verdicts[i]);
    e->containers = verdicts;
    e->container_count = containers->count;
    return 0;
}

/* In force: the pod and each container. */
static bool runs_whole(const struct explanation *e)
{
    bool runs = e->decision.verdict.action == VERDICT_RUN;
    for (size_t i = 0; i < e->container_count; i++)
        runs = runs && e->containers[i].decision.verdict.action == VERDICT_RUN;
    return runs;
}

static enum cli_exit explain(const struct options *options, const struct policy *policy,
                             struct pod_manifest *pod, const struct node_labels *labels)
{
    pod->facts.handler = options->handler ? str_of(options->handler) : pod->runtime_class;
    struct explanation e = {
        .policy_path = options->policy,
        .policy = policy,
        .pod = &pod->facts,
        .from_runtime_class = !options->handler && pod->runtime_class.len,
        .node = node_labels_set(labels),
    };
    policy_decide(policy, e.pod, e.node, &e.decision);
    if (judge_containers(&e, &pod->containers, &pod->arena))
        return CLI_USAGE;
    if (options->format == OUTPUT_TEXT)
        explanation_print(&e);
    else if (output_json(explanation_json(&e)) < 0)
        return CLI_USAGE;
    bool goes_on = runs_whole(&e) || policy_mode(policy) == POLICY_OBSERVE;
    return goes_on ? CLI_HOLDS : CLI_DOES_NOT_HOLD;
}

int cli_explain(int argc, char **argv)
{
    struct options options = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED_DIAGS struct diags policy_diags = {0}, pod_diags = {0};
    OWNED(own_policy) struct policy *policy = NULL;
    OWNED(pod_manifest_free) struct pod_manifest pod = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    int rc = policy_file_load(options.policy, &policy_diags, &policy);
    rc |= load_pod(options.pod, &pod_diags, &pod);
    rc |= load_labels(options.node_labels, &labels);
    diags_print(&policy_diags, stderr);
    diags_print(&pod_diags, stderr);
    if (rc)
        return CLI_USAGE;
    return output_finish(explain(&options, policy, &pod, labels));
}
