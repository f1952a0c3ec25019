/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the table of sandboxes true to containerd: by the answers to the kubelet's calls, by a list
 * at the start and each time containerd comes back, and by a question for one that is not in it.
 * Loop thread only.
 */
#ifndef CRIGATE_GATE_CENSUS_H
#define CRIGATE_GATE_CENSUS_H

#include "gate/ask.h"

struct census;

/* `upstream` and `loop` are borrowed and outlive the census. NULL: memory is out. */
struct census *census_create(struct upstream *upstream, struct loop *loop) MUST_CHECK;

/* Only before the start, or after loop_run() has returned. NULL is allowed. */
void census_destroy(struct census *census);
DEFINE_OWNED(own_census, struct census, census_destroy)

/* Connects to containerd, which need not be there yet, and reads the list. loop_run() must follow.
 */
void census_start(struct census *census);

/* Closes the upstream, too, since it waits for its changes: after the last call, before
 * loop_stop(). Also without a start. */
void census_stop(struct census *census);

/* A sandbox began under `handler`, as containerd was told; or it is gone. */
void census_put(struct census *census, struct str id, struct str handler);
void census_drop(struct census *census, struct str id);

/* Tells the handler of each sandbox that is known. False: containerd has not listed them yet. */
bool census_each(const struct census *census, void (*tell)(void *cookie, struct str handler),
                 void *cookie);

/* What is known of a sandbox; borrowed for the length of the call. */
struct census_finding {
    grpc_status_code
        code;           /* OK: containerd has it; else its answer, CANCELLED after ask_cancel() */
    struct str id;      /* with OK: all of it, where only a unique beginning was asked for */
    struct str handler; /* with OK: containerd's name for its runtime; "": none was asked for */
    struct str message; /* without: why not */
};

typedef void census_fn(void *cookie, const struct census_finding *finding);

/*
 * Tells of the sandbox `id`, once: before this returns if the table has it, and NULL is returned;
 * else when containerd has answered, within `timeout_ms`, and the question is returned, valid until
 * then. When containerd cannot even be asked, that is told at once, too.
 */
struct ask *census_find(struct census *census, struct str id, int timeout_ms, census_fn *found,
                        void *cookie);

#endif
