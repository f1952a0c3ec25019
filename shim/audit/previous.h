/* SPDX-License-Identifier: Apache-2.0 */
/* The file before one that begins, and the hash that the chain goes on with. */
#ifndef CRIGATE_AUDIT_PREVIOUS_H
#define CRIGATE_AUDIT_PREVIOUS_H

#include <limits.h>

#include "audit/record.h"
#include "base/err.h"
#include "base/own.h"

/*
 * `name` is what the file before was renamed to, beside `path`; when it is "" it becomes that of
 * the newest rotated file, compressed (.gz) or not. `head` becomes the hash of its last line, or
 * RECORD_NO_HASH when there is no such file or nothing in it. One that cannot be read is warned of,
 * and told as if it were empty: the new file's first line names it, and `audit verify` the break;
 * no pod waits until somebody has mended a file of last week. -1: memory is out.
 */
int previous_find(const char *path, char name[NAME_MAX + 1], char head[RECORD_HASH_SIZE],
                  struct err *err) MUST_CHECK;

#endif
