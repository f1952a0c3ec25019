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
    unsigned char byte = (unsigned char)s.data[0];
    if ((byte >= 0x20 && byte < 0x7f) || byte == '\n')
        return 1; /* nearly all of a file */
    uint32_t point;
    size_t len = utf8_decode(s, &point);
    if (len == 0)
        return 0;
    if (point == '\r')
        return s.len > 1 && s.data[1] == '\n' ? 1 : 0;
    return utf8_is_deceptive(point) && point != '\t' ? 0 : len;
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

static size_t digits(struct str text, size_t at, const char *set)
{
    while (at < text.len && strchr(set, text.data[at]))
        at++;
    return at;
}

static bool is_prefixed_number(struct str text)
{
    static const struct {
        struct str prefix;
        const char *set;
    } bases[] = {
        {{"0x", 2}, "0123456789abcdefABCDEF_"}, {{"0o", 2}, "01234567_"}, {{"0b", 2}, "01_"}};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (str_starts(text, bases[i].prefix))
            return text.len > 2 && digits(text, 2, bases[i].set) == text.len;
    }
    return false;
}

static bool is_exponent(struct str text)
{
    if (text.len == 0 || (text.data[0] != 'e' && text.data[0] != 'E'))
        return false;
    size_t sign = text.len > 1 && (text.data[1] == '-' || text.data[1] == '+') ? 1 : 0;
    return text.len > 1 + sign && digits(text, 1 + sign, "0123456789") == text.len;
}

/* 10, -1_000, 0x1F, 0o17, 0b1, 1.5, .5, 1e3: what one of YAML's two schemas reads as a number. */
static bool is_number(struct str text)
{
    static const char decimal[] = "0123456789_";
    bool is_signed = text.data[0] == '-' || text.data[0] == '+';
    struct str rest = rest_of(text, is_signed ? 1 : 0);
    size_t first = rest.len && rest.data[0] == '.' ? 1 : 0;
    if (first >= rest.len || rest.data[first] < '0' || rest.data[first] > '9')
        return false;
    if (is_prefixed_number(rest))
        return true;
    size_t end = digits(rest, 0, decimal);
    if (end < rest.len && rest.data[end] == '.')
        end = digits(rest, end + 1, decimal);
    return end == rest.len || is_exponent(rest_of(rest, end));
}

static const struct {
    struct str word;
    enum yaml_type type;
} words[] = {
    {{"null", 4}, YAML_NULL},     {{"Null", 4}, YAML_NULL},     {{"NULL", 4}, YAML_NULL},
    {{"~", 1}, YAML_NULL},        {{"true", 4}, YAML_BOOLEAN},  {{"True", 4}, YAML_BOOLEAN},
    {{"TRUE", 4}, YAML_BOOLEAN},  {{"false", 5}, YAML_BOOLEAN}, {{"False", 5}, YAML_BOOLEAN},
    {{"FALSE", 5}, YAML_BOOLEAN}, {{"yes", 3}, YAML_BOOLEAN},   {{"Yes", 3}, YAML_BOOLEAN},
    {{"YES", 3}, YAML_BOOLEAN},   {{"no", 2}, YAML_BOOLEAN},    {{"No", 2}, YAML_BOOLEAN},
    {{"NO", 2}, YAML_BOOLEAN},    {{"on", 2}, YAML_BOOLEAN},    {{"On", 2}, YAML_BOOLEAN},
    {{"ON", 2}, YAML_BOOLEAN},    {{"off", 3}, YAML_BOOLEAN},   {{"Off", 3}, YAML_BOOLEAN},
    {{"OFF", 3}, YAML_BOOLEAN},   {{"y", 1}, YAML_BOOLEAN},     {{"Y", 1}, YAML_BOOLEAN},
    {{"n", 1}, YAML_BOOLEAN},     {{"N", 1}, YAML_BOOLEAN},     {{".inf", 4}, YAML_NUMBER},
    {{".Inf", 4}, YAML_NUMBER},   {{".INF", 4}, YAML_NUMBER},   {{"-.inf", 5}, YAML_NUMBER},
    {{"-.Inf", 5}, YAML_NUMBER},  {{"-.INF", 5}, YAML_NUMBER},  {{"+.inf", 5}, YAML_NUMBER},
    {{"+.Inf", 5}, YAML_NUMBER},  {{"+.INF", 5}, YAML_NUMBER},  {{".nan", 4}, YAML_NUMBER},
    {{".NaN", 4}, YAML_NUMBER},   {{".NAN", 4}, YAML_NUMBER},
};

enum yaml_type yaml_plain_type(struct str text)
{
    if (text.len == 0)
        return YAML_NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].word.data[0] == text.data[0] && str_eq(words[i].word, text))
            return words[i].type;
    }
    return is_number(text) ? YAML_NUMBER : YAML_STRING;
}
