/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs over names and annotation keys. `*` stands for any run of bytes, none and `/` among them;
 * `?` for exactly one byte; every other byte for itself. There is no escape: the names that
 * Kubernetes allows hold neither sign. A glob matches the whole text.
 */
#ifndef CRIGATE_POLICY_GLOB_H
#define CRIGATE_POLICY_GLOB_H

#include "base/str.h"

enum glob_kind {
    GLOB_LITERAL, /* no sign at all */
    GLOB_PREFIX,  /* the head, then only stars */
    GLOB_GENERAL,
};

struct glob {
    struct str pattern;
    struct str head; /* the bytes before the first sign */
    uint32_t hash;   /* label_hash(pattern), to look a literal up in a label set */
    enum glob_kind kind;
};

/* Borrows `pattern`. */
struct glob glob_make(struct str pattern);

/* Linear in the text for a given glob: at most text x pattern steps, without recursion. */
bool glob_match(const struct glob *glob, struct str text);

/* True only when each text that `narrow` matches is surely matched by `wide` too. */
bool glob_covers(const struct glob *wide, const struct glob *narrow);

/* Whether it matches every text. */
static inline bool glob_is_any(const struct glob *glob)
{
    return glob->kind == GLOB_PREFIX && glob->head.len == 0;
}

#endif
