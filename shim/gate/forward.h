/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out: the one channel to containerd, outgoing calls on it, and the rules of what passes
 * from one side's metadata to the other's. Loop thread only.
 */
#ifndef CRIGATE_GATE_FORWARD_H
#define CRIGATE_GATE_FORWARD_H

#include "gate/loop.h"

struct upstream;

/* `socket` is the absolute path of containerd's socket; it need not be there yet. */
int upstream_create(const char *socket, struct loop *loop, struct upstream **upstream,
                    struct err *err) MUST_CHECK;
/* After the last call on it. NULL is allowed. */
void upstream_destroy(struct upstream *upstream);
DEFINE_OWNED(own_upstream, struct upstream, upstream_destroy)

/* A new call of `path` (borrowed) with an absolute deadline; the caller unrefs it. */
grpc_call *upstream_call(struct upstream *upstream, grpc_slice path, gpr_timespec deadline);

/* The channel's state; with `connect`, one that is idle begins to connect. */
grpc_connectivity_state upstream_state(struct upstream *upstream, bool connect);

/* Runs `op` once the state is another than `seen`, at the latest at upstream_close(). */
void upstream_watch(struct upstream *upstream, grpc_connectivity_state seen, struct loop_op *op);

/* Ends the channel, and with it what waits for its state, so that the loop can end. After the last
 * call; there can be no other. */
void upstream_close(struct upstream *upstream);

/*
 * Says in place of gRPC's own words, which do not always name it, that containerd's socket cannot
 * be reached: replaces `*details` (owned) if `status` and the channel's state say so. Containerd's
 * own UNAVAILABLE, received over a working connection, stays as it is.
 */
void upstream_explain(struct upstream *upstream, grpc_status_code status,
                      const grpc_metadata_array *trailing, grpc_slice *details);

/* Drops in place what belongs to one connection and not to the call, such as user-agent, and what
 * gRPC C core takes in but cannot send (a value with bytes outside printable ASCII). The dropped
 * entries' bytes belong to the call they came with, as the others' do. */
void metadata_strip(grpc_metadata_array *metadata);

#endif
