/* SPDX-License-Identifier: Apache-2.0 */
/* The valid word that a person most likely meant. Pure; any thread. */
#ifndef CRIGATE_BASE_NEAREST_H
#define CRIGATE_BASE_NEAREST_H

#include "base/str.h"

/* Of `count` words that lie `stride` bytes apart, as members of larger objects may, the first that
 * is fewest typing errors (a letter too much, missing, wrong, or two swapped; case aside) away from
 * `word`; NULL when none is near enough to be meant. */
const struct str *nearest_word(struct str word, const struct str *words, size_t count,
                               size_t stride);

#endif
