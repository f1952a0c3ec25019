/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's HTTP side, read-only, for the node itself: /metrics, /healthz, /readyz, the status
 * page at / and its /status.json. It has a thread of its own, and for each answer asks the loop for
 * a snapshot: so an answer proves that the loop turns, and the calls' counters need no lock.
 */
#ifndef CRIGATE_STATUS_HTTP_H
#define CRIGATE_STATUS_HTTP_H

#include <sys/socket.h>

#include "gate/loop.h"
#include "status/snapshot.h"

/* On the loop: fills a zeroed snapshot. -1: memory is out. */
typedef int http_collect_fn(void *cookie, struct snapshot *snapshot);

struct http_options {
    int inherited; /* a listening TCP socket, which the server owns from now on; -1: none */
    const struct sockaddr *address; /* without one: where to listen */
    socklen_t address_size;
    const char *name; /* of that address, for messages */
    struct loop *loop;
    http_collect_fn *collect;
    void *cookie;
};

struct http;

/* Listens and answers; the loop need not run yet. -1: no socket, no thread, no memory. */
int http_start(const struct http_options *options, struct http **http, struct err *err) MUST_CHECK;

/* On the loop's thread, before loop_stop(): no more answers. NULL is allowed. */
void http_stop(struct http *http);

/* After loop_run() has returned, or when it never ran. Stops, if need be. NULL is allowed. */
void http_destroy(struct http *http);
DEFINE_OWNED(own_http, struct http, http_destroy)

#endif
