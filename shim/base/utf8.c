/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes UTF-8 strictly and knows the few ranges of Unicode that matter on a terminal. */
#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

static bool is_in(uint32_t point, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

#define IS_IN(point, ranges) is_in(point, ranges, sizeof(ranges) / sizeof((ranges)[0]))

size_t utf8_decode(struct str s, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)s.data[0];
    if (lead < 0x80) {
        *point = lead;
        return 1;
    }
    size_t len = lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (len == 0 || len > s.len)
        return 0;
    uint32_t value = lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char byte = (unsigned char)s.data[i];
        if (byte >> 6 != 2)
            return 0;
        value = value << 6 | (byte & 0x3fu);
    }
    bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[len] || value > 0x10ffff || is_surrogate)
        return 0;
    *point = value;
    return len;
}

bool utf8_is_deceptive(uint32_t point)
{
    static const struct range ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff},
    };
    return IS_IN(point, ranges);
}

unsigned utf8_width(uint32_t point)
{
    static const struct range none[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x64b, 0x65f},   {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (point < 0x300)
        return 1;
    return IS_IN(point, none) ? 0 : IS_IN(point, wide) ? 2 : 1;
}
