/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict look at a TOML file (toml.io, v1.0.0): which tables and keys stand in it, and where.
 * Debian has no TOML library for C. What this cannot place for sure it refuses: the bytes are then
 * left to a person. Any thread.
 */
#ifndef CRIGATE_SETUP_TOML_H
#define CRIGATE_SETUP_TOML_H

#include "base/arena.h"
#include "base/err.h"

/* More of these is no configuration that a person wrote. */
#define TOML_KEYS_MAX 32  /* in one path */
#define TOML_DEPTH_MAX 64 /* arrays and inline tables in each other */

enum toml_kind {
    TOML_VALUE,        /* anything that is not one of the others */
    TOML_TABLE,        /* a [header] */
    TOML_TABLE_ITEM,   /* a [[header]]: one table of an array of tables */
    TOML_INLINE_TABLE, /* a = {...}; its keys are entries of their own, behind it */
};

struct toml_entry {
    enum toml_kind kind;
    const struct str *path; /* unquoted, the table's in front */
    size_t depth;           /* keys in the path, at least 1 */
    struct str raw; /* of a value or inline table: as it is written; borrows from the text */
    uint32_t line;  /* counts from 1 */
};

struct toml {
    struct toml_entry *items; /* in the order of the file */
    size_t count;
};

/* -1: this is not TOML, or beyond the bounds above, or memory is out; `err` names the line. */
int toml_read(struct str text, struct arena *arena, struct toml *toml, struct err *err) MUST_CHECK;

/* The value of a string in quotes; false when `raw` is no such string, or memory is out. */
bool toml_string(struct str raw, struct arena *arena, struct str *value) MUST_CHECK;

/* The strings of an array of strings; false when `raw` is anything else, or memory is out. */
bool toml_strings(struct str raw, struct arena *arena, struct str **values,
                  size_t *count) MUST_CHECK;

/* Whether the entry's path begins with these keys, or is these keys. */
bool toml_under(const struct toml_entry *entry, const struct str *keys, size_t count);

/* The first entry that is exactly `keys`, or NULL. */
const struct toml_entry *toml_find(const struct toml *toml, const struct str *keys, size_t count);

#endif
