/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxes of a node against today's policy, and how `crigate ps` prints that. */
#ifndef CRIGATE_CLI_PS_REPORT_H
#define CRIGATE_CLI_PS_REPORT_H

#include <jansson.h>

#include "cli/sandbox_query.h"
#include "cli/table.h"
#include "node/labels.h"
#include "policy/policy.h"

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
struct ps_tally {
    size_t ready, not_ready;
    size_t sandboxed, host_kernel, unknown_isolation;
    size_t drifted, unknown;
};

/* All borrowed but `items`. */
struct ps_report {
    const struct policy *policy;
    const struct node_labels *labels;
    const char *labels_trouble; /* why they are not known; "" when they are */
    int64_t now;                /* CLOCK_REALTIME, ns */
    struct judged_sandbox *items;
    size_t count;
    struct ps_tally tally;
};

/* Judges each sandbox of `query` into report->items, for which it makes room; the fields above it
 * are the caller's to fill. -1: memory is out; else ps_report_free() is due. */
int ps_report_judge(const struct sandbox_query *query, struct ps_report *report) MUST_CHECK;
void ps_report_free(struct ps_report *report);

/* A table and what must be said about it. -1: memory is out. */
int ps_report_print(const struct ps_report *report, const struct table_look *look,
                    FILE *out) MUST_CHECK;

/* The same as an object, the caller's; NULL when memory is out. */
json_t *ps_report_json(const struct ps_report *report) MUST_CHECK;

#endif
