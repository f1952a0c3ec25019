/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxes of a node against a policy: which of them drift. */
#ifndef CRIGATE_SURVEY_JUDGE_H
#define CRIGATE_SURVEY_JUDGE_H

#include "node/labels.h"
#include "policy/policy.h"
#include "survey/sandbox_query.h"

enum standing {
    STANDING_UNKNOWN, /* the policy's choice, or what runs, cannot be told */
    STANDING_DRIFT,   /* the policy would refuse it, or run it under another runtime */
    STANDING_SAME,
    STANDING_NOT_JUDGED, /* it is not ready: nothing runs */
};

struct judged_sandbox {
    const struct queried_sandbox *sandbox;
    const struct policy_runtime *runtime; /* what it runs under; NULL: not declared by that name, or
                                             not known */
    enum standing standing;
    struct verdict verdict; /* filled if `has_verdict` */
    bool has_verdict;       /* all that the policy asks about is known, node labels apart */
};

/* Of the ready ones, except for `not_ready`. */
struct survey_tally {
    size_t ready, not_ready;
    size_t sandboxed, host_kernel, unknown_isolation;
    size_t drifted, unknown;
};

/* All borrowed but `items`, which borrow from the query and the policy. */
struct survey {
    const struct policy *policy;
    const struct node_labels *labels;
    struct judged_sandbox *items; /* in the order of the query */
    size_t count;
    struct survey_tally tally;
};

/*
 * Judges each sandbox of `query` into a zeroed survey, as if it asked for the runtime that it has:
 * containerd does not keep what it asked for. A policy that only observes is taken as if it were
 * enforced. Any thread. -1: memory is out; else survey_free() is due.
 */
int survey_judge(const struct sandbox_query *query, const struct policy *policy,
                 const struct node_labels *labels, struct survey *survey) MUST_CHECK;

/* A zeroed one is allowed, and what it is afterwards. */
void survey_free(struct survey *survey);

#endif
