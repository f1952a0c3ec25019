/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance (optimal string alignment) between a word and the valid ones. */
#include "base/nearest.h"

/* Longer words are not compared, so that the work is bounded. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* In ASCII: a locale must not change what is suggested. */
static int lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

/* Both are at most WORD_MAX long. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            int x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.data[j - 2]) && y == lower(a.data[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.len];
}

const struct str *nearest_word(struct str word, const struct str *words, size_t count,
                               size_t stride)
{
    const struct str *nearest = NULL;
    if (word.len == 0 || word.len > WORD_MAX)
        return NULL;
    size_t best = word.len / 3 + 2; /* further off it is another word */
    for (size_t i = 0; i < count; i++) {
        const struct str *other = (const void *)((const char *)words + i * stride);
        if (other->len > WORD_MAX)
            continue;
        size_t apart = distance(word, *other);
        if (apart < best && apart < other->len) {
            best = apart;
            nearest = other;
        }
    }
    return nearest;
}
