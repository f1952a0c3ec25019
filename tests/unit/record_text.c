/* SPDX-License-Identifier: Apache-2.0 */
/* Text for records: escapes that can be undone, cuts that show, costs that hold. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "audit/text.h"

#define LIMIT 512

static struct str clean(struct str from, size_t limit)
{
    static char buf[8192];
    size_t cost;
    struct str text = text_clean(from, limit, buf, &cost);
    cr_assert_leq(cost, limit);

    json_t *value = json_stringn(text.data, text.len);
    cr_assert_not_null(value, "not UTF-8: %.*s", STR_FMT(text));
    size_t quoted = json_dumpb(value, NULL, 0, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    cr_assert_leq(quoted - 2, cost);
    json_decref(value);
    cr_assert_null(memchr(text.data, 0, text.len));
    return text;
}

static void is_cleaned(struct str from, struct str to)
{
    struct str text = clean(from, LIMIT);
    cr_assert(str_eq(text, to), "%.*s, not %.*s", STR_FMT(text), STR_FMT(to));
}

Test(record_text, keeps_what_is_text)
{
    is_cleaned(STR(""), STR(""));
    is_cleaned((struct str){0}, STR(""));
    is_cleaned(STR("build-7"), STR("build-7"));
    is_cleaned(STR("say \"hi\"\t\x01\n"), STR("say \"hi\"\t\x01\n"));
    is_cleaned(STR("h\u00e9 \u2028 \U0001F600"), STR("h\u00e9 \u2028 \U0001F600"));
    is_cleaned(STR("\xEF\xBF\xBF \xF4\x8F\xBF\xBF"), STR("\xEF\xBF\xBF \xF4\x8F\xBF\xBF"));
}

Test(record_text, escapes_what_is_not_text)
{
    is_cleaned(STR("a\0b\x7F"), STR("a\\x00b\\x7F"));
    is_cleaned(STR("\xff\xFEz"), STR("\\xFF\\xFEz"));
    is_cleaned(STR("\xC0\x80"), STR("\\xC0\\x80"));
    is_cleaned(STR("\xE0\x9F\xBF"), STR("\\xE0\\x9F\\xBF"));
    is_cleaned(STR("\xED\xA0\x80"), STR("\\xED\\xA0\\x80"));
    is_cleaned(STR("\xF0\x8F\xBF\xBF"), STR("\\xF0\\x8F\\xBF\\xBF"));
    is_cleaned(STR("\xF4\x90\x80\x80"), STR("\\xF4\\x90\\x80\\x80"));
    is_cleaned(STR("\xE2\x80"), STR("\\xE2\\x80"));
    is_cleaned(STR("\xE2\x80g"), STR("\\xE2\\x80g"));
}

Test(record_text, keeps_backslashes_unambiguous)
{
    is_cleaned(STR("C:\\dir\\"), STR("C:\\dir\\"));
    is_cleaned(STR("\\x41"), STR("\\x5Cx41"));
    is_cleaned(STR("\\\\x"), STR("\\\\x5Cx"));
    is_cleaned(STR("\\\xff"), STR("\\\\xFF"));
}

Test(record_text, marks_a_cut)
{
    char big[1000];
    memset(big, 'a', sizeof(big));
    struct str text = clean((struct str){big, sizeof(big)}, LIMIT);
    char want[1024];
    int len = snprintf(want, sizeof(want), "%.472s\u2026[+528 bytes]", big);
    cr_assert(str_eq(text, (struct str){want, (size_t)len}), "%.*s", STR_FMT(text));

    is_cleaned((struct str){big, LIMIT}, (struct str){big, LIMIT});
}

Test(record_text, cuts_between_characters)
{
    char big[1024];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(big, 'a', shift);
        for (size_t i = shift; i + 4 <= sizeof(big); i += 4)
            memcpy(big + i, "\U0001F600", 4);
        struct str text = clean((struct str){big, sizeof(big) - 4}, LIMIT);
        cr_assert_null(memmem(text.data, text.len, "\\x", 2));
        cr_assert_not_null(memmem(text.data, text.len, "\u2026[+", 5));
    }
}

/* The decoder that text.h promises. */
static size_t decode(struct str text, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\' && i + 1 < text.len && text.data[i + 1] == 'x') {
            char hex[3] = {text.data[i + 2], text.data[i + 3], 0};
            to[len++] = (char)strtoul(hex, NULL, 16);
            i += 3;
        } else {
            to[len++] = text.data[i];
        }
    }
    return len;
}

Test(record_text, gives_back_what_came_in)
{
    srandom(7);
    static const char likely[] = "\\x\\x5C\xff\xe2\x80\xa8\0\x7f"
                                 "az\"";
    for (int round = 0; round < 20000; round++) {
        char from[64], back[256];
        size_t len = (size_t)random() % sizeof(from);
        for (size_t i = 0; i < len; i++)
            from[i] = random() % 4 ? likely[(size_t)random() % sizeof(likely)] : (char)random();
        size_t got = decode(clean((struct str){from, len}, 4096), back);
        cr_assert_eq(got, len);
        cr_assert_eq(memcmp(from, back, len), 0);
    }
}

Test(record_text, holds_its_limit)
{
    static char from[4096];
    srandom(8);
    for (int round = 0; round < 2000; round++) {
        size_t limit = TEXT_LIMIT_MIN + (size_t)random() % 4000;
        bool plain = random() % 2;
        for (size_t i = 0; i < sizeof(from); i++)
            from[i] = plain ? (char)('a' + random() % 26) : (char)random();
        clean((struct str){from, (size_t)random() % sizeof(from)}, limit);
    }
}
