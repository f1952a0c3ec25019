/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the wire and the policy: request bytes -> facts, decision -> request bytes. The only
 * user of protobuf-c in the gate. What is judged is what is sent: bytes that two decoders could
 * read differently are refused here, and the request that goes on is the one that came, to the
 * byte, but for its runtime_handler field.
 */
#ifndef CRIGATE_GATE_INSPECT_H
#define CRIGATE_GATE_INSPECT_H

#include "base/arena.h"
#include "base/err.h"
#include "gate/method.h"
#include "policy/facts.h"

enum inspect_method { INSPECT_RUN_POD_SANDBOX, INSPECT_RESTORE_POD };

/* Where the runtime_handler field stands in the request: [start, end) holds its tag, length and
 * value; both are the request's length when the request has none. */
struct inspect_span {
    size_t start, end;
};

/*
 * Reads the facts of a request. `pod` borrows from `request` and `arena`. -1: malformed, `err` says
 * what and at which field; such a request must not be forwarded. Or memory is out, which is told
 * the same way. `pod` is then empty or half read: good for a record, never for a decision.
 */
int inspect_pod(enum inspect_method method, struct str request, struct arena *arena,
                struct pod_facts *pod, struct inspect_span *handler, struct err *err) MUST_CHECK;

/*
 * The field to be put in place of the span: tag, length and `handler`, into `buf`.
 * The request that goes on is request[0, start) + these bytes + request[end, ...).
 * Returns the bytes written, 0 when they do not fit.
 */
size_t inspect_handler_field(enum inspect_method method, struct str handler, unsigned char *buf,
                             size_t size) MUST_CHECK;

/* The sandbox id in a reply of either method, empty when there is none or the reply is not what
 * it should be. Borrows from `reply`. */
struct str inspect_sandbox_id(struct str reply);

#endif
