/* SPDX-License-Identifier: Apache-2.0 */
/* TOML's four kinds of strings: where each ends, and what it says. */
#include "setup/toml_string.h"

#include "setup/toml.h"

/* How many of the quotation mark stand at the front, up to `most`. */
static size_t quotes(struct str text, size_t from, char mark, size_t most)
{
    size_t count = 0;
    while (count < most && from + count < text.len && text.data[from + count] == mark)
        count++;
    return count;
}

static size_t multi_line_len(struct str text, char mark)
{
    for (size_t i = 3; i < text.len; i++) {
        if (mark == '"' && text.data[i] == '\\')
            i++; /* what is escaped is no mark */
        else if (text.data[i] == mark) {
            size_t count = quotes(text, i, mark, 5); /* two of them may belong to the text */
            if (count >= 3)
                return i + count;
            i += count - 1;
        }
    }
    return 0;
}

static size_t one_line_len(struct str text, char mark)
{
    bool escaped = false;
    for (size_t i = 1; i < text.len && text.data[i] != '\n'; i++) {
        if (!escaped && text.data[i] == mark)
            return i + 1;
        escaped = !escaped && mark == '"' && text.data[i] == '\\';
    }
    return 0;
}

size_t toml_string_len(struct str text)
{
    char mark = text.data[0];
    return quotes(text, 0, mark, 3) == 3 ? multi_line_len(text, mark) : one_line_len(text, mark);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One code point of \u or \U as UTF-8; the bytes written, 0 when it is none. */
static size_t put_point(struct str digits, char *out)
{
    uint32_t point = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = hex_digit(digits.data[i]);
        if (digit < 0)
            return 0;
        point = point << 4 | (uint32_t)digit;
    }
    if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(lead[len] | point);
    return len;
}

/* The escape at `*at`, behind its backslash; moves `*at` behind it. The bytes written, 0: wrong. */
static size_t put_escape(struct str body, size_t *at, char *out)
{
    static const char letters[] = "btnfr\"\\", means[] = "\b\t\n\f\r\"\\";
    char letter = body.data[(*at)++];
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        *out = means[found - letters];
        return 1;
    }
    size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0 || body.len - *at < digits)
        return 0;
    size_t len = put_point((struct str){.data = body.data + *at, .len = digits}, out);
    *at += digits;
    return len;
}

bool toml_string(struct str raw, struct arena *arena, struct str *value)
{
    if (raw.len < 2 || (raw.data[0] != '"' && raw.data[0] != '\'') ||
        toml_string_len(raw) != raw.len || memchr(raw.data, '\n', raw.len))
        return false; /* strings over several lines are no name and no path */
    size_t marks = quotes(raw, 0, raw.data[0], 3) == 3 && raw.len >= 6 ? 3 : 1;
    struct str body = {.data = raw.data + marks, .len = raw.len - 2 * marks};
    char *out = arena_alloc(arena, body.len + 1); /* no escape is shorter than what it means */
    size_t len = 0;
    if (!out)
        return false;
    for (size_t i = 0; i < body.len;) {
        char c = body.data[i++];
        if (c != '\\' || raw.data[0] == '\'') {
            out[len++] = c;
            continue;
        }
        size_t put = i < body.len ? put_escape(body, &i, out + len) : 0;
        if (put == 0)
            return false;
        len += put;
    }
    *value = (struct str){.data = out, .len = len};
    return true;
}

static size_t skip_space(struct str raw, size_t at)
{
    while (at < raw.len && strchr(" \t\r\n#", raw.data[at])) {
        if (raw.data[at] == '#')
            while (at < raw.len && raw.data[at] != '\n')
                at++;
        else
            at++;
    }
    return at;
}

bool toml_strings(struct str raw, struct arena *arena, struct str **values, size_t *count)
{
    if (raw.len < 2 || raw.data[0] != '[')
        return false;
    struct str *list = arena_array(arena, raw.len / 2, sizeof(*list)); /* "" is the shortest */
    if (!list)
        return false;
    size_t found = 0, at = skip_space(raw, 1);
    while (at < raw.len && raw.data[at] != ']') {
        struct str rest = {.data = raw.data + at, .len = raw.len - at};
        if (rest.data[0] != '"' && rest.data[0] != '\'')
            return false;
        rest.len = toml_string_len(rest);
        if (rest.len == 0 || !toml_string(rest, arena, &list[found++]))
            return false;
        at = skip_space(raw, at + rest.len);
        if (at < raw.len && raw.data[at] == ',')
            at = skip_space(raw, at + 1);
    }
    *values = list;
    *count = found;
    return at < raw.len;
}
