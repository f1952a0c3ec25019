/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node's kubelet is told which runtime's socket to speak to, and the edits that tell it. */
#ifndef CRIGATE_SETUP_KUBELET_H
#define CRIGATE_SETUP_KUBELET_H

#include "setup/edit.h"

#define KUBELET_EDITS_MAX 8

struct kubelet_request {
    const char *root;     /* "" is this machine */
    const char *path;     /* of the configuration, without the root; NULL: to be found */
    const char *upstream; /* absolute path of containerd's socket */
    const char *listen;   /* of the gate's */
};

struct kubelet_plan {
    const char *where;    /* the configuration file that counts; NULL: there is none yet */
    const char *endpoint; /* "unix://" and the gate's socket */
    struct edit edits[KUBELET_EDITS_MAX];
    size_t count; /* 0: it is told already */
};

/*
 * Reads, changes nothing. A flag wins over the configuration file, and a file of --config-dir over
 * that of --config (kubernetes.io, "Set kubelet parameters via a configuration file"), so each
 * place that names a socket is changed. -1: something else decides; `err` says what, and what to
 * do. All lives in `arena`.
 */
int kubelet_plan_make(const struct kubelet_request *request, struct arena *arena,
                      struct kubelet_plan *plan, struct err *err) MUST_CHECK;

#endif
