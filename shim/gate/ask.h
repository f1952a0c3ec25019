/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions of the gate's own to containerd: one unary call, told back on the loop. Loop thread
 * only.
 */
#ifndef CRIGATE_GATE_ASK_H
#define CRIGATE_GATE_ASK_H

#include "base/str.h"
#include "gate/forward.h"

/* What containerd answered; borrowed for the length of the call. */
struct answer {
    grpc_status_code code;
    struct str message; /* of the status, explained as upstream_explain() does */
    struct str reply;   /* empty unless the code is OK */
};

typedef void ask_fn(void *cookie, const struct answer *answer);

struct ask_options {
    const char *path; /* static, "/runtime.v1.RuntimeService/ListPodSandbox" */
    struct str request;
    int timeout_ms;
};

/*
 * Asks. `answered` runs once, later, and always, unless this returns -1 (memory is out); its status
 * is CANCELLED after ask_cancel(). `*ask` (may be NULL) is valid until then.
 */
struct ask;
int ask_containerd(struct upstream *upstream, const struct ask_options *options, ask_fn *answered,
                   void *cookie, struct ask **ask, struct err *err) MUST_CHECK;
void ask_cancel(struct ask *ask);

#endif
