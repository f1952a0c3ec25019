/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash bits that tell most rules that cannot match without looking at their terms: all 10,000
 * filters of a large policy are read for a pod, but only a few of its rules. A pair is a key with
 * its value; annotations, namespaces and names stand for the globs over them, by their heads.
 */
#ifndef CRIGATE_POLICY_FILTER_H
#define CRIGATE_POLICY_FILTER_H

#include "policy/compiled.h"

struct filter {
    /* Bits that a pod must all have; 0 asks for nothing. */
    uint64_t pod_keys, pod_pairs, annotation_keys, node_keys, node_pairs;
    /* Bits of which a pod must have one; all ones ask for nothing. */
    uint64_t pod_any_pair, annotations, namespaces, names;
    uint32_t runtimes;
    uint16_t flags_on, flags_off; /* ability bits that must be set, and must not */
};

/* The filter of a rule without terms: it passes every pod. */
struct filter filter_of_any(void);

/* Narrow the filter of a rule by one more of its terms. */
void filter_add_label(struct filter *filter, const struct label_term *term);
void filter_add_globs(struct filter *filter, enum term_kind kind, const struct globs_term *globs);

/* The bit of `runtimes` that stands for a runtime. */
uint32_t filter_runtime_bit(const struct policy *policy, const struct policy_runtime *runtime);

/* The pod's side: each bit that it has. */
struct filter filter_of_pod(const struct policy *policy, const struct question *question);

/* True only when a rule of filter `wide` may cover one of filter `narrow`. */
bool filter_may_cover(const struct filter *wide, const struct filter *narrow);

/* False only when the rule of `filter` is surely MATCH_NO. */
static inline bool filter_passes(const struct filter *filter, const struct filter *pod)
{
    uint64_t missing =
        (filter->pod_keys & ~pod->pod_keys) | (filter->pod_pairs & ~pod->pod_pairs) |
        (filter->annotation_keys & ~pod->annotation_keys) | (filter->node_keys & ~pod->node_keys) |
        (filter->node_pairs & ~pod->node_pairs) | (unsigned)(filter->flags_on & ~pod->flags_on) |
        (unsigned)(filter->flags_off & pod->flags_on);
    return (missing == 0) & ((filter->pod_any_pair & pod->pod_any_pair) != 0) &
           ((filter->annotations & pod->annotations) != 0) &
           ((filter->namespaces & pod->namespaces) != 0) & ((filter->names & pod->names) != 0) &
           ((filter->runtimes & pod->runtimes) != 0);
}

#endif
