/* SPDX-License-Identifier: Apache-2.0 */
/* The policies that case files are about: each loaded once, its rules found by name. */
#ifndef CRIGATE_CONFIG_CASES_POLICY_H
#define CRIGATE_CONFIG_CASES_POLICY_H

#include "config/reader.h"
#include "policy/policy.h"

struct case_rule {
    struct str name;
    size_t index; /* for policy_rule_at() */
};

struct case_policy {
    const char *path;        /* as the case file that named it first spells it */
    const char *real;        /* what tells it from others: no symlink, no "..", where it exists */
    struct policy *policy;   /* NULL: it cannot be used, and `diags` says why */
    struct diags diags;      /* errors, or the warnings */
    struct case_rule *rules; /* sorted by name; names stand once */
    size_t rule_count;
    size_t suggested; /* wrong names that were compared with all rules so far */
    struct case_policy *next;
};

/* Zeroed is empty. The policies are in the order in which they were named. One thread. */
struct case_policies {
    struct arena arena;
    struct case_policy *first, *last;
};

/* The policy at `path`, loaded when nobody asked for it before; it may be unusable. NULL when
 * memory is out. */
struct case_policy *case_policies_get(struct case_policies *policies, const char *path) MUST_CHECK;

/* The index of the rule; false when the policy has none of that name. */
bool case_policy_rule(const struct case_policy *policy, struct str name, size_t *index);

/* The rule's name that was probably meant; "otherwise" counts. NULL: none, or a file has so many
 * wrong names that comparing them all would take long. */
const char *case_policy_suggest(struct case_policy *policy, struct str name,
                                char buf[READER_HINT_SIZE]);

void case_policies_free(struct case_policies *policies);

#endif
