/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the first fields of a line apart, in the order in which record.c writes them. */
#include "audit/record_scan.h"

#include "audit/record.h"

static bool take(struct str *rest, struct str expected)
{
    if (rest->len < expected.len || memcmp(rest->data, expected.data, expected.len) != 0)
        return false;
    rest->data += expected.len;
    rest->len -= expected.len;
    return true;
}

/* Digits without a zero in front, as jansson takes them. */
static bool take_number(struct str *rest, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < rest->len && rest->data[digits] >= '0' && rest->data[digits] <= '9') {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, rest->data[digits] - '0', number))
            return false;
        digits++;
    }
    if (digits == 0 || (digits > 1 && rest->data[0] == '0'))
        return false;
    rest->data += digits;
    rest->len -= digits;
    return true;
}

/* Up to the closing quote, which is taken too; our own words need no escapes. */
static bool take_word(struct str *rest, struct str *word)
{
    const char *quote = memchr(rest->data, '"', rest->len);
    if (!quote)
        return false;
    *word = (struct str){.data = rest->data, .len = (size_t)(quote - rest->data)};
    rest->len -= word->len + 1;
    rest->data = quote + 1;
    return word->len > 0 && !memchr(word->data, '\\', word->len);
}

static bool is_hex(struct str text, size_t length)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return text.len == length;
}

bool record_scan(struct str line, struct record_scan *scan)
{
    struct str rest = line;
    *scan = (struct record_scan){.stage = STR("")};
    if (line.len == 0 || line.data[line.len - 1] != '}')
        return false;
    if (!take(&rest, STR(RECORD_START)) || !take_number(&rest, &scan->seq) || scan->seq == 0 ||
        !take(&rest, STR(",\"prev\":\"")) || !take_word(&rest, &scan->prev) ||
        !take(&rest, STR(",\"instance\":\"")) || !take_word(&rest, &scan->instance) ||
        !take(&rest, STR(",\"type\":\"")) || !take_word(&rest, &scan->type))
        return false;
    if (take(&rest, STR(",\"stage\":\"")) && !take_word(&rest, &scan->stage))
        return false;
    return take(&rest, STR(",\"time\":\"")) && take_word(&rest, &scan->time) &&
           is_hex(scan->prev, RECORD_HASH_SIZE - 1) && is_hex(scan->instance, 32);
}
