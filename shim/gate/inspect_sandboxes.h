/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containerd says of its sandboxes: ListPodSandbox, PodSandboxStatus and RemovePodSandbox.
 * Containerd is trusted: unknown and odd fields are passed over, only what cannot be read at all is
 * an error. Any thread.
 */
#ifndef CRIGATE_GATE_INSPECT_SANDBOXES_H
#define CRIGATE_GATE_INSPECT_SANDBOXES_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/facts.h"

/*
 * The handler of a sandbox, here and below, is containerd's own name for its runtime, and "" when
 * none was asked for. Containerd tells what was asked for; an untrusted pod's annotation stands for
 * the handler `untrusted`, which it runs under (containerd, pkg/cri/server/sandbox_run.go: the
 * metadata's RuntimeHandler is the request's, getSandboxRuntime() reads the annotation).
 */
struct sandbox_facts {
    struct str id;
    struct str handler;
    bool ready;
    int64_t created_at;   /* ns since 1970 */
    struct pod_facts pod; /* as far as the answer tells: a list lacks the namespaces; its handler is
                             the sandbox's */
};

/* A PodSandboxStatusRequest, RemovePodSandboxRequest or StopPodSandboxRequest for `id`, in `arena`.
 * An empty `data` pointer: memory is out. */
struct str inspect_sandbox_request(struct str id, struct arena *arena) MUST_CHECK;

/* The sandbox id that such a request names; empty when there is none or it is malformed. */
struct str inspect_requested_sandbox(struct str request);

/* Id and handler of each sandbox in a ListPodSandboxResponse, without an allocation; the cheap way
 * for the table. -1: the reply is broken; what came before has been told. */
typedef void inspect_sandbox_fn(void *cookie, struct str id, struct str handler);
int inspect_sandbox_list(struct str reply, inspect_sandbox_fn *each, void *cookie,
                         struct err *err) MUST_CHECK;

/* Id and handler in a PodSandboxStatusResponse. -1: broken, or without an id. */
int inspect_sandbox_status(struct str reply, struct str *id, struct str *handler,
                           struct err *err) MUST_CHECK;

/* All of a ListPodSandboxResponse, sorted as it came; borrows from `reply` and `arena`. */
int inspect_sandboxes(struct str reply, struct arena *arena, struct sandbox_facts **list,
                      size_t *count, struct err *err) MUST_CHECK;

/* What a PodSandboxStatusResponse tells beyond the list: the namespaces, into `sandbox->pod`. */
int inspect_sandbox_namespaces(struct str reply, struct arena *arena, struct sandbox_facts *sandbox,
                               struct err *err) MUST_CHECK;

#endif
