/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubelet's socket: accepts connections on a thread of its own, checks who is at the other end,
 * and hands each connection on. gRPC's own listener is not used: it knows no peers, no bound on
 * connections, and never accepts again once descriptors ran out.
 */
#ifndef CRIGATE_GATE_LISTEN_H
#define CRIGATE_GATE_LISTEN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"
#include "gate/peers.h"

/* At most this many connections at once; more wait in the socket's backlog. */
#define LISTEN_CONNECTIONS_MAX 64

struct listen_options {
    const char *path;     /* absolute, at most 107 bytes */
    int inherited;        /* somebody else's socket that listens there already; -1: none */
    const uint32_t *uids; /* that may connect */
    size_t uid_count;
    struct peers *peers; /* is told of each accepted connection */
};

struct listener;

/*
 * Binds the socket, mode 0600, and listens; connections wait until listener_start(). A socket file
 * that nobody serves any more is replaced; one that is served is an error. An inherited socket is
 * taken over instead, and its file is never removed. `options` and what it points to are borrowed
 * until listener_close().
 */
int listener_open(const struct listen_options *options, struct listener **listener,
                  struct err *err) MUST_CHECK;

/* On the acceptor's thread: takes over a connected, non-blocking descriptor. */
typedef void listen_accepted_fn(void *cookie, int fd);

/* Starts to accept. `audit` (borrowed until listener_close()) records who is turned away. */
int listener_start(struct listener *listener, struct audit *audit, listen_accepted_fn *accepted,
                   void *cookie, struct err *err) MUST_CHECK;

/* Connections that are open now, and those refused for their uid since the start. Any thread. */
struct listener_view {
    size_t connections;
    uint64_t refused;
};
struct listener_view listener_look(const struct listener *listener);

/* Accepts nothing more, ends the thread, removes the socket file if it is still ours. Connections
 * already handed on live on. */
void listener_stop(struct listener *listener);

/*
 * Asks the peer at the other end of each connection to call elsewhere from now on, once: an HTTP/2
 * GOAWAY that takes back no stream, so that what is under way goes on, and so does what comes
 * before the peer has read it (RFC 9113, 6.8). A peer that has not read all that was sent to it, or
 * not confirmed our settings, is left for the next time. After listener_stop(), on the loop's
 * thread, while nothing is being written to any connection: the frame must not land inside another.
 */
void listener_say_goodbye(struct listener *listener);

/* Whether every peer has closed its connection. After listener_stop(). */
bool listener_is_left(struct listener *listener);

/* Stops, and cuts the connections that are left: what is under way on them fails at the other end
 * as on any lost connection. NULL is allowed. */
void listener_close(struct listener *listener);
DEFINE_OWNED(own_listener, struct listener, listener_close)

#endif
