/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy in force follows its file: a new one is loaded whole or not at all, and put in force
 * on the loop, for the calls that arrive from then on. One thread at a time looks; between
 * live_policy_start() and the end of the loop.
 */
#ifndef CRIGATE_DAEMON_LIVE_POLICY_H
#define CRIGATE_DAEMON_LIVE_POLICY_H

#include "daemon/source.h"
#include "gate/call.h"

/* What the loop has seen of it. */
struct live_policy_view {
    uint64_t generation; /* policies in force since the start; 1: the first one still */
    int64_t since;       /* CLOCK_REALTIME, seconds: when the one in force came */
    uint64_t rejections;
    char *error; /* why what the file holds now was not taken; NULL: it is in force */
};

struct live_policy {
    struct source source;
    struct gate *gate;
    struct policy *newest;        /* the last one taken; the loop may not have it yet */
    bool refused;                 /* the file holds something else, which was not taken */
    struct live_policy_view view; /* the loop's */
};

/* `path` holds, or held just now, the policy of `gate`, which stays the loop's; its loop and audit
 * log are open. Both are borrowed. */
void live_policy_start(struct live_policy *live, const char *path, struct gate *gate);

/* Reads the file. Another good policy is put in force; of a bad one is told once, and the old one
 * stays. `asked`: a person wants to know, so that it is told also what has not changed. */
void live_policy_look(struct live_policy *live, bool asked);

/* Nobody looks any more. Zeroed is allowed. */
void live_policy_stop(struct live_policy *live);

#endif
