/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unary gRPC call at a time to a CRI runtime, over one connection that is kept and made again
 * when it breaks. One thread.
 */
#ifndef CRIGATE_TESTS_E2E_RPC_H
#define CRIGATE_TESTS_E2E_RPC_H

#include "base/err.h"
#include "base/own.h"

#include <protobuf-c/protobuf-c.h>

struct rpc;

/* A client of `endpoint` (unix:///path); connects at the first call. Never NULL. */
struct rpc *rpc_new(const char *endpoint);

/* Safe on NULL. */
void rpc_free(struct rpc *rpc);

DEFINE_OWNED(own_rpc, struct rpc, rpc_free)

/* Calls go to the package runtime.`version` from now on; "v1" until told otherwise. Borrowed. */
void rpc_set_version(struct rpc *rpc, const char *version);

/* The next calls fail with DEADLINE_EXCEEDED after `seconds`; 120 until told otherwise. */
void rpc_set_timeout(struct rpc *rpc, long seconds);

/*
 * Calls `method` ("RuntimeService/Version"). On success *reply is a message of
 * `reply_type`, which the caller frees with protobuf_c_message_free_unpacked(). On failure returns
 * -1 and `err` reads "CODE: the status message".
 */
int rpc_call(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
             const ProtobufCMessageDescriptor *reply_type, ProtobufCMessage **reply,
             struct err *err) MUST_CHECK;

#endif
