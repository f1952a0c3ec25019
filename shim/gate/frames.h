/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the HTTP/2 frames that peers send, and cuts off a connection that makes the gate work for
 * nothing: one that resets its streams without measure (CVE-2023-44487), sends settings or pieces
 * of headers without measure, or a header block of absurd size. gRPC 1.51 bounds none of these, and
 * has no hook for it. So this file defines recvmsg(), which is how gRPC reads, for the whole
 * program.
 */
#ifndef CRIGATE_GATE_FRAMES_H
#define CRIGATE_GATE_FRAMES_H

#include "audit/audit.h"

/* Peers' descriptors begin here. The kernel gives the lowest free number, and all others of the
 * daemon stay below: so a number tells whose bytes are read, without a table of who closed what. */
#define FRAMES_FD_FIRST 512
#define FRAMES_FD_NEEDED 768

/* One header block, compressed, with its CONTINUATION frames. gRPC refuses metadata above 8 KiB. */
#define FRAMES_HEADERS_MAX 65536

/* Frames that reset, set or continue: so many at once, and so many a second for ever. The kubelet
 * sends one for each call that it gives up. */
#define FRAMES_BURST 1000
#define FRAMES_PER_SECOND 200

/* -1: this process may not open so many files that there are descriptors for peers. */
int frames_check_limit(struct err *err) MUST_CHECK;

/*
 * Begins to watch what `peer` sends on a connection that nobody has read from yet. Returns another
 * descriptor of it, the caller's, which is to be read with recvmsg() in place of `fd`; or a
 * negative errno, -EMFILE when there is none for peers. One thread at a time.
 */
int frames_watch(int fd, const struct audit_peer *peer) MUST_CHECK;

/* Whether the peer on a descriptor of frames_watch() has confirmed our settings, which are the
 * first frame that it may get (RFC 9113, 3.4). Any thread, while the connection is open. */
bool frames_is_settled(int fd);

#endif
