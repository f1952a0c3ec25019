/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that leave signals to the thread that started them. */
#ifndef CRIGATE_BASE_THREAD_H
#define CRIGATE_BASE_THREAD_H

#include <pthread.h>

#include "base/err.h"
#include "base/own.h"

/* Runs `run(cookie)` on a thread with every signal blocked, so that a signal's handler or the
 * thread that waits for it gets it, and a write over a limit (SIGXFSZ) fails instead of killing.
 * `name` is at most 15 characters: ps -L shows it. Who starts it joins it. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *cookie), void *cookie,
                 struct err *err) MUST_CHECK;

#endif
