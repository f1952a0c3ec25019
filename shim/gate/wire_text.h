/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of the wire: is it text that every decoder reads alike? Any thread. */
#ifndef CRIGATE_GATE_WIRE_TEXT_H
#define CRIGATE_GATE_WIRE_TEXT_H

#include "base/str.h"

/*
 * The length of the longest start of `s` that is UTF-8 without NUL: s.len when all of it is. As
 * Unicode has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
size_t wire_text_valid(struct str s);

#endif
