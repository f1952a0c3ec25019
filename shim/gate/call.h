/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One RPC from arrival to status: the only place that joins the steps. A call that picks a runtime
 * is inspected, judged, recorded, and only then forwarded or refused; every other call of a CRI
 * service is relayed as it is; other services are refused. Loop thread only.
 */
#ifndef CRIGATE_GATE_CALL_H
#define CRIGATE_GATE_CALL_H

#include "audit/audit.h"
#include "gate/method.h"
#include "gate/peers.h"
#include "gate/relay.h"
#include "node/labels.h"

/* What all calls share; borrowed. A call takes one policy and one set of labels when it arrives
 * and keeps them to its record. */
struct gate {
    struct loop *loop;
    struct upstream *upstream;
    struct audit *audit;
    const struct peers *peers;
    struct policy *policy;
    struct node_labels *labels;
    uint64_t requests;         /* numbers the judged calls */
    size_t calls;              /* that have arrived and are not over */
    struct loop_op *when_idle; /* set by call_when_idle() */
};

/* Takes over `arrival` and `payload` (NULL: none was sent, or not read yet). */
void call_arrived(struct gate *gate, enum method_kind kind, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload);

/* Runs `op` once no call is left, now if there is none: gRPC reports its server as shut down while
 * the way to containerd of a cancelled call still ends. */
void call_when_idle(struct gate *gate, struct loop_op *op);

#endif
