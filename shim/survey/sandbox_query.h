/* SPDX-License-Identifier: Apache-2.0 */
/* Asks containerd, read-only, what sandboxes it has. */
#ifndef CRIGATE_SURVEY_SANDBOX_QUERY_H
#define CRIGATE_SURVEY_SANDBOX_QUERY_H

#include <pthread.h>

#include "gate/inspect_sandboxes.h"

struct queried_sandbox {
    struct sandbox_facts facts;
    struct str trouble; /* why containerd did not tell the namespaces of a ready sandbox; else
                           empty: a sandbox that is not ready is not asked about */
    bool gone;          /* since it was listed; sandbox_query_run() leaves these out */
};

struct sandbox_query {
    struct queried_sandbox *items; /* sorted by namespace, name, and the newest first */
    size_t count;
    struct arena arena; /* owns all of the above */
};

/* Lets another thread end a query. To be initialised with SANDBOX_QUERY_BRAKE. */
struct sandbox_query_brake {
    pthread_mutex_t lock; /* over both below */
    bool pulled;
    struct inquiry *running;
};
#define SANDBOX_QUERY_BRAKE               \
    {                                     \
        .lock = PTHREAD_MUTEX_INITIALIZER \
    }

struct sandbox_query_options {
    const char *socket; /* containerd's, an absolute path */
    int timeout_ms;
    struct sandbox_query_brake *brake; /* NULL: only the time ends it */
};

/*
 * Lists the sandboxes and asks for the namespaces of each that is ready, some at a time. Blocks for
 * at most about `timeout_ms`. Any thread; grpc_init() must have been called. -1: containerd could
 * not be asked, with what to do about it in `err`; otherwise the caller frees `query`.
 */
int sandbox_query_run(const struct sandbox_query_options *options, struct sandbox_query *query,
                      struct err *err) MUST_CHECK;
void sandbox_query_free(struct sandbox_query *query);

/* Any thread: the query that runs with this brake fails soon, and each later one at once. */
void sandbox_query_brake(struct sandbox_query_brake *brake);

#endif
