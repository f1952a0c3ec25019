/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that a path leads through, symbolic links followed by hand: whoever watches each of
 * them sees every change of what the path means.
 */
#ifndef CRIGATE_BASE_TRAIL_H
#define CRIGATE_BASE_TRAIL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/own.h"

/* `name` is about to be looked up in the directory `dir`, which has no link in its path. `last`:
 * nothing is to be looked up behind it, unless it is a link. */
typedef void trail_fn(void *cookie, const char *dir, const char *name, bool last);

struct trail_end {
    bool found; /* false: the path leads nowhere (now) */
    char path[PATH_MAX];
    struct stat info;
};

/* Walks the absolute `path`, telling `step` each name before it is looked up. Any thread. */
void trail_walk(const char *path, trail_fn *step, void *cookie, struct trail_end *end);

#endif
