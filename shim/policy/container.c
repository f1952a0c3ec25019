/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement of one container: its sandbox's runtime, the annotations, what is impossible. */
#include "policy/device.h"
#include "policy/filter.h"

static unsigned container_demands(const struct container_facts *container)
{
    return (container->host_network ? ABILITY_HOST_NETWORK : 0u) |
           (container->host_pid ? ABILITY_HOST_PID : 0u) |
           (container->host_ipc ? ABILITY_HOST_IPC : 0u) |
           (container->privileged ? ABILITY_PRIVILEGED : 0u) |
           (container->user_namespace ? ABILITY_USER_NAMESPACES : 0u) |
           (container->selinux ? ABILITY_SELINUX : 0u) |
           (container->device_count ? ABILITY_DEVICES : 0u) |
           (container->recursive_read_only.data ? ABILITY_RECURSIVE_READ_ONLY : 0u) |
           (container->bidirectional.data ? ABILITY_BIDIRECTIONAL_MOUNTS : 0u);
}

/* The first device that none of `globs` lets through, or NULL. A `*` crosses slashes, so that a
 * path with `..` in it would pass as one thing and be opened as another. */
static const struct str *find_forbidden(const struct globs_term *globs,
                                        const struct container_facts *container)
{
    for (size_t i = 0; i < container->device_count; i++) {
        const struct str *device = &container->devices[i];
        if (!device_can_be_listed(*device) || !globs_match_any(globs, *device))
            return device;
    }
    return NULL;
}

bool container_lacks(const struct policy *policy, const struct policy_runtime *runtime,
                     const struct container_facts *container, struct verdict *verdict)
{
    unsigned lacking = runtime->cannot & container_demands(container);
    const struct str *device = NULL;
    if (lacking & ABILITY_DEVICES) {
        device = find_forbidden(&policy->devices[runtime - policy->runtimes], container);
        if (!device)
            lacking &= ~(unsigned)ABILITY_DEVICES;
    }
    if (!lacking)
        return false;
    verdict->reason = REASON_INCOMPATIBLE;
    verdict->lacking = (enum ability)(lacking & -lacking);
    verdict->container = container;
    if (verdict->lacking == ABILITY_DEVICES)
        verdict->device = *device;
    return true;
}

/* By its own name: containerd knows no alias. */
static const struct policy_runtime *find_runtime(const struct policy *policy, struct str handler)
{
    if (handler.len == 0)
        return policy->default_runtime;
    for (size_t i = 0; i < policy->runtime_count; i++) {
        if (str_eq(policy->runtimes[i].handler, handler))
            return &policy->runtimes[i];
    }
    return NULL;
}

static void refuse(struct verdict *verdict, enum verdict_reason reason, const struct rule *rule)
{
    verdict->reason = reason;
    verdict->rule = &rule->public;
}

/* True when no rule below matters any more. `unknown` is the first rule that might have won. */
static bool meet_rule(const struct rule *rule, const struct question *question,
                      const struct rule **unknown, struct decision *decision)
{
    enum match match = rule_match(rule, question);
    if (match == MATCH_NO)
        return false;
    if (rule->observe) {
        struct verdict observed = decision->verdict;
        refuse(&observed, REASON_RULE, rule);
        if (match == MATCH_YES && rule->refuses_by_annotation)
            decision_observe(decision, &observed);
        return false;
    }
    if (match == MATCH_UNKNOWN && !*unknown)
        *unknown = rule;
    if (!rule->refuses_by_annotation)
        return match == MATCH_YES;
    if (*unknown)
        refuse(&decision->verdict, REASON_LABELS_UNKNOWN, *unknown);
    else
        refuse(&decision->verdict, REASON_RULE, rule);
    return true;
}

/*
 * Whether the pod as it is now would be refused because of an annotation: gVisor reads annotations
 * at CreateContainer too, and by then they may have changed.
 *
 * The rules are walked as for a pod that asks for the sandbox's own runtime: what it asked for in
 * truth, and by which name, nobody knows any more. The first rule that matches is the answer, but
 * only a refusal that has a term on annotations counts. A running pod does not lose its containers
 * because a later policy, or a label that changed, would refuse it today for another reason; and
 * where a rule above lets it run, it was let run with its annotations in view.
 *
 * While node labels are unknown, a rule that might match leaves both ways open. If on one of them
 * a refusal by annotation is met, the answer is not known and the kubelet has to try again; if on
 * none, the labels do not matter.
 */
static void judge_annotations(const struct question *question, struct decision *decision)
{
    const struct policy *policy = question->policy;
    const struct rule *unknown = NULL;
    if (policy->annotation_end == 0)
        return;
    struct filter filter = filter_of_pod(policy, question);
    for (size_t i = 0; i < policy->annotation_end; i++) {
        if (filter_passes(&policy->filters[i], &filter) &&
            meet_rule(&policy->rules[i], question, &unknown, decision))
            return;
    }
}

void policy_decide_container(const struct policy *policy, struct str handler,
                             const struct pod_facts *pod, const struct container_facts *container,
                             const struct label_set *node, struct decision *decision)
{
    const struct policy_runtime *runtime = find_runtime(policy, handler);
    *decision = (struct decision){
        .verdict = {.requested = runtime, .effective = runtime, .handler = handler}};
    if (!runtime) {
        decision->verdict.reason = REASON_UNKNOWN_RUNTIME;
        return;
    }
    struct question question = question_of_sandbox(policy, runtime, handler, pod, node);
    judge_annotations(&question, decision);
    if (decision->verdict.reason == REASON_NONE &&
        !container_lacks(policy, runtime, container, &decision->verdict))
        decision->verdict.action = VERDICT_RUN;
}
