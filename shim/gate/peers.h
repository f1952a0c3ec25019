/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of each accepted connection: the acceptor writes it down, a call looks it
 * up by the name that gRPC gives the connection ("fd:N"). Any thread.
 */
#ifndef CRIGATE_GATE_PEERS_H
#define CRIGATE_GATE_PEERS_H

#include "audit/audit.h"

#define PEERS_MAX 4096 /* descriptors from here on are not remembered */

/* Zeroed is empty. */
struct peers {
    _Atomic uint64_t by_fd[PEERS_MAX]; /* uid above, pid below; 0: empty */
};

void peers_remember(struct peers *peers, int fd, const struct audit_peer *peer);

/* -1 when the name is not one of ours. */
int peers_find(const struct peers *peers, const char *name, struct audit_peer *peer);

#endif
