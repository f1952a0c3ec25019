/* SPDX-License-Identifier: Apache-2.0 */
/* Prints which rule won, why each rule above it did not, what the guards said, and the outcome. */
#include "cli/explanation.h"

#include "cli/output.h"

#define SENTENCE_SIZE ((size_t)2048)

/* How one rule stood on the way to the verdict. */
struct standing {
    const struct policy_rule *rule;
    enum match match;
    const struct verdict *observed; /* a rule of mode observe that matched: what it would do */
    bool decides;
    char why[SENTENCE_SIZE];
};

static const struct verdict *find_observed(const struct decision *decision,
                                           const struct policy_rule *rule)
{
    for (size_t i = 0; i < decision->observed_count; i++) {
        if (decision->observed[i].rule == rule)
            return &decision->observed[i];
    }
    return NULL;
}

/* The rules that were looked at: up to the one that decides, none when the handler is unknown. */
static bool stand(const struct explanation *e, size_t index, struct standing *standing)
{
    const struct policy_rule *last = e->decision.verdict.rule;
    if (!last || index >= policy_rule_count(e->policy) ||
        (index > 0 && policy_rule_at(e->policy, index - 1) == last))
        return false;
    standing->why[0] = '\0';
    standing->rule = policy_rule_at(e->policy, index);
    standing->match = policy_explain_rule(e->policy, index, e->pod, e->node, standing->why,
                                          sizeof(standing->why));
    standing->observed = find_observed(&e->decision, standing->rule);
    standing->decides = standing->rule == last;
    return true;
}

static bool otherwise_decides(const struct explanation *e)
{
    return e->decision.verdict.rule && e->decision.verdict.reason != REASON_LABELS_UNKNOWN &&
           str_eq(e->decision.verdict.rule->name, STR("otherwise"));
}

static void print_verdict_short(const struct verdict *verdict)
{
    if (verdict->action == VERDICT_RUN && verdict->effective)
        printf("it would run under %.*s", STR_FMT(verdict->effective->handler));
    else
        printf("it would be refused (%s)", verdict_reason_name(verdict->reason));
}

static void print_standing(const struct explanation *e, const struct standing *standing)
{
    printf("  %s:%u: ", e->policy_path, standing->rule->at.line);
    output_text(standing->rule->name);
    printf(": ");
    switch (standing->match) {
    case MATCH_NO:
        printf("no match: %s\n", standing->why);
        return;
    case MATCH_UNKNOWN:
        printf("not known: %s\n", standing->why);
        return;
    case MATCH_YES:
        break;
    }
    if (standing->decides) {
        printf("matches, and wins\n");
        return;
    }
    printf("matches, but only observes");
    if (standing->observed) {
        printf(": ");
        print_verdict_short(standing->observed);
    }
    putchar('\n');
}

static void print_request(const struct explanation *e)
{
    const struct policy_runtime *requested = e->decision.verdict.requested;
    struct str asked = pod_facts_requested(e->pod);
    printf("pod ");
    output_text(e->pod->namespace);
    printf("/");
    output_text(e->pod->name);
    printf("\nasks for: ");
    output_text(asked.len ? asked : STR("no handler"));
    if (e->pod->untrusted)
        printf(" (by the annotation io.kubernetes.cri.untrusted-workload)");
    else if (e->from_runtime_class)
        printf(" (by runtimeClassName; a RuntimeClass may name its handler otherwise: --handler)");
    if (!requested)
        printf(", which is not declared");
    else if (!str_eq(asked, requested->handler))
        printf(", which means %.*s", STR_FMT(requested->handler));
    putchar('\n');
}

static void print_node(const struct explanation *e)
{
    printf("node labels: ");
    if (!e->node)
        printf("not known (give them with --node-labels)");
    else if (e->node->count == 0)
        printf("none");
    for (size_t i = 0; e->node && i < e->node->count; i++)
        printf("%s%.*s=%.*s", i ? ", " : "", STR_FMT(e->node->items[i].key),
               STR_FMT(e->node->items[i].value));
    putchar('\n');
}

static void print_guards(const struct verdict *verdict)
{
    if (verdict->reason == REASON_DOWNGRADE)
        printf("guards: downgrade refuses\n");
    else if (verdict->reason == REASON_INCOMPATIBLE)
        printf("guards: downgrade passes, cannot refuses: %.*s cannot %s\n",
               STR_FMT(verdict->effective->handler), ability_name(verdict->lacking));
    else if (verdict->action == VERDICT_RUN)
        printf("guards: downgrade and cannot pass\n");
}

static void print_outcome(const struct explanation *e)
{
    const struct verdict *verdict = &e->decision.verdict;
    if (policy_mode(e->policy) == POLICY_OBSERVE)
        printf("the policy only observes: the call goes on as it came; enforced, it would be:\n");
    if (verdict->action == VERDICT_RUN) {
        printf("runs under %.*s%s\n", STR_FMT(verdict->effective->handler),
               verdict->modifies ? " (the request is changed to say so)" : "");
        return;
    }
    char message[SENTENCE_SIZE];
    verdict_message(e->policy, e->pod, verdict, message, sizeof(message));
    printf("refused (%s): %s\n", verdict_reason_name(verdict->reason), message);
}

/* Those that CreateContainer would refuse. */
static void print_containers(const struct explanation *e)
{
    for (size_t i = 0; i < e->container_count; i++) {
        const struct container_verdict *container = &e->containers[i];
        const struct verdict *verdict = &container->decision.verdict;
        char message[SENTENCE_SIZE];
        if (verdict->action == VERDICT_RUN)
            continue;
        verdict_container_message(e->policy, e->pod, &container->facts, verdict, message,
                                  sizeof(message));
        printf("container ");
        output_text(container->facts.name);
        printf(": refused (%s): %s\n", verdict_reason_name(verdict->reason), message);
    }
}

void explanation_print(const struct explanation *e)
{
    print_request(e);
    print_node(e);
    struct standing standing;
    printf("rules:\n");
    for (size_t i = 0; stand(e, i, &standing); i++)
        print_standing(e, &standing);
    if (otherwise_decides(e))
        printf("  %s:%u: otherwise: no rule above wins, so this does\n", e->policy_path,
               e->decision.verdict.rule->at.line);
    else if (!e->decision.verdict.rule)
        printf("  none is looked at\n");
    print_guards(&e->decision.verdict);
    print_outcome(e);
    print_containers(e);
}

json_t *explanation_verdict_json(const struct verdict *verdict, const char *message)
{
    bool runs = verdict->action == VERDICT_RUN;
    OWNED_JSON json_t *object = json_pack("{s:s, s:s}", "action", runs ? "run" : "refuse", "reason",
                                          verdict_reason_name(verdict->reason));
    if (verdict->rule && output_json_str(object, "rule", verdict->rule->name) < 0)
        return NULL;
    if (runs && (output_json_str(object, "handler", verdict->effective->handler) < 0 ||
                 json_object_set_new(object, "modifies", json_boolean(verdict->modifies)) < 0))
        return NULL;
    if (verdict->reason == REASON_INCOMPATIBLE &&
        output_json_str(object, "lacking", str_of(ability_name(verdict->lacking))) < 0)
        return NULL;
    if (message && output_json_str(object, "message", str_of(message)) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_standing(const struct standing *standing)
{
    static const char *const words[] = {
        [MATCH_NO] = "no", [MATCH_UNKNOWN] = "unknown", [MATCH_YES] = "yes"};
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "name", standing->rule->name) < 0 ||
        json_object_set_new(object, "line", json_integer(standing->rule->at.line)) < 0 ||
        output_json_str(object, "match", str_of(words[standing->match])) < 0 ||
        json_object_set_new(object, "decides", json_boolean(standing->decides)) < 0)
        return NULL;
    if (standing->why[0] && output_json_str(object, "why", str_of(standing->why)) < 0)
        return NULL;
    if (standing->observed &&
        json_object_set_new(object, "would", explanation_verdict_json(standing->observed, NULL)) <
            0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_rules(const struct explanation *e)
{
    OWNED_JSON json_t *list = json_array();
    struct standing standing;
    for (size_t i = 0; stand(e, i, &standing); i++) {
        if (json_array_append_new(list, json_standing(&standing)) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_pod(const struct pod_facts *pod)
{
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "namespace", pod->namespace) < 0 ||
        output_json_str(object, "name", pod->name) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_container(const struct explanation *e,
                              const struct container_verdict *container)
{
    const struct verdict *verdict = &container->decision.verdict;
    char message[SENTENCE_SIZE];
    verdict_container_message(e->policy, e->pod, &container->facts, verdict, message,
                              sizeof(message));
    bool runs = verdict->action == VERDICT_RUN;
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "name", container->facts.name) < 0 ||
        json_object_set_new(object, "verdict",
                            explanation_verdict_json(verdict, runs ? NULL : message)) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_containers(const struct explanation *e)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < e->container_count; i++) {
        if (json_array_append_new(list, json_container(e, &e->containers[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

json_t *explanation_json(const struct explanation *e)
{
    const struct verdict *verdict = &e->decision.verdict;
    const char *mode = policy_mode(e->policy) == POLICY_OBSERVE ? "observe" : "enforce";
    char message[SENTENCE_SIZE];
    verdict_message(e->policy, e->pod, verdict, message, sizeof(message));
    OWNED_JSON json_t *root = json_object();
    if (json_object_set_new(root, "pod", json_pod(e->pod)) < 0 ||
        output_json_str(root, "requested", pod_facts_requested(e->pod)) < 0 ||
        json_object_set_new(root, "nodeLabelsKnown", json_boolean(e->node)) < 0 ||
        output_json_str(root, "mode", str_of(mode)) < 0 ||
        json_object_set_new(root, "rules", json_rules(e)) < 0 ||
        json_object_set_new(root, "containers", json_containers(e)) < 0 ||
        json_object_set_new(root, "verdict",
                            explanation_verdict_json(verdict, message[0] ? message : NULL)) < 0)
        return NULL;
    return steal_ptr(&root);
}
