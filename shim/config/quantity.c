/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units: digits, then a suffix from a table. */
#include "config/quantity.h"

struct unit {
    struct str suffix;
    uint64_t factor;
};

/* Takes the digits at the start of `text` off it. */
static bool take_number(struct str *text, uint64_t *number)
{
    uint64_t value = 0;
    size_t len = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text->data[len] - '0'), &value))
            return false;
    }
    if (len == 0 || (len > 1 && text->data[0] == '0'))
        return false;
    *number = value;
    *text = (struct str){.data = text->data + len, .len = text->len - len};
    return true;
}

bool quantity_whole(struct str text, uint64_t *number)
{
    uint64_t value;
    if (!take_number(&text, &value) || text.len)
        return false;
    *number = value;
    return true;
}

bool quantity_bytes(struct str text, uint64_t *bytes)
{
    static const struct unit units[] = {{{"", 0}, 1},
                                        {{"Ki", 2}, UINT64_C(1) << 10},
                                        {{"Mi", 2}, UINT64_C(1) << 20},
                                        {{"Gi", 2}, UINT64_C(1) << 30},
                                        {{"k", 1}, 1000},
                                        {{"M", 1}, 1000 * 1000},
                                        {{"G", 1}, 1000 * 1000 * 1000}};
    uint64_t value;
    if (!take_number(&text, &value))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_eq(text, units[i].suffix))
            return !__builtin_mul_overflow(value, units[i].factor, bytes);
    }
    return false;
}

static uint64_t seconds_in(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 24 * 3600;
    default:
        return 0;
    }
}

bool quantity_seconds(struct str text, uint64_t *seconds)
{
    uint64_t sum = 0, number, above = UINT64_MAX;
    if (str_eq(text, STR("0"))) {
        *seconds = 0;
        return true;
    }
    do { /* each unit is smaller than the one before it */
        uint64_t factor = take_number(&text, &number) && text.len ? seconds_in(text.data[0]) : 0;
        if (factor == 0 || factor >= above || __builtin_mul_overflow(number, factor, &number) ||
            __builtin_add_overflow(sum, number, &sum))
            return false;
        above = factor;
        text = (struct str){.data = text.data + 1, .len = text.len - 1};
    } while (text.len);
    *seconds = sum;
    return true;
}
