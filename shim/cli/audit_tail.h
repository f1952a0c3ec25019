/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a log as it grows, across rotation and deletion, without polling. It goes on from a file
 * to the one whose first line carries the hash of its last line, so that none in between is left
 * out, however long the reader was held up. One thread.
 */
#ifndef CRIGATE_CLI_AUDIT_TAIL_H
#define CRIGATE_CLI_AUDIT_TAIL_H

#include <sys/stat.h>

#include "audit/segments.h"

struct audit_tail;

/* `line` is borrowed for the call. */
typedef void audit_tail_fn(void *cookie, const struct segment_line *line);

/* `path` (borrowed) need not be there yet. -1: it is no regular file, cannot be read, or cannot be
 * watched. */
int audit_tail_open(const char *path, struct audit_tail **tail, struct err *err) MUST_CHECK;

/* Whether `info` is of the file that it reads now. */
bool audit_tail_is_at(const struct audit_tail *tail, const struct stat *info);

/* Whether it has a file at all. */
bool audit_tail_has_file(const struct audit_tail *tail);

/* Hands some whole lines to `take`. 1: there may be more; 0: not before audit_tail_wait(). -1: the
 * file, or the one after it, cannot be read. */
int audit_tail_read(struct audit_tail *tail, audit_tail_fn *take, void *cookie,
                    struct err *err) MUST_CHECK;

/* Blocks until there may be more to read (1), or `stop_fd` is readable or nobody reads standard
 * output any more (0). */
int audit_tail_wait(struct audit_tail *tail, int stop_fd, struct err *err) MUST_CHECK;

/* NULL is allowed. */
void audit_tail_close(struct audit_tail *tail);
DEFINE_OWNED(own_audit_tail, struct audit_tail, audit_tail_close)

#endif
