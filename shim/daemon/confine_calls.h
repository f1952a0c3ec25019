/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that the process may make from now on. */
#ifndef CRIGATE_DAEMON_CONFINE_CALLS_H
#define CRIGATE_DAEMON_CONFINE_CALLS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"

/* For all threads. Without `inet` no socket but a unix one can be made. Returns how many calls are
 * allowed, of which some with certain arguments only; -1: the kernel has no seccomp filter, or its
 * caller's forbids another one, and nothing is changed. */
int confine_calls(bool inet, struct err *err) MUST_CHECK;

#endif
