/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One RPC from arrival to status: the only place that joins the steps. A call that picks a runtime,
 * or puts a container into one, is inspected, judged, recorded, and only then forwarded or refused;
 * every other call of a CRI service is relayed as it is, but for the runtimes' names in images and
 * in Status; other services are refused. Loop thread only.
 */
#ifndef CRIGATE_GATE_CALL_H
#define CRIGATE_GATE_CALL_H

#include "audit/audit.h"
#include "gate/census.h"
#include "gate/method.h"
#include "gate/peers.h"
#include "gate/relay.h"
#include "node/labels.h"

/* What all calls share. The objects are borrowed; what stands at the end is the calls' own. A call
 * takes one policy and one set of labels when it arrives and keeps them to its record. */
struct gate {
    struct loop *loop;
    struct upstream *upstream;
    struct census *census;
    struct audit *audit;
    const struct peers *peers;
    struct policy *policy;
    struct node_labels *labels;
    bool stopping; /* set from outside: calls that arrive are turned away with UNAVAILABLE */

    uint64_t requests;          /* numbers the judged calls */
    size_t served, turned_away; /* calls that have arrived and are not over */
    struct loop_op *when_served, *when_over;
    bool status_warned; /* of a Status that cannot be read */
};

/* Takes over `arrival` and `payload` (NULL: none was sent, or not read yet). */
void call_arrived(struct gate *gate, enum method_kind kind, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload);

/* Runs `op` once no call is left but those turned away; now if there is none. */
void call_when_served(struct gate *gate, struct loop_op *op);

/* Runs `op` once no call is left at all: gRPC reports its server as shut down while the way to
 * containerd of a cancelled call still ends. */
void call_when_over(struct gate *gate, struct loop_op *op);

#endif
