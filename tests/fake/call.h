/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake's calls and the one loop that runs them: one thread, one completion queue, a list of
 * timers for delayed answers.
 */
#ifndef CRIGATE_TESTS_FAKE_CALL_H
#define CRIGATE_TESTS_FAKE_CALL_H

#include <grpc/grpc.h>
#include <stdbool.h>

#include "ledger.h"
#include "sandboxes.h"

struct call;

struct fake {
    grpc_completion_queue *queue;
    grpc_server *server;
    struct ledger ledger;
    struct sandboxes sandboxes;
    struct call *first_timer, *last_timer; /* by time, the earliest first */
};

/* What a completion's tag points to. */
struct call_op {
    void (*done)(struct call *call, bool ok);
    struct call *call;
};

/* Waits for one more call; it answers and frees itself, and lets the next in when it arrives. */
void call_await(struct fake *fake);

/* When the first timer is due, or never. */
gpr_timespec call_next_timer(const struct fake *fake);

/* Goes on with the calls whose timer is due. */
void call_run_timers(struct fake *fake);

#endif
