/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's labels from the API server: a thread that lists this one Node and watches it, for as
 * long as the daemon runs. Nobody waits for it: each change is told when it is known.
 */
#ifndef CRIGATE_KUBERNETES_KUBERNETES_H
#define CRIGATE_KUBERNETES_KUBERNETES_H

#include "node/labels.h"

struct kubernetes;

struct kubernetes_options {
    const char *kubeconfig; /* read again before each list, so what rotates in it counts */
    const char *node;       /* the Node's name */
    const char *cache;      /* where the labels last seen are kept; NULL: nowhere */
};

/*
 * `labels` (one reference, the callee's) are in force from now on: known, or unknown once the Node
 * is gone. Told once before kubernetes_start() returns, from the cache or unknown, and then on the
 * watch's thread, only when labels, or whether they are known, have changed, or when the API
 * server confirms those of the cache: they are the same then, and their origin is "kubernetes".
 */
typedef void kubernetes_fn(void *cookie, struct node_labels *labels);

/* The strings of `options` are borrowed until kubernetes_stop(). -1: a wrong kubeconfig, told as
 * path:line:column, a name that no Node has, no libcurl, no thread, or no memory. A kubeconfig that
 * is not there yet is waited for. */
int kubernetes_start(const struct kubernetes_options *options, kubernetes_fn *changed, void *cookie,
                     struct kubernetes **kubernetes, struct err *err) MUST_CHECK;

/* When the API server last confirmed the labels (CLOCK_REALTIME, seconds; 0: never): while the
 * watch is open, by its events and bookmarks; before, as the cache has it. Any thread. */
int64_t kubernetes_seen(const struct kubernetes *kubernetes);

/* Ends within a second whatever the network does. NULL is allowed. */
void kubernetes_stop(struct kubernetes *kubernetes);
DEFINE_OWNED(own_kubernetes, struct kubernetes, kubernetes_stop)

#endif
