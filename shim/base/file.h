/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files into memory. Any thread. */
#ifndef CRIGATE_BASE_FILE_H
#define CRIGATE_BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Reads all of `path`, which is a regular file or a pipe, up to `most` bytes, into `arena`; the
 * text has a NUL behind its length. `*text` is set only on success. On failure `err` says why
 * without naming the path.
 */
int file_read(const char *path, size_t most, struct arena *arena, struct str *text,
              struct err *err) MUST_CHECK;

/* The same from an open descriptor, which stays the caller's. */
int file_read_fd(int fd, size_t most, struct arena *arena, struct str *text,
                 struct err *err) MUST_CHECK;

#endif
