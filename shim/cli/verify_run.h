/* SPDX-License-Identifier: Apache-2.0 */
/* A probe pod from its start to its end, through the gate. grpc_init() must have been called. */
#ifndef CRIGATE_CLI_VERIFY_RUN_H
#define CRIGATE_CLI_VERIFY_RUN_H

#include "cli/verify_message.h"
#include "cli/verify_proof.h"

#define VERIFY_NAMESPACE "crigate-verify"

/* What a probe is made of. All borrowed, none NULL; the words end with a NULL. */
struct probe_setup {
    const char *gate;        /* its socket */
    const char *image;       /* a name or an id that containerd has */
    const char *const *keep; /* runs in the container until it is killed */
    const char *const *ask;  /* prints what kernel_evidence_read() reads */
    const char *uid;         /* of the pods of this run */
};

/* The pod that probe_run() asks for first, for who wants to know how it is judged. */
struct probe_pod probe_pod_first(const struct probe_setup *setup, const char *name);

/*
 * Runs a pod under `handler`, asks it, and removes it. What it found is in `arena`. It may take
 * several pods: a kubelet removes pods that it does not know. -1: pods are left behind that could
 * not be removed; `err` says which and how to.
 */
int probe_run(const struct probe_setup *setup, const char *name, const char *handler,
              struct arena *arena, struct probe_result *result, struct err *err) MUST_CHECK;

/* Removes what an earlier run has left; `*removed` counts the pods. -1 as above, or nobody answers.
 */
int probe_sweep(const char *gate, size_t *removed, struct err *err) MUST_CHECK;

#endif
