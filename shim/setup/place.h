/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a node, replaced whole and durably, with the owner, mode and attributes they had. */
#ifndef CRIGATE_SETUP_PLACE_H
#define CRIGATE_SETUP_PLACE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* No configuration is larger. */
#define PLACE_FILE_MAX ((size_t)4 * 1024 * 1024)

/* Zeroed: there is no such file. */
struct placed {
    bool exists;
    struct str text;
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
};

/* The two behind each other; NULL when memory is out. In `arena`. */
const char *place_join(const char *root, const char *path, struct arena *arena) MUST_CHECK;

/*
 * Where a node's `path` really is: under `root` ("" is this machine, else a path without links),
 * and behind symbolic links, so that what is replaced is the file and not the link. A path that is
 * not there yet stays as it is. NULL, with `err`: a link leads out of `root`, or memory is out. In
 * `arena`.
 */
const char *place_find(const char *root, const char *path, struct arena *arena,
                       struct err *err) MUST_CHECK;

/* Reads a regular file; one that is not there is no error. -1 with the path in `err`. */
int place_read(const char *path, struct arena *arena, struct placed *file,
               struct err *err) MUST_CHECK;

/*
 * Puts `file` at `path`: written beside it, synced, renamed over it, the directory synced; a reader
 * sees the old file or the new one. Extended attributes (SELinux labels, ACLs) are those of the
 * file that was there. When file->exists is false the file is removed. -1 with the path in `err`:
 * nothing is changed.
 */
int place_put(const char *path, const struct placed *file, struct err *err) MUST_CHECK;

/* Removes what a killed place_put() may have left beside `path`. */
void place_sweep(const char *path);

/* Whether the directory that `path` is in is there. */
bool place_has_dir(const char *path);

/* Makes that directory, durably, if it is not there; the one around it must be. */
int place_make_dir(const char *path, mode_t mode, struct err *err) MUST_CHECK;

#endif
