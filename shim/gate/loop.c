/* SPDX-License-Identifier: Apache-2.0 */
/* The completion queue: the only grpc_completion_queue_next() of the project. */
#include "gate/loop.h"

#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gate/abseil.h"

struct loop {
    grpc_completion_queue *queue;
    /*
     * gRPC C core has no public alarm. Watching the state of a channel that never connects is one:
     * the watch ends at its deadline, from any thread, and posts its tag.
     */
    grpc_channel *alarm;
    _Atomic(struct loop_op *) posted; /* newest first; the alarm is on its way while not empty */
    struct loop_op wake;
};

static struct loop_op *oldest_first(struct loop_op *newest)
{
    struct loop_op *list = NULL;
    while (newest) {
        struct loop_op *older = newest->next;
        newest->next = list;
        list = newest;
        newest = older;
    }
    return list;
}

static void on_wake(struct loop_op *wake, bool ok)
{
    struct loop *loop = container_of(wake, struct loop, wake);
    (void)ok;
    struct loop_op *op = oldest_first(atomic_exchange(&loop->posted, NULL));
    while (op) {
        struct loop_op *next = op->next; /* done() may free the operation, or post it again */
        op->done(op, false);
        op = next;
    }
}

int loop_create(struct loop **loop, struct err *err)
{
    OWNED(own_loop) struct loop *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "the loop: out of memory");
    abseil_ignore_lock_cycles();
    made->wake.done = on_wake;
    made->queue = grpc_completion_queue_create_for_next(NULL);
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    made->alarm = grpc_channel_create("unix:/nonexistent/crigate-alarm", insecure, NULL);
    grpc_channel_credentials_release(insecure);
    if (!made->queue || !made->alarm)
        return err_set(err, "the loop: gRPC gives no completion queue");
    *loop = steal_ptr(&made);
    return 0;
}

grpc_completion_queue *loop_queue(struct loop *loop)
{
    return loop->queue;
}

void loop_post(struct loop *loop, struct loop_op *op)
{
    struct loop_op *newest = atomic_load(&loop->posted);
    do {
        op->next = newest;
    } while (!atomic_compare_exchange_weak(&loop->posted, &newest, op));
    if (!newest) /* later posts ride along with the first */
        grpc_channel_watch_connectivity_state(loop->alarm, GRPC_CHANNEL_IDLE,
                                              gpr_inf_past(GPR_CLOCK_MONOTONIC), loop->queue,
                                              &loop->wake);
}

void loop_after(struct loop *loop, struct loop_op *op, int milliseconds)
{
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                         gpr_time_from_millis(milliseconds, GPR_TIMESPAN));
    grpc_channel_watch_connectivity_state(loop->alarm, GRPC_CHANNEL_IDLE, deadline, loop->queue,
                                          op);
}

void loop_run(struct loop *loop)
{
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(loop->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return;
        if (event.type == GRPC_OP_COMPLETE) {
            struct loop_op *op = event.tag;
            op->done(op, event.success);
        }
    }
}

void loop_stop(struct loop *loop)
{
    /* Leaving the idle state ends every timer that still waits; the queue shuts down only then. */
    grpc_channel_check_connectivity_state(loop->alarm, 1);
    grpc_completion_queue_shutdown(loop->queue);
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->alarm)
        grpc_channel_destroy(loop->alarm);
    if (loop->queue) {
        grpc_completion_queue_shutdown(loop->queue);
        grpc_completion_queue_destroy(loop->queue);
    }
    free(loop);
}
