/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate says to a container of a pod that it lets run. */
#ifndef CRIGATE_CLI_CONTAINER_VERDICT_H
#define CRIGATE_CLI_CONTAINER_VERDICT_H

#include "config/pod_containers.h"
#include "policy/policy.h"

/* The verdict points at `facts`: it stays where it was made. */
struct container_verdict {
    struct container_facts facts; /* as the kubelet would send them */
    struct decision decision;
};

/* Judges one container as CreateContainer would be, in the sandbox that `pod_verdict` starts, which
 * must be one that runs. `node`: see policy_decide(). */
void container_verdict_make(const struct policy *policy, const struct pod_facts *pod,
                            const struct verdict *pod_verdict,
                            const struct pod_container *container, const struct label_set *node,
                            struct container_verdict *verdict);

#endif
