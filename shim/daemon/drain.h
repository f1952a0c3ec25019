/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the daemon leaves, so that a kubelet does not notice when another takes its place at the same
 * socket. First the calls that run get time to end, while new ones are served: nobody waits for
 * somebody else's long call. Once only young calls run, the socket is left to whoever holds it or
 * comes next, each peer is asked to connect anew, and what still comes is served until it has.
 * Loop thread only.
 */
#ifndef CRIGATE_DAEMON_DRAIN_H
#define CRIGATE_DAEMON_DRAIN_H

#include <time.h>

#include "gate/call.h"
#include "gate/listen.h"

/* Fill in what is above the line. */
struct drain {
    struct gate *gate;
    struct listener *listener;
    void (*over)(struct drain *drain); /* nothing runs any more, or time is up; told once */

    struct loop_op tick;
    struct timespec end;      /* of the time for calls */
    struct timespec patience; /* of the time for peers without a call */
    bool fresh;               /* the era began one tick ago */
    bool leaving;             /* the listener is stopped */
};

/* Calls get `seconds` to end. */
void drain_start(struct drain *drain, uint32_t seconds);

#endif
