/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in, bytes out: carries one call of the kubelet to containerd and the answer back, without
 * a look at what it says. Payloads, status, metadata, deadline, cancellation and half-close pass as
 * they came. Loop thread only.
 *
 * A relay lies inside its owner. It counts the operations that gRPC still holds, and calls
 * `finished` once, when nothing is left that could touch it.
 */
#ifndef CRIGATE_GATE_RELAY_H
#define CRIGATE_GATE_RELAY_H

#include <time.h>

#include "base/str.h"
#include "gate/forward.h"
#include "gate/method.h"

/* What has just come in; owned by whoever holds it. */
struct relay_arrival {
    grpc_call *call;
    const struct method *method; /* of method_table(), NULL: none of them */
    struct timespec at;          /* CLOCK_MONOTONIC */
    grpc_slice path;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
};

struct relay;
typedef void relay_fn(struct relay *relay);

struct relay {
    struct relay_arrival in;
    struct upstream *upstream;
    struct loop *loop;
    grpc_call *out; /* to containerd; NULL until a request goes on */

    relay_fn *finished;  /* nothing is in flight any more: the owner releases the relay */
    relay_fn *answered;  /* the status is known and about to go back; may be NULL. `reply` then is
                            the one message of a unary call, or NULL, and another may be put in its
                            place; `request_part` is its request */
    relay_fn *abandoned; /* `cancelled` has become true; may be NULL */
    unsigned in_flight;
    size_t *answering; /* batches of all relays that have bytes for a kubelet and are not over */
    bool cancelled;    /* by the kubelet, or its connection is gone */

    /* What comes back. */
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *reply;
    grpc_status_code status;
    grpc_slice details;

    int closed_flag; /* gRPC's output of RECV_CLOSE_ON_SERVER */
    struct loop_op closed_op, answer_op, respond_op;

    /* Full duplex only; see relay.c. */
    grpc_byte_buffer *request_part;
    bool has_status, replies_over, answer_sent;
    struct loop_op headers_out_op, headers_in_op, request_read_op, request_sent_op, reply_read_op,
        reply_sent_op, greeting_op;
};

/* Takes over `arrival` and starts to watch for cancellation. One of the three functions below must
 * follow, now or later. `answering` is borrowed; the relays that share it count in it. */
void relay_begin(struct relay *relay, const struct relay_arrival *arrival,
                 struct upstream *upstream, struct loop *loop, size_t *answering,
                 relay_fn *finished);

/* One request, one reply: `request` (taken over, NULL if the kubelet sent none) goes on. */
void relay_unary(struct relay *relay, grpc_byte_buffer *request);

/* Any number of messages either way, in any order; at most one in memory a direction. */
void relay_duplex(struct relay *relay);

/* Answers without containerd. `message` is copied. */
void relay_refuse(struct relay *relay, grpc_status_code code, struct str message);

/* Keeps the relay from finishing while its owner waits for something of its own, such as the audit
 * log; each hold is followed by one relay_drop(), which may finish the relay. */
void relay_hold(struct relay *relay);
void relay_drop(struct relay *relay);

/* Releases everything the relay holds, the kubelet's call last. Only from `finished`, or later. */
void relay_end(struct relay *relay);

#endif
