/* SPDX-License-Identifier: Apache-2.0 */
/* Escaping text into a fixed buffer, one whole character at a time. */
#include "policy/writer.h"

#include <stdio.h>

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

/* The code point of the character at the front of `s` and its length in bytes; a length of 0 when
 * it is not UTF-8. */
static size_t decode(struct str s, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)s.data[0];
    size_t len = lead < 0x80       ? 1
                 : lead >> 5 == 6  ? 2
                 : lead >> 4 == 14 ? 3
                 : lead >> 3 == 30 ? 4
                                   : 0;
    if (len == 0 || len > s.len)
        return 0;
    *point = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char byte = (unsigned char)s.data[i];
        if (byte >> 6 != 2)
            return 0;
        *point = *point << 6 | (byte & 0x3fu);
    }
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[len] || *point > 0x10ffff || surrogate ? 0 : len;
}

static bool is_deceptive(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
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
    size_t len = decode(s, &point);
    struct str character = {.data = s.data, .len = len ? len : 1};
    if (len == 0 || is_deceptive(point)) {
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
