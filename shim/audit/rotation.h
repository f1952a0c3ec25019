/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a log was before: `audit.jsonl` becomes `audit-<utc>-<seq>.jsonl`, with the time
 * to the microsecond and the seq of its last record. Their names sort as they were written: when
 * the clock went back, the time is a microsecond behind the newest one's. Files of exactly that
 * pattern are the log's, with ".gz" behind it where somebody compressed them; no other is ever
 * touched. One thread.
 */
#ifndef CRIGATE_AUDIT_ROTATION_H
#define CRIGATE_AUDIT_ROTATION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/own.h"

/* Renames the file at `path`; its new name, without directories, goes to `name`. Never over another
 * file. -1: it has its old name. */
int rotation_rename(const char *path, uint64_t seq, const struct timespec *now,
                    char name[NAME_MAX + 1], struct err *err) MUST_CHECK;

/* Whether the name is that of a file that gzip compressed since. */
bool rotation_is_compressed(const char *name);

/* The name of the newest of them; false when there is none, or the directory cannot be read. */
bool rotation_newest(const char *path, char name[NAME_MAX + 1]);

/* Deletes the oldest ones beyond `keep`; what cannot be deleted is logged and stays. 0: all are
 * kept. */
void rotation_prune(const char *path, uint32_t keep);

#endif
