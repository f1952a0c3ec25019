/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a CRI socket whether it serves, and sees whether somebody is connected to it. */
#ifndef CRIGATE_SETUP_PROBE_H
#define CRIGATE_SETUP_PROBE_H

#include "base/err.h"
#include "policy/policy.h"

/*
 * Waits until what listens at `socket` answers Version and Status of the CRI, at most
 * `timeout_ms`. With a policy, Status must name each of its runtimes; a containerd before 1.7 names
 * none, which is taken as it is. Calls grpc_init() itself. -1: it does not.
 */
int probe_cri(const char *socket, const struct policy *policy, int timeout_ms,
              struct err *err) MUST_CHECK;

/* Whether a peer is connected to the listener at `socket` now: /proc/net/unix tells. */
bool probe_is_connected(const char *socket);

#endif
