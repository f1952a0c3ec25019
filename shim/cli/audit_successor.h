/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a log that comes after another one. */
#ifndef CRIGATE_CLI_AUDIT_SUCCESSOR_H
#define CRIGATE_CLI_AUDIT_SUCCESSOR_H

#include <sys/stat.h>

#include "audit/record.h"
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

enum successor {
    SUCCESSOR_ERROR,
    SUCCESSOR_SAME,    /* the path leads to the file itself */
    SUCCESSOR_MISSING, /* it leads to none */
    SUCCESSOR_EMPTY,   /* it leads to another one, which has no whole line yet */
    SUCCESSOR_FOUND,
};

/* Opens a regular file to read. 1: `fd` is the caller's. 0: there is none. -1: an error. */
int successor_open(const char *path, int *fd, struct err *err) MUST_CHECK;

/*
 * What comes after the file `current`, whose last line is `last` (with its newline; empty: not
 * known), in the log whose live file is at `path`. FOUND: `fd`, the caller's, is the file whose
 * first line carries the hash of `last`; when there is none, the live one, with a warning.
 */
enum successor successor_find(const char *path, const struct stat *current, struct str last,
                              int *fd, struct err *err) MUST_CHECK;

#endif
