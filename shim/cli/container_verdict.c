/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a container of a manifest into what the kubelet sends, and has it judged. */
#include "cli/container_verdict.h"

void container_verdict_make(const struct policy *policy, const struct pod_facts *pod,
                            const struct verdict *pod_verdict,
                            const struct pod_container *container, const struct label_set *node,
                            struct container_verdict *verdict)
{
    bool is_possible = !(pod_verdict->requested->cannot & ABILITY_RECURSIVE_READ_ONLY);
    verdict->facts = container->facts;
    if (is_possible && !verdict->facts.recursive_read_only.data)
        verdict->facts.recursive_read_only = container->recursive_if_possible;
    policy_decide_container(policy, pod_verdict->effective->handler, pod, &verdict->facts, node,
                            &verdict->decision);
}
