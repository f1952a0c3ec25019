/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that waits for signals and for changes of files, and sleeps in between.
 */
#ifndef CRIGATE_DAEMON_WATCHER_H
#define CRIGATE_DAEMON_WATCHER_H

#include <stdbool.h>

#include "base/follow.h"

struct watcher;

/* SIGTERM, SIGINT, SIGHUP and SIGUSR1 wait for the watcher in the calling thread and in those that
 * it starts from now on. */
void watcher_block_signals(void);

/* On the watcher's thread. False: the watcher has nothing more to do. */
typedef bool watcher_signal_fn(void *cookie, int number);

/* Before the start: nothing is told yet. A system without inotify for us is a warning: SIGHUP does
 * what it can. -1: no descriptors or no memory. */
int watcher_create(watcher_signal_fn *signalled, void *cookie, struct watcher **watcher,
                   struct err *err) MUST_CHECK;

/* `changed` is told on the watcher's thread, and once at its start. `path` is borrowed. Only before
 * the start. */
int watcher_follow(struct watcher *watcher, const char *path, follow_fn *changed, void *cookie,
                   struct err *err) MUST_CHECK;

int watcher_start(struct watcher *watcher, struct err *err) MUST_CHECK;

/* Waits until nothing is being told, and ends the thread. May be called again. */
void watcher_stop(struct watcher *watcher);

/* Stops, if need be, and frees. NULL is allowed. */
void watcher_destroy(struct watcher *watcher);
DEFINE_OWNED(own_watcher, struct watcher, watcher_destroy)

#endif
