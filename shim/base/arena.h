/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator: everything that is born together and dies together (a parsed document, a
 * compiled policy, one decoded message) comes from one arena and is freed in one step.
 * One thread at a time uses an arena.
 */
#ifndef CRIGATE_BASE_ARENA_H
#define CRIGATE_BASE_ARENA_H

#include "base/own.h"
#include "base/str.h"

struct arena_block;

/* Zeroed is empty and ready for use. */
struct arena {
    struct arena_block *blocks; /* newest first */
    char *next, *end;           /* free room in the newest block */
};

/* `size` zeroed bytes, aligned for any type; NULL when memory is out. Valid until arena_free(). */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* Zeroed room for `count` items of `size` bytes; NULL when memory is out or the product overflows.
 * A count of 0 gives a valid pointer. */
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_CHECK;

/* A copy of `s` with a terminating NUL behind its length; its data is NULL when memory is out. */
struct str arena_str(struct arena *arena, struct str s) MUST_CHECK;

/* Frees every block; the arena is empty again. Safe on an empty arena. */
void arena_free(struct arena *arena);

#define OWNED_ARENA OWNED(arena_free)

#endif
