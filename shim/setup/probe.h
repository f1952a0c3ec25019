/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a CRI socket whether it serves, and sees whether somebody is connected to it. */
#ifndef CRIGATE_SETUP_PROBE_H
#define CRIGATE_SETUP_PROBE_H

#include "base/err.h"
#include "policy/policy.h"

/*
 * Asks what listens at `socket` for Version and Status of the CRI. With a policy, Status must name
 * each of its runtimes; a containerd before 1.7 names none, which is taken as it is. Calls
 * grpc_init() itself. -1: it does not answer so.
 */
int probe_cri(const char *socket, const struct policy *policy, struct err *err) MUST_CHECK;

/* More connections than the gate lets in. */
#define PROBE_PEERS_MAX 256

/* The connections of a listener, by the inodes of its ends. */
struct probe_peers {
    unsigned long inodes[PROBE_PEERS_MAX];
    size_t count;
};

/* Those to the listener at `socket` now, as /proc/net/unix tells. */
void probe_list_peers(const char *socket, struct probe_peers *peers);
bool probe_has_new_peer(const struct probe_peers *before, const struct probe_peers *now);

#endif
