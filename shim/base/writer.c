/* SPDX-License-Identifier: Apache-2.0 */
/* Escaping text into a fixed buffer, one whole character at a time. */
#include "base/writer.h"

#include <stdio.h>

#include "base/utf8.h"

#define SHORT_MAX 256

struct writer writer_make(char *buf, size_t size)
{
    if (size)
        buf[0] = '\0';
    return (struct writer){.buf = buf, .size = size, .full = size == 0};
}

static void put(struct writer *writer, const char *bytes, size_t len)
{
    if (writer->full || len >= writer->size - writer->used) {
        writer->full = true;
        return;
    }
    memcpy(writer->buf + writer->used, bytes, len);
    writer->used += len;
    writer->buf[writer->used] = '\0';
}

static void put_hex(struct writer *writer, struct str bytes)
{
    char text[4 * 4 + 1];
    size_t used = 0;
    for (size_t i = 0; i < bytes.len; i++)
        used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)bytes.data[i]);
    put(writer, text, used);
}

/* Writes the first character of `s`; returns the bytes it took from `s`. */
static size_t put_character(struct writer *writer, struct str s, bool quoted)
{
    uint32_t point = 0;
    size_t len = utf8_decode(s, &point);
    struct str character = {.data = s.data, .len = len ? len : 1};
    if (len == 0 || utf8_is_deceptive(point)) {
        put_hex(writer, character);
    } else if (quoted && (point == '"' || point == '\\')) {
        char escaped[] = {'\\', s.data[0]};
        put(writer, escaped, sizeof(escaped));
    } else {
        put(writer, character.data, character.len);
    }
    return character.len;
}

static void put_escaped(struct writer *writer, struct str s, size_t most, bool quoted)
{
    size_t at = 0;
    while (at < s.len && !writer->full) {
        if (at >= most) {
            writer_text(writer, "...");
            return;
        }
        at += put_character(writer, (struct str){.data = s.data + at, .len = s.len - at}, quoted);
    }
}

void writer_text(struct writer *writer, const char *text)
{
    put_escaped(writer, str_of(text), SIZE_MAX, false);
}

void writer_number(struct writer *writer, size_t number)
{
    char text[24];
    put(writer, text, (size_t)snprintf(text, sizeof(text), "%zu", number));
}

void writer_str(struct writer *writer, struct str s)
{
    put_escaped(writer, s, SIZE_MAX, false);
}

void writer_short(struct writer *writer, struct str s)
{
    put_escaped(writer, s, SHORT_MAX, false);
}

void writer_quoted(struct writer *writer, struct str s)
{
    writer_text(writer, "\"");
    put_escaped(writer, s, SHORT_MAX, true);
    writer_text(writer, "\"");
}
