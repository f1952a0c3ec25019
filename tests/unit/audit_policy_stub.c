/* SPDX-License-Identifier: Apache-2.0 */
/* The few words of the policy module that records need. */
#include "policy/policy.h"
#include <stdlib.h>
#include <string.h>

struct policy {
    struct policy_spec spec;
};

int policy_compile(const struct policy_spec *spec, policy_warn_fn *warn, void *cookie,
                   struct policy **policy, struct err *err)
{
    (void)warn;
    (void)cookie;
    (void)err;
    *policy = malloc(sizeof(**policy));
    (*policy)->spec = *spec;
    return 0;
}
void policy_unref(struct policy *policy)
{
    free(policy);
}
struct str policy_name(const struct policy *policy)
{
    return policy->spec.name;
}
const char *policy_sha256(const struct policy *policy)
{
    return policy->spec.sha256;
}
enum policy_mode policy_mode(const struct policy *policy)
{
    return policy->spec.mode;
}
const char *verdict_reason_name(enum verdict_reason reason)
{
    return reason == REASON_DOWNGRADE         ? "downgrade"
           : reason == REASON_UNKNOWN_RUNTIME ? "unknownRuntime"
                                              : "rule";
}
