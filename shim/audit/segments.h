/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a log, the live one, rotated ones, compressed ones (.gz), read line by line in the
 * order in which they were written. For the commands that read the log; one thread.
 */
#ifndef CRIGATE_AUDIT_SEGMENTS_H
#define CRIGATE_AUDIT_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

struct segments;

/* Borrowed until the next call. */
struct segment_line {
    struct str text;  /* without its newline */
    const char *file; /* "-" for standard input */
    uint64_t number;  /* in its file, from 1 */
    bool torn;        /* the file ends without a newline behind it */
    bool too_long;    /* longer than a record can be; `text` is not all of it */
};

/*
 * `patterns` are file names, globs (for a shell that does not expand them, such as a unit file's)
 * or "-". A file that is named twice is read once. The order is that of the first record's time;
 * a file without one, and a pipe, keeps its place in the order given. -1: a pattern matches no
 * file, or a file cannot be opened; the error names it.
 */
int segments_open(const char *const *patterns, size_t count, struct segments **segments,
                  struct err *err) MUST_CHECK;

/* 1: `line` is the next one. 0: that was all. -1: a file cannot be read on (a damaged .gz, EIO);
 * the error names it and the line; the next call goes on with the next file. */
int segments_next(struct segments *segments, struct segment_line *line, struct err *err) MUST_CHECK;

/* NULL is allowed. */
void segments_close(struct segments *segments);
DEFINE_OWNED(own_segments, struct segments, segments_close)

#endif
