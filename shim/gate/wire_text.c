/* SPDX-License-Identifier: Apache-2.0 */
/* Validates UTF-8: eight ASCII bytes at a time where it can, else by the table of Unicode 3-7. */
#include "gate/wire_text.h"

/* Whether none of the eight bytes is NUL or has its top bit set. A NUL borrows from the byte above
 * it, so the difference may show the bit in a wrong byte, but never misses it. */
static bool plain_ascii(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    uint64_t tops = UINT64_C(0x8080808080808080);
    return ((word | (word - UINT64_C(0x0101010101010101))) & tops) == 0;
}

static bool between(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

/* The bytes of the character at `s`, `room` of them at most; 0 when it is none. */
static size_t character(const unsigned char *s, size_t room)
{
    unsigned char first = s[0];
    if (first < 0x80)
        return first != 0;
    if (room >= 2 && between(first, 0xc2, 0xdf))
        return between(s[1], 0x80, 0xbf) ? 2 : 0;
    if (room >= 3 && between(first, 0xe0, 0xef)) {
        unsigned char low = first == 0xe0 ? 0xa0 : 0x80;  /* below: overlong */
        unsigned char high = first == 0xed ? 0x9f : 0xbf; /* above: surrogates */
        return between(s[1], low, high) && between(s[2], 0x80, 0xbf) ? 3 : 0;
    }
    if (room >= 4 && between(first, 0xf0, 0xf4)) {
        unsigned char low = first == 0xf0 ? 0x90 : 0x80;  /* below: overlong */
        unsigned char high = first == 0xf4 ? 0x8f : 0xbf; /* above: over U+10FFFF */
        return between(s[1], low, high) && between(s[2], 0x80, 0xbf) && between(s[3], 0x80, 0xbf)
                   ? 4
                   : 0;
    }
    return 0;
}

size_t wire_text_valid(struct str s)
{
    const unsigned char *bytes = (const unsigned char *)s.data;
    size_t at = 0;
    while (at < s.len) {
        if (s.len - at >= sizeof(uint64_t) && plain_ascii(bytes + at)) {
            at += sizeof(uint64_t);
            continue;
        }
        size_t length = character(bytes + at, s.len - at);
        if (length == 0)
            return at;
        at += length;
    }
    return s.len;
}
