/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon gives up what it will not need, for good: whoever takes it over by a malformed request
 * is left with little but its own sockets and files. It is what the systemd unit does from outside,
 * for those who run the daemon without.
 *
 * - No capabilities, none to come by execve(2), no core dump, which would hold credentials.
 * - Landlock: of the file system, reading where its settings point, writing the audit log and the
 *   label cache, making and removing its own socket; no TCP connection without an API server, no
 *   abstract socket and no signal to other processes.
 * - seccomp: the system calls of confine_calls.c, and no memory that becomes executable.
 */
#ifndef CRIGATE_DAEMON_CONFINE_H
#define CRIGATE_DAEMON_CONFINE_H

#include "config/settings.h"

/*
 * To be called once, while the process has one thread: what is begun later inherits it. `journal`
 * is the socket of systemd-journald. What the kernel does not have, or its caller may not do, is
 * left out: no gate at all would be worse. What came of it is told in one line of the log; so is a
 * file that can be read no more. In a build with sanitizers, which need more than this leaves, and
 * with `confine: false` in the settings, it only says so.
 */
void confine(const struct settings *settings, const char *journal);

#endif
