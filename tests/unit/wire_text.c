/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: every character, every way to be none, at every place in a word. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "gate/wire_text.h"

static bool valid(const unsigned char *bytes, size_t len)
{
    return wire_text_valid((struct str){.data = (const char *)bytes, .len = len}) == len;
}

/* As the Unicode standard defines the encoding, by arithmetic instead of by ranges of bytes. */
static size_t encode(uint32_t point, unsigned char *to)
{
    if (point < 0x80) {
        to[0] = (unsigned char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, point >>= 6)
        to[i] = (unsigned char)(0x80 | (point & 0x3f));
    to[0] = (unsigned char)(heads[len] | point);
    return len;
}

Test(wire_text, takes_each_character)
{
    unsigned char bytes[4];
    for (uint32_t point = 1; point <= 0x10ffff; point++) {
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        size_t len = encode(point, bytes);
        if (valid(bytes, len) != !surrogate)
            cr_assert_fail("U+%04X", point);
    }
}

/* All that was not encoded above must be refused: count what is taken. */
Test(wire_text, takes_nothing_else)
{
    const size_t one = 127, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
    size_t taken = 0;
    for (uint32_t word = 0; word < 1u << 16; word++)
        taken += valid((unsigned char[]){word & 0xff, word >> 8}, 2);
    cr_assert_eq(taken, one * one + two);

    taken = 0;
    for (uint32_t word = 0; word < 1u << 24; word++)
        taken += valid((unsigned char[]){word & 0xff, word >> 8 & 0xff, word >> 16}, 3);
    cr_assert_eq(taken, one * one * one + 2 * one * two + three);

    static const unsigned char lasts[] = {0x7f, 0x80, 0xbf, 0xc0};
    taken = 0;
    for (uint32_t word = 0; word < 1u << 19; word++) {
        unsigned char bytes[] = {0xf0 | (word & 7), word >> 3 & 0xff, word >> 11 & 0xff, 0};
        for (size_t i = 0; i < sizeof(lasts); i++) {
            bytes[3] = lasts[i];
            taken += valid(bytes, 4);
        }
    }
    cr_assert_eq(taken, 0x100000 / 64 * 2, "each third of a character, with its two good ends");
}

/* On the heap to the byte, so that a sanitizer sees a read past the end. */
static void expect_good(const unsigned char *bytes, size_t len, size_t good)
{
    unsigned char *exact = malloc(len ? len : 1);
    cr_assert_not_null(exact);
    memcpy(exact, bytes, len);
    size_t got = wire_text_valid((struct str){.data = (const char *)exact, .len = len});
    cr_expect_eq(got, good, "%zu bytes: good to %zu, not %zu", len, got, good);
    free(exact);
}

Test(wire_text, tells_where_it_ends_being_text)
{
    unsigned char bytes[32];
    static const unsigned char fills[] = {0x01, 0x7f, 'a'};
    for (size_t fill = 0; fill < sizeof(fills); fill++) {
        for (size_t len = 0; len <= sizeof(bytes); len++) {
            memset(bytes, fills[fill], sizeof(bytes));
            expect_good(bytes, len, len);
            for (size_t at = 0; at < len; at++) {
                bytes[at] = 0;
                expect_good(bytes, len, at);
                bytes[at] = 0x80;
                expect_good(bytes, len, at);
                bytes[at] = 0xf0; /* cut off, or followed by no continuation */
                expect_good(bytes, len, at);
                bytes[at] = fills[fill];
            }
        }
    }
}
