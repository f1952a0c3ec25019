/* SPDX-License-Identifier: Apache-2.0 */
/* The order of judgement: the requested name, the first matching rule, the guards. */
#include "policy/filter.h"

static bool containers_lack(const struct question *question, struct verdict *verdict)
{
    const struct pod_facts *pod = question->pod;
    for (size_t i = 0; i < pod->container_count; i++) {
        if (container_lacks(question->policy, verdict->effective, &pod->containers[i], verdict))
            return true;
    }
    return false;
}

static void guard(const struct action *action, const struct question *question,
                  struct verdict *verdict)
{
    const struct policy_runtime *from = question->requested, *to = verdict->effective;
    if (from->isolation == ISOLATION_SANDBOX && to->isolation == ISOLATION_HOST_KERNEL &&
        !action->allow_downgrade) {
        verdict->reason = REASON_DOWNGRADE;
        return;
    }
    unsigned lacking = to->cannot & question->demands;
    if (lacking) {
        verdict->reason = REASON_INCOMPATIBLE;
        verdict->lacking = (enum ability)(lacking & -lacking);
        return;
    }
    if (containers_lack(question, verdict))
        return;
    verdict->action = VERDICT_RUN;
    verdict->modifies = !str_eq(to->handler, question->pod->handler);
}

/* What `rule` does with a pod that it matched, guards included. */
static struct verdict judge(const struct rule *rule, enum verdict_reason reason,
                            const struct question *question)
{
    const struct action *action = &rule->action;
    struct verdict verdict = {
        .reason = reason, .requested = question->requested, .rule = &rule->public};
    switch (action->kind) {
    case ACTION_REFUSE:
        return verdict;
    case ACTION_RUN_REQUESTED:
        verdict.effective = question->requested;
        break;
    case ACTION_RUN_HANDLER:
        verdict.effective = action->runtime;
        break;
    }
    guard(action, question, &verdict);
    return verdict;
}

void decision_observe(struct decision *decision, const struct verdict *verdict)
{
    if (decision->observed_count < DECISION_OBSERVED_MAX)
        decision->observed[decision->observed_count++] = *verdict;
    else
        decision->observed_dropped++;
}

/* Reports an observe rule that matched; true when `rule` settles the matter. */
static bool meet_rule(const struct rule *rule, const struct question *question,
                      struct decision *decision)
{
    enum match match = rule_match(rule, question);
    if (match == MATCH_NO)
        return false;
    if (rule->observe) {
        if (match == MATCH_YES) {
            struct verdict verdict = judge(rule, REASON_RULE, question);
            decision_observe(decision, &verdict);
        }
        return false;
    }
    if (match == MATCH_YES)
        decision->verdict = judge(rule, REASON_RULE, question);
    else
        decision->verdict = (struct verdict){.reason = REASON_LABELS_UNKNOWN,
                                             .requested = question->requested,
                                             .rule = &rule->public};
    return true;
}

void policy_decide(const struct policy *policy, const struct pod_facts *pod,
                   const struct label_set *node, struct decision *decision)
{
    *decision = (struct decision){0};
    struct question question = question_make(policy, pod, node);
    if (!question.requested) {
        decision->verdict.reason = REASON_UNKNOWN_RUNTIME;
        return;
    }
    struct filter filter = filter_of_pod(policy, &question);
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (filter_passes(&policy->filters[i], &filter) &&
            meet_rule(&policy->rules[i], &question, decision))
            return;
    }
    decision->verdict = judge(&policy->otherwise, REASON_OTHERWISE, &question);
}
