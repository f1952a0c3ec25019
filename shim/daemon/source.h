/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is read again and again: whether it holds something else than the last time. */
#ifndef CRIGATE_DAEMON_SOURCE_H
#define CRIGATE_DAEMON_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sha256.h"

enum source_look {
    SOURCE_SAME,       /* as at the last look, whatever that was */
    SOURCE_OTHER,      /* other bytes */
    SOURCE_GONE,       /* no such file, and `err` says so */
    SOURCE_UNREADABLE, /* `err` says why */
};

struct source {
    const char *path;
    size_t most;                  /* bytes */
    enum source_look last;        /* zeroed: never looked */
    char sha256[SHA256_HEX_SIZE]; /* of the bytes, after SOURCE_OTHER */
};

/* Reads the file into `arena`; `*text` is set by SOURCE_OTHER only. Does not wait for a pipe. */
enum source_look source_look(struct source *source, struct arena *arena, struct str *text,
                             struct err *err) MUST_CHECK;

/* The next look tells all, also what has not changed. */
void source_forget(struct source *source);

#endif
