/* SPDX-License-Identifier: Apache-2.0 */
/* Globs: most are a literal or a prefix, told in one comparison; the rest by one loop. */
#include "policy/glob.h"

#include "policy/facts.h"

static bool is_sign(char byte)
{
    return byte == '*' || byte == '?';
}

struct glob glob_make(struct str pattern)
{
    struct glob glob = {.pattern = pattern, .hash = label_hash(pattern)};
    size_t head = 0;
    while (head < pattern.len && !is_sign(pattern.data[head]))
        head++;
    glob.head = (struct str){.data = pattern.data, .len = head};
    size_t stars = head;
    while (stars < pattern.len && pattern.data[stars] == '*')
        stars++;
    if (head == pattern.len)
        glob.kind = GLOB_LITERAL;
    else
        glob.kind = stars == pattern.len ? GLOB_PREFIX : GLOB_GENERAL;
    return glob;
}

/* After a mismatch only the last star takes one byte more: an earlier one never has to, since the
 * bytes between two stars were matched as early as they can be. */
static bool match_general(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, after_star = 0, star_took = 0;
    bool star = false;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = true;
            after_star = ++p;
            star_took = t;
        } else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
            p++;
            t++;
        } else if (star) {
            p = after_star;
            t = ++star_took;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

bool glob_match(const struct glob *glob, struct str text)
{
    switch (glob->kind) {
    case GLOB_LITERAL:
        return str_eq(glob->pattern, text);
    case GLOB_PREFIX:
        return str_starts(text, glob->head);
    case GLOB_GENERAL:
        return str_starts(text, glob->head) && match_general(glob->pattern, text);
    }
    return false;
}

bool glob_covers(const struct glob *wide, const struct glob *narrow)
{
    if (str_eq(wide->pattern, narrow->pattern))
        return true;
    if (narrow->kind == GLOB_LITERAL)
        return glob_match(wide, narrow->pattern);
    return wide->kind == GLOB_PREFIX && str_starts(narrow->head, wide->head);
}
