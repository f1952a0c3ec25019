/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's one completion queue and the one thread that reads it. Each operation handed to gRPC
 * carries a `struct loop_op` as its tag; its function runs on the loop's thread when the operation
 * is over. All state of all calls belongs to that thread.
 */
#ifndef CRIGATE_GATE_LOOP_H
#define CRIGATE_GATE_LOOP_H

#include <grpc/grpc.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"

struct loop;

/* A tag. It lies inside the object that waits; container_of() leads back. `ok` is gRPC's: whether
 * the batch as a whole went through. */
struct loop_op {
    void (*done)(struct loop_op *op, bool ok);
    struct loop_op *next; /* the loop's, while the operation is posted */
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* grpc_init() must have been called. */
int loop_create(struct loop **loop, struct err *err) MUST_CHECK;

/* The queue that servers and calls bind to. */
grpc_completion_queue *loop_queue(struct loop *loop);

/* Runs `op->done(op, false)` on the loop soon. From any thread. `op` must not be waiting already.
 */
void loop_post(struct loop *loop, struct loop_op *op);

/* The same after `milliseconds`, or at loop_stop() if that comes first. */
void loop_after(struct loop *loop, struct loop_op *op, int milliseconds);

/* Dispatches until loop_stop() was called and every operation has come back. */
void loop_run(struct loop *loop);

/* Ends loop_run() once nothing is left; no new operation may be started afterwards. Only on the
 * loop's thread. */
void loop_stop(struct loop *loop);

/* Only after loop_run() has returned, or if it never ran. NULL is allowed. */
void loop_destroy(struct loop *loop);
DEFINE_OWNED(own_loop, struct loop, loop_destroy)

#endif
