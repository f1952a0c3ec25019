/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon at one moment, taken on its loop and read on another thread. */
#ifndef CRIGATE_STATUS_SNAPSHOT_H
#define CRIGATE_STATUS_SNAPSHOT_H

#include "base/arena.h"
#include "gate/stats.h"
#include "node/labels.h"
#include "survey/judge.h"

struct snapshot_runtime {
    struct str handler; /* empty: the sandbox named none */
    size_t sandboxes;
};

/* What containerd told of its sandboxes, by this snapshot's policy and labels. It is added by who
 * shows it, and good until that adds it to the next. */
struct snapshot_drift {
    bool known; /* false: containerd has told nothing yet */
    struct survey survey;
    uint64_t age_s;
    const char
        *trouble; /* why containerd could not be asked last; NULL: it could, or was not yet */
};

struct snapshot {
    struct arena arena;   /* of the texts and lists */
    int64_t now, started; /* CLOCK_REALTIME, seconds */
    const char *node, *listen, *upstream, *audit_file;

    struct stats *stats; /* a copy */
    bool upstream_up;
    size_t connections;
    uint64_t peers_refused;

    struct policy *policy;
    uint64_t policy_generation; /* 1 is that of the start */
    int64_t policy_since;
    uint64_t policy_rejections;
    const char
        *policy_error; /* of the file as it is now; NULL: the policy in force is the file's */

    struct node_labels *labels;
    const char *labels_source; /* static */
    uint64_t labels_age_s;

    struct snapshot_runtime *runtimes;
    size_t runtime_count;
    bool sandboxes_listed; /* by containerd, since the start */

    struct audit_view audit;

    struct snapshot_drift drift;
};

/* Frees it and what it holds. NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);
DEFINE_OWNED(own_snapshot, struct snapshot, snapshot_free)

/* What a load balancer or a person asks first; each is a condition of /readyz. */
struct snapshot_check {
    const char *name;
    bool holds;
    char text[256]; /* a sentence */
};

enum { SNAPSHOT_CHECKS = 4 };

/* False: one of them does not hold. */
bool snapshot_check(const struct snapshot *snapshot, struct snapshot_check checks[SNAPSHOT_CHECKS]);

#endif
