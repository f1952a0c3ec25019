/* SPDX-License-Identifier: Apache-2.0 */
/* Asks containerd, read-only, what sandboxes it has. */
#ifndef CRIGATE_SURVEY_SANDBOX_QUERY_H
#define CRIGATE_SURVEY_SANDBOX_QUERY_H

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

/*
 * Lists the sandboxes and asks for the namespaces of each that is ready, some at a time. Blocks for
 * at most about `timeout_ms`. grpc_init() must have been called. -1: containerd could not be asked,
 * with what to do about it in `err`; otherwise the caller frees `query`.
 */
int sandbox_query_run(const char *socket, int timeout_ms, struct sandbox_query *query,
                      struct err *err) MUST_CHECK;
void sandbox_query_free(struct sandbox_query *query);

#endif
