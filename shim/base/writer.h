/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into a fixed buffer, always terminated, cut between characters, never overrun. Bytes that
 * could forge or hide text (control characters, line separators, direction marks, bytes that are
 * not UTF-8: utf8_is_deceptive()) come out as \xNN. Pure; any thread.
 */
#ifndef CRIGATE_BASE_WRITER_H
#define CRIGATE_BASE_WRITER_H

#include "base/str.h"

struct writer {
    char *buf;
    size_t size, used; /* used < size, unless size is 0 */
    bool full;         /* something did not fit; nothing more is written */
};

struct writer writer_make(char *buf, size_t size);

/* Text of our own. */
void writer_text(struct writer *writer, const char *text);
void writer_number(struct writer *writer, size_t number);

/* Foreign text, whole. */
void writer_str(struct writer *writer, struct str s);

/* Foreign text that a pod controls: at most 256 of its bytes, then "...". */
void writer_short(struct writer *writer, struct str s);

/* The same in quotation marks, with quotation marks and backslashes inside escaped. */
void writer_quoted(struct writer *writer, struct str s);

#endif
