/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance between a name and the declared ones. */
#include "policy/nearest.h"

/* Longer names are not compared: the work is bounded, and a handler's name is a DNS label. */
#define NAME_MAX_LEN 63

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Insertions, deletions and substitutions; both at most NAME_MAX_LEN bytes. */
static size_t distance(struct str a, struct str b)
{
    size_t row[NAME_MAX_LEN + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a.data[i - 1] != b.data[j - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

const struct handler_name *nearest_handler(const struct policy *policy, struct str name)
{
    const struct handler_name *nearest = NULL;
    if (name.len > NAME_MAX_LEN)
        return NULL;
    size_t best = name.len / 3 + 2; /* further off is another word */
    for (size_t i = 0; i < policy->name_count; i++) {
        struct str declared = policy->names[i].name;
        if (declared.len > NAME_MAX_LEN)
            continue;
        size_t apart = distance(name, declared);
        if (apart < best && apart < declared.len) {
            best = apart;
            nearest = &policy->names[i];
        }
    }
    return nearest;
}
