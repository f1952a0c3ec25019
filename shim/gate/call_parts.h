/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ways of calls share: a plain call, a judged one with its two records, the ends of both.
 * Only for the files of this room. Loop thread only.
 */
#ifndef CRIGATE_GATE_CALL_PARTS_H
#define CRIGATE_GATE_CALL_PARTS_H

#include "gate/call.h"
#include "gate/inspect_image.h"
#include "gate/judgement.h"
#include "gate/payload.h"

/* --- plain calls --------------------------------------------------------------------------- */

/* A call without a decision. It lives in the memory of its own gRPC call, so that arriving costs no
 * allocation of ours; the judged ones do, too. */
struct call {
    struct relay relay;
    struct gate *gate;
    unsigned era;
};

/* Takes over `arrival`. `finished` ends it: call_end_plain(), or the caller's own. */
struct call *call_begin(struct gate *gate, const struct relay_arrival *arrival, relay_fn *finished);
void call_end_plain(struct relay *relay);

/* Counts a call that arrives; its era, for call_end(). */
unsigned call_enter(struct gate *gate);

/* Counts the call out, and releases the relay. Last: the call's memory goes with it. */
void call_end(struct gate *gate, struct relay *relay, unsigned era);

/* Runs what waits for the end of all calls, if it need not wait any longer. */
void call_tell_waiting(struct gate *gate);

/* False when the connection is not one of ours, which does not happen. */
bool call_find_peer(const struct gate *gate, grpc_call *call, struct audit_peer *peer);

/* --- judged calls -------------------------------------------------------------------------- */

struct judged_call;

/* What differs between the judged calls. */
struct judged_kind {
    /* The request that goes on, the caller's. NULL: it cannot be made, and `err` says why. */
    grpc_byte_buffer *(*request)(struct judged_call *call, struct err *err);
    /* The answer is known and about to go back. May be NULL. */
    void (*answered)(struct judged_call *call);
    /* What the answer tells of what began, for the second record; borrows from the reply. */
    struct str (*made)(struct str reply);
};

struct judged_call {
    struct relay relay;
    struct gate *gate;
    unsigned era;
    const struct judged_kind *kind;
    struct policy *policy;
    struct node_labels *labels;
    struct judgement judgement;
    grpc_slice request; /* in one piece: what is judged and what is sent */
    bool has_request;   /* false: the kubelet closed its side without one */
    struct arena arena; /* of the facts */
    struct loop_op recorded_op;
    bool recorded;
    struct err record_error;
    grpc_slice reply;
    uint64_t duration_us;
};

/* Fills all of `call`, which lies in the memory of arrival's gRPC call; takes over both others. */
void judged_begin(struct judged_call *call, const struct judged_kind *kind, struct gate *gate,
                  const struct relay_arrival *arrival, grpc_byte_buffer *payload);

/* The judgement is made: it is recorded, and then the call goes on or is refused. Once. */
void judged_decided(struct judged_call *call);

/* --- the ways ------------------------------------------------------------------------------ */

/* All take over `arrival` and `payload`. */
void pod_call_run(struct gate *gate, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload);
void pod_call_restore(struct gate *gate, const struct relay_arrival *arrival,
                      grpc_byte_buffer *payload);
void pod_call_remove(struct gate *gate, const struct relay_arrival *arrival,
                     grpc_byte_buffer *payload);
void container_call(struct gate *gate, const struct relay_arrival *arrival,
                    grpc_byte_buffer *payload);
void image_call(struct gate *gate, enum inspect_image_in where, const struct relay_arrival *arrival,
                grpc_byte_buffer *payload);
void status_call(struct gate *gate, const struct relay_arrival *arrival, grpc_byte_buffer *payload);

#endif
