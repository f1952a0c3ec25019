/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs on the node, asked of containerd now and then by a thread of its own: who looks gets
 * what it told last, and never waits for it. Nobody looks, nobody asks.
 */
#ifndef CRIGATE_SURVEY_WATCH_H
#define CRIGATE_SURVEY_WATCH_H

#include "survey/sandbox_query.h"

struct survey_watch;

/* Valid until the next look. */
struct survey_view {
    const struct sandbox_query *query; /* NULL: containerd has told nothing yet */
    uint64_t age_s;                    /* since that question was asked */
    const char *trouble; /* why the last question came to nothing, foreign text; NULL: it did not,
                            or none has been answered yet */
};

/* `socket` is containerd's, borrowed until the end; it need not be there yet. grpc_init() must have
 * been called, and grpc_shutdown() comes after survey_watch_destroy(). -1: no thread, no memory. */
int survey_watch_start(const char *socket, struct survey_watch **watch, struct err *err) MUST_CHECK;

/* What is known. If that is older than ten seconds, containerd is asked again, for a later look.
 * One thread only. */
void survey_watch_look(struct survey_watch *watch, struct survey_view *view);

/* When nobody looks any more. A question on its way is given up. NULL is allowed. */
void survey_watch_destroy(struct survey_watch *watch);
DEFINE_OWNED(own_survey_watch, struct survey_watch, survey_watch_destroy)

#endif
