/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, one character at a time, and how a terminal shows it. Pure; any thread. */
#ifndef CRIGATE_BASE_UTF8_H
#define CRIGATE_BASE_UTF8_H

#include "base/str.h"

/* The length in bytes of the character at the front of `s` (not empty) and its code point; 0 when
 * these bytes are not UTF-8 (`*point` is then not set): overlong forms and surrogates are not. */
size_t utf8_decode(struct str s, uint32_t *point);

/* Whether a text with this character in it can look like another text: control characters, tab
 * and newline among them, invisible ones, line separators, and those that turn the direction. */
bool utf8_is_deceptive(uint32_t point);

/* Columns on a terminal: 0 for combining marks, 2 for East Asian wide ones and emoji, else 1. */
unsigned utf8_width(uint32_t point);

#endif
