/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following files by inotify, wherever their paths lead: replaced by rename, written in place,
 * reached by a symbolic link that is swapped (as the kubelet does with a mounted ConfigMap), gone
 * and made again, their directories too. Every name on the way to a file is watched, so nothing is
 * polled. One thread at a time; it waits on follow_fd() and follow_timeout().
 *
 * A file counts as changed once its writer has closed it, or once it has been moved into its place:
 * not while it is being written. What is gone, or was found in a directory that has just been made,
 * counts after FOLLOW_SETTLE_MS only, since editors move a file away before they write it again.
 * What another host changes on a network file system is not noticed: that is inotify's limit.
 */
#ifndef CRIGATE_BASE_FOLLOW_H
#define CRIGATE_BASE_FOLLOW_H

#include "base/err.h"
#include "base/own.h"

#define FOLLOW_SETTLE_MS 200 /* milliseconds */

struct follow;

/* What `path` leads to may be another file, or none, or have other bytes now. */
typedef void follow_fn(void *cookie);

/* -1 when the system gives no inotify instance; the error says what to raise. */
int follow_create(struct follow **follow, struct err *err) MUST_CHECK;

/* Follows `path` (borrowed until follow_destroy()). The next follow_dispatch() tells of it once
 * whatever happens, so nothing is lost between reading a file and following it. -1: memory is out.
 */
int follow_add(struct follow *follow, const char *path, follow_fn *changed, void *cookie,
               struct err *err) MUST_CHECK;

/* The same for a file that its writer keeps open, as a log: it counts as changed as soon as it is
 * created. That it grows is not told. */
int follow_add_open(struct follow *follow, const char *path, follow_fn *changed, void *cookie,
                    struct err *err) MUST_CHECK;

/* Readable when follow_dispatch() has something to do. */
int follow_fd(const struct follow *follow);

/* Milliseconds after which follow_dispatch() has something to do, -1: none, as for poll(). */
int follow_timeout(const struct follow *follow);

/* Takes what has happened and tells each file that changed once. Does not block. A directory that
 * cannot be watched is logged once. */
void follow_dispatch(struct follow *follow);

/* NULL is allowed. */
void follow_destroy(struct follow *follow);
DEFINE_OWNED(own_follow, struct follow, follow_destroy)

#endif
