/* SPDX-License-Identifier: Apache-2.0 */
/* Checks characters, and tells plain booleans, numbers and nulls from strings. */
#include "config/yaml_text.h"

#include "base/utf8.h"

static struct str rest_of(struct str s, size_t offset)
{
    return (struct str){.data = s.data + offset, .len = s.len - offset};
}

/* The length of the good character in front of `s`; 0 when it is a bad one. */
static size_t good_character(struct str s)
{
    uint32_t point;
    size_t len = utf8_decode(s, &point);
    if (len == 0)
        return 0;
    if (point == '\r')
        return s.len > 1 && s.data[1] == '\n' ? 1 : 0;
    return utf8_is_deceptive(point) && point != '\n' && point != '\t' ? 0 : len;
}

static struct place place_at(struct str text, size_t offset)
{
    struct place at = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset; i += good_character(rest_of(text, i))) {
        at.column++;
        if (text.data[i] == '\n')
            at = (struct place){.line = at.line + 1, .column = 1};
    }
    return at;
}

static int fail(struct diag_source *source, struct diags *diags, size_t offset)
{
    struct place at = place_at(source->text, offset);
    uint32_t point;
    if (utf8_decode(rest_of(source->text, offset), &point) == 0)
        diags_add(diags, DIAG_ERROR, source, at, "save the file as UTF-8",
                  "byte 0x%02x is not UTF-8 here", (unsigned char)source->text.data[offset]);
    else
        diags_add(diags, DIAG_ERROR, source, at, "remove it; in a value write it as an escape",
                  "character U+%04X is not allowed: it can hide text from a reader", point);
    return -1;
}

int yaml_text_check(struct diag_source *source, struct diags *diags)
{
    static const struct str byte_order_mark = {.data = "\xef\xbb\xbf", .len = 3};
    if (str_starts(source->text, byte_order_mark))
        source->text = rest_of(source->text, byte_order_mark.len);
    for (size_t offset = 0; offset < source->text.len;) {
        size_t len = good_character(rest_of(source->text, offset));
        if (len == 0)
            return fail(source, diags, offset);
        offset += len;
    }
    return 0;
}

static bool is_one_of(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(text, str_of(words[i])))
            return true;
    }
    return false;
}

#define IS_ONE_OF(text, words) is_one_of(text, words, sizeof(words) / sizeof((words)[0]))

static size_t digits(struct str text, size_t at, const char *set)
{
    while (at < text.len && strchr(set, text.data[at]))
        at++;
    return at;
}

/* 10, -1_000, 0x1F, 0o17, 0b1, 1.5, .5, 1e3: what one of YAML's two schemas reads as a number. */
static bool is_number(struct str text)
{
    size_t at = text.data[0] == '-' || text.data[0] == '+' ? 1 : 0;
    struct str rest = rest_of(text, at);
    static const struct {
        struct str prefix;
        const char *set;
    } bases[] = {
        {{"0x", 2}, "0123456789abcdefABCDEF_"}, {{"0o", 2}, "01234567_"}, {{"0b", 2}, "01_"}};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (str_starts(rest, bases[i].prefix))
            return rest.len > 2 && digits(rest, 2, bases[i].set) == rest.len;
    }
    size_t whole = digits(rest, 0, "0123456789_");
    size_t end = whole;
    if (end < rest.len && rest.data[end] == '.')
        end = digits(rest, end + 1, "0123456789_");
    bool has_digit = rest.len && (rest.data[0] != '.' ? whole > 0 && rest.data[0] != '_'
                                                      : end > 1 && rest.data[1] != '_');
    if (has_digit && end < rest.len && (rest.data[end] == 'e' || rest.data[end] == 'E')) {
        end++;
        if (end < rest.len && (rest.data[end] == '-' || rest.data[end] == '+'))
            end++;
        size_t exponent = end;
        end = digits(rest, end, "0123456789");
        has_digit = end > exponent;
    }
    return has_digit && end == rest.len;
}

enum yaml_type yaml_plain_type(struct str text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const booleans[] = {
        "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No",
        "NO",   "on",   "On",   "ON",    "off",   "Off",   "OFF", "y",   "Y",   "n",  "N"};
    static const char *const numbers[] = {".inf",  ".Inf",  ".INF",  "-.inf", "-.Inf", "-.INF",
                                          "+.inf", "+.Inf", "+.INF", ".nan",  ".NaN",  ".NAN"};
    if (text.len <= 5) {
        if (IS_ONE_OF(text, nulls))
            return YAML_NULL;
        if (IS_ONE_OF(text, booleans))
            return YAML_BOOLEAN;
        if (IS_ONE_OF(text, numbers))
            return YAML_NUMBER;
    }
    return is_number(text) ? YAML_NUMBER : YAML_STRING;
}
