/* SPDX-License-Identifier: Apache-2.0 */
/* Makes any bytes fit for a JSON record: escapes what is not text, cuts what is too long. */
#include "audit/text.h"

#include <stdio.h>

#include "base/utf8.h"

/* "…[+18446744073709551615 bytes]", the first character being \u2026 in JSON. */
#define MARK_ROOM ((size_t)40)

/* How far a text is: bytes read, bytes written, bytes in JSON. */
struct progress {
    size_t read, written, cost;
};

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static bool must_escape(const unsigned char *at, size_t left, size_t len)
{
    return len == 0 || *at == 0 || *at == 0x7F || (*at == '\\' && left > 1 && at[1] == 'x');
}

/* How many bytes a character of `len` bytes takes in a JSON string in ASCII, at most. */
static size_t json_cost(unsigned char lead, size_t len)
{
    if (len == 4)
        return 12; /* a surrogate pair */
    if (len > 1 || lead < 0x20)
        return 6;
    return is_plain(lead) ? 1 : 2;
}

/* Writes the next character or escape; false, and nothing is written, when `limit` is too small. */
static bool step(struct str from, size_t limit, char *buf, struct progress *at)
{
    const unsigned char *next = (const unsigned char *)from.data + at->read;
    size_t left = from.len - at->read;
    uint32_t point;
    size_t len = utf8_decode((struct str){.data = from.data + at->read, .len = left}, &point);
    bool escape = must_escape(next, left, len);
    size_t cost = escape ? 5 : json_cost(*next, len);
    if (at->cost + cost > limit)
        return false;
    at->cost += cost;
    if (escape) {
        static const char digits[] = "0123456789ABCDEF";
        char hex[] = {'\\', 'x', digits[*next >> 4], digits[*next & 15]};
        memcpy(buf + at->written, hex, sizeof(hex));
        at->written += sizeof(hex);
        at->read++;
    } else {
        memcpy(buf + at->written, next, len);
        at->written += len;
        at->read += len;
    }
    return true;
}

struct str text_clean(struct str from, size_t limit, char *buf, size_t *cost)
{
    size_t plain = 0;
    while (plain < from.len && plain < limit && is_plain((unsigned char)from.data[plain]))
        plain++;
    *cost = plain;
    if (plain == from.len)
        return (struct str){.data = from.data ? from.data : "", .len = from.len};

    struct progress at = {0}, room_for_mark = {0};
    while (at.read < from.len && step(from, limit, buf, &at)) {
        if (at.cost + MARK_ROOM <= limit)
            room_for_mark = at;
    }
    if (at.read < from.len) {
        at = room_for_mark;
        char mark[MARK_ROOM];
        int len = snprintf(mark, sizeof(mark), "\u2026[+%zu bytes]", from.len - at.read);
        memcpy(buf + at.written, mark, (size_t)len);
        at.written += (size_t)len;
        at.cost += MARK_ROOM;
    }
    *cost = at.cost;
    return (struct str){.data = buf, .len = at.written};
}
