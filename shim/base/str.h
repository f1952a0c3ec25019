/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed run of bytes with its length: what the wire, the policy and the labels are made of.
 * It may hold any byte, NUL too, and is not terminated.
 */
#ifndef CRIGATE_BASE_STR_H
#define CRIGATE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data; /* never NULL once made with the helpers below */
    size_t len;       /* bytes */
};

/* A literal as a str, also as a static initialiser. */
#define STR(literal) ((struct str){.data = (literal), .len = sizeof(literal) - 1})

/* For printf: `"%.*s", STR_FMT(s)`. Lengths over INT_MAX are cut. */
#define STR_FMT(s) (int)((s).len > INT32_MAX ? INT32_MAX : (s).len), (s).data

static inline struct str str_of(const char *text)
{
    return (struct str){.data = text ? text : "", .len = text ? strlen(text) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* Bytewise order, a shorter string before a longer one that begins with it; like memcmp(). */
static inline int str_cmp(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
