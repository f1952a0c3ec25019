/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gRPC server towards the kubelet: waits for calls on connections that listen.c has accepted,
 * and hands each to call.c with what is known of its method. Loop thread only, but for
 * server_adopt().
 */
#ifndef CRIGATE_GATE_SERVER_H
#define CRIGATE_GATE_SERVER_H

#include "gate/call.h"

struct server;

/* `gate` is borrowed and outlives the server. */
int server_create(struct gate *gate, struct server **server, struct err *err) MUST_CHECK;

/* Takes over a connected, non-blocking descriptor. Any thread, until server_shutdown(). */
void server_adopt(struct server *server, int fd);

/* Takes no more calls and cancels those that run. `over` runs when the last has ended. */
void server_shutdown(struct server *server, struct loop_op *over);

/* After `over`. NULL is allowed. */
void server_destroy(struct server *server);
DEFINE_OWNED(own_server, struct server, server_destroy)

#endif
