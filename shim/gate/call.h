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
#include "gate/stats.h"
#include "node/labels.h"

/* What all calls share. The objects are borrowed; what stands at the end is the calls' own. A call
 * takes one policy and one set of labels when it arrives and keeps them to its record. */
struct gate {
    struct loop *loop;
    struct upstream *upstream;
    struct census *census;
    struct audit *audit;
    const struct peers *peers;
    struct stats *stats;
    struct policy *policy;
    struct node_labels *labels;

    uint64_t requests; /* numbers the judged calls */
    unsigned era;      /* 0 or 1: the calls that arrive now belong to it */
    size_t served[2];  /* calls of each era that have arrived and are not over */
    size_t answering;  /* batches with bytes for a kubelet that are not over */
    struct loop_op *when_over;
    bool status_warned; /* of a Status that cannot be read */
};

/* Takes over `arrival` and `payload` (NULL: none was sent, or not read yet). */
void call_arrived(struct gate *gate, enum method_kind kind, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload);

/* A new era begins; the one before last is over: none of its calls runs. So it can be told when all
 * that arrived before a moment are over, while others go on arriving. */
void call_begin_era(struct gate *gate);

/* Calls that arrived before this era, and all calls, that are not over. */
size_t call_count_older(const struct gate *gate);
size_t call_count(const struct gate *gate);

/* Runs `op` once no call is left; now if there is none. gRPC reports its server as shut down while
 * the way to containerd of a cancelled call still ends. */
void call_when_over(struct gate *gate, struct loop_op *op);

#endif
