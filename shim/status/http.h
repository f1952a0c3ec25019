/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's HTTP side, read-only, for the node itself: /metrics, /healthz, /readyz, the status
 * page at / and its /status.json. It has a thread of its own, and for each answer asks the loop for
 * a snapshot: so an answer proves that the loop turns, and the calls' counters need no lock. What
 * drifts is asked of containerd by another thread, for whose answer nobody waits.
 */
#ifndef CRIGATE_STATUS_HTTP_H
#define CRIGATE_STATUS_HTTP_H

#include <sys/socket.h>

#include "gate/loop.h"
#include "status/snapshot.h"

/* On the loop: fills a zeroed snapshot. -1: memory is out. */
typedef int http_collect_fn(void *cookie, struct snapshot *snapshot);

struct http_options {
    int socket;           /* listens; the server owns it from now on */
    const char *upstream; /* containerd's socket, which is asked what runs; borrowed */
    struct loop *loop;
    http_collect_fn *collect;
    void *cookie;
};

struct http;

/* A listening TCP socket, the caller's. `name` is the address as messages call it. -1: not to be
 * had. */
int http_listen(const struct sockaddr *address, socklen_t size, const char *name,
                struct err *err) MUST_CHECK;

/* Answers; the loop need not run yet. grpc_init() must have been called. -1: no thread, no memory.
 */
int http_start(const struct http_options *options, struct http **http, struct err *err) MUST_CHECK;

/* On the loop's thread, before loop_stop(): no more answers. NULL is allowed. */
void http_stop(struct http *http);

/* After loop_run() has returned, or when it never ran. Stops, if need be. NULL is allowed. */
void http_destroy(struct http *http);
DEFINE_OWNED(own_http, struct http, http_destroy)

#endif
