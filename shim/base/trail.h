/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that a path leads through, symbolic links followed by hand: whoever watches what is
 * told sees every change of what the path means.
 */
#ifndef CRIGATE_BASE_TRAIL_H
#define CRIGATE_BASE_TRAIL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/own.h"

/* How a path's names are told, each before it is relied on. */
struct trail_watch {
    /* The path leads through the directory `path`, which no link is in; of the names in it only one
     * matters, and that is told by itself. False: it is no such directory (any more). */
    bool (*directory)(void *cookie, const char *path);
    /* `name` in `dir` is a link, is missing, or is `last`: nothing is to be looked up behind it. */
    void (*name)(void *cookie, const char *dir, const char *name, bool last);
    void *cookie;
};

struct trail_end {
    bool found; /* false: the path leads nowhere (now) */
    char path[PATH_MAX];
    struct stat info;
};

/* Walks the absolute `path`. Any thread. */
void trail_walk(const char *path, const struct trail_watch *watch, struct trail_end *end);

#endif
