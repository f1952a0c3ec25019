/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from anywhere -> text that may stand in a record: well-formed UTF-8 without NUL, and not
 * longer than it may be once it is a JSON string.
 *
 * Nothing is dropped in silence, and what was changed can be told from what was there:
 * - a byte that is not part of well-formed UTF-8, NUL and DEL become `\xNN` (upper-case hex);
 * - a backslash in front of an `x` becomes `\x5C`; any other backslash stays. So `\xNN` always
 *   stands for one byte, and replacing each from left to right gives back what came in;
 * - a text that is too long is cut between two characters and ends in `…[+N bytes]`, N being how
 *   many bytes of the source are missing.
 */
#ifndef CRIGATE_AUDIT_TEXT_H
#define CRIGATE_AUDIT_TEXT_H

#include "base/str.h"

/* Room for the mark alone; a smaller limit makes no sense. */
#define TEXT_LIMIT_MIN ((size_t)64)

/*
 * `from` as such a text, at most `limit` (at least TEXT_LIMIT_MIN) bytes long when it is written as
 * a JSON string in ASCII, quotes not counted. The result borrows from `from` when nothing had to be
 * changed, else from `buf`, which holds `limit` bytes. `*cost` is an upper bound of its length in
 * JSON. Reads at most `limit` bytes of `from` or a few more. Any thread.
 */
struct str text_clean(struct str from, size_t limit, char *buf, size_t *cost);

#endif
