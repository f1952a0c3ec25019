/* SPDX-License-Identifier: Apache-2.0 */
/* Three-valued matching of one rule: no, unknown (a node's labels are not known), yes. */
#include "policy/compiled.h"

static unsigned pod_demands(const struct pod_facts *pod)
{
    return (pod->host_network ? ABILITY_HOST_NETWORK : 0u) |
           (pod->host_pid ? ABILITY_HOST_PID : 0u) | (pod->host_ipc ? ABILITY_HOST_IPC : 0u) |
           (pod->privileged ? ABILITY_PRIVILEGED : 0u) |
           (pod->user_namespace ? ABILITY_USER_NAMESPACES : 0u) |
           (pod->selinux ? ABILITY_SELINUX : 0u);
}

struct question question_make(const struct policy *policy, const struct pod_facts *pod,
                              const struct label_set *node)
{
    struct str name = pod_facts_requested(pod);
    return (struct question){.policy = policy,
                             .pod = pod,
                             .node = node,
                             .requested = policy_resolve(policy, name),
                             .unnamed = name.len == 0,
                             .demands = pod_demands(pod)};
}

struct question question_of_sandbox(const struct policy *policy,
                                    const struct policy_runtime *runtime, struct str handler,
                                    const struct pod_facts *pod, const struct label_set *node)
{
    return (struct question){.policy = policy,
                             .pod = pod,
                             .node = node,
                             .requested = runtime,
                             .unnamed = handler.len == 0,
                             .demands = pod_demands(pod)};
}

const struct label_set *question_labels(const struct question *question, enum input_source source)
{
    switch (source) {
    case INPUT_POD_LABEL:
        return &question->pod->labels;
    case INPUT_ANNOTATION:
        return &question->pod->annotations;
    case INPUT_NODE_LABEL:
        break;
    }
    return question->node;
}

static bool values_contain(const struct label_term *term, struct str value)
{
    size_t low = 0, high = term->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(value, term->values[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static enum match match_label(const struct label_term *term, const struct question *question)
{
    const struct label_set *labels = question_labels(question, term->source);
    if (!labels)
        return MATCH_UNKNOWN;
    const struct str *value = label_set_find(labels, term->key, term->hash);
    bool holds = false;
    switch (term->op) {
    case OPERATOR_IN:
        holds = value && values_contain(term, *value);
        break;
    case OPERATOR_NOT_IN:
        holds = !value || !values_contain(term, *value);
        break;
    case OPERATOR_EXISTS:
        holds = value != NULL;
        break;
    case OPERATOR_DOES_NOT_EXIST:
        holds = value == NULL;
        break;
    }
    return holds ? MATCH_YES : MATCH_NO;
}

static bool match_handlers(const struct handlers_term *term, const struct question *question)
{
    if (term->unnamed && question->unnamed)
        return true;
    for (size_t i = 0; i < term->count; i++) {
        if (term->runtimes[i] == question->requested)
            return true;
    }
    return false;
}

bool globs_match_any(const struct globs_term *globs, struct str text)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (glob_match(&globs->items[i], text))
            return true;
    }
    return false;
}

static bool match_annotation_keys(const struct globs_term *globs, const struct label_set *set)
{
    for (size_t i = 0; i < globs->count; i++) {
        const struct glob *glob = &globs->items[i];
        if (glob->kind == GLOB_LITERAL) {
            if (label_set_get(set, glob->pattern, glob->hash))
                return true;
            continue;
        }
        for (size_t j = 0; j < set->count; j++) {
            if (glob_match(glob, set->items[j].key))
                return true;
        }
    }
    return false;
}

enum match term_match(const struct term *term, const struct question *question)
{
    const struct pod_facts *pod = question->pod;
    bool holds = false;
    switch (term->kind) {
    case TERM_FLAG:
        holds = term->flag.wanted == ((question->demands & term->flag.flag) != 0);
        break;
    case TERM_HANDLERS:
        holds = match_handlers(&term->handlers, question);
        break;
    case TERM_LABEL:
        return match_label(&term->label, question);
    case TERM_NAMESPACES:
        holds = globs_match_any(&term->globs, pod->namespace);
        break;
    case TERM_NAMES:
        holds = globs_match_any(&term->globs, pod->name);
        break;
    case TERM_ANNOTATION_KEYS:
        holds = match_annotation_keys(&term->globs, &pod->annotations);
        break;
    }
    return holds ? MATCH_YES : MATCH_NO;
}

/* A term that fails outweighs one that is unknown: the rule cannot match whatever the labels are.
 */
enum match rule_match(const struct rule *rule, const struct question *question)
{
    enum match all = MATCH_YES;
    for (size_t i = 0; i < rule->term_count; i++) {
        enum match one = term_match(&rule->terms[i], question);
        if (one == MATCH_NO)
            return MATCH_NO;
        if (one == MATCH_UNKNOWN)
            all = MATCH_UNKNOWN;
    }
    return all;
}
