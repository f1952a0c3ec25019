/* SPDX-License-Identifier: Apache-2.0 */
/* One CRI call through the gate, waited for. grpc_init() must have been called; one thread. */
#ifndef CRIGATE_CLI_VERIFY_CALL_H
#define CRIGATE_CLI_VERIFY_CALL_H

#include "base/arena.h"
#include "gate/ask.h"

#define VERIFY_RUNTIME "/runtime.v1.RuntimeService/"
#define VERIFY_IMAGE "/runtime.v1.ImageService/"

/* Whether somebody answers at the gate's socket. -1: nobody; `err` says what to do. */
int verify_gate_is_there(const char *socket, struct err *err) MUST_CHECK;

/*
 * Calls `path` (static) and waits for at most `timeout_ms`. The answer is in `arena`; what goes
 * wrong on this side (`request` has no data because memory is out, say) is told as a status too.
 */
struct answer verify_call(const char *socket, const char *path, struct str request, int timeout_ms,
                          struct arena *arena) MUST_CHECK;

#endif
