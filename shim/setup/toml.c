/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the text: headers, dotted keys and inline tables become a flat list of paths. */
#include "setup/toml.h"

#include "setup/toml_string.h"

/* A path that is being put together. */
struct path {
    struct str keys[TOML_KEYS_MAX];
    size_t count;
};

struct scanner {
    const char *at, *end;
    uint32_t line;
    unsigned depth; /* arrays and inline tables around */
    struct path table;
    struct arena *arena;
    struct toml *toml;
    size_t room;
    struct err *err;
};

#define fail(scanner, ...) fail_at((scanner)->line, (scanner)->err, __VA_ARGS__)

static int fail_at(uint32_t line, struct err *err, const char *what)
{
    return err_set(err, "line %u: %s", line, what);
}

static bool is_at(const struct scanner *scanner, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(scanner->end - scanner->at) >= len && memcmp(scanner->at, text, len) == 0;
}

static void skip_blank(struct scanner *scanner)
{
    while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\t'))
        scanner->at++;
}

static void skip_comment(struct scanner *scanner)
{
    if (is_at(scanner, "#"))
        while (scanner->at < scanner->end && *scanner->at != '\n')
            scanner->at++;
}

/* One line's end, if it is there. */
static bool skip_newline(struct scanner *scanner)
{
    size_t len = is_at(scanner, "\n") ? 1 : is_at(scanner, "\r\n") ? 2 : 0;
    scanner->at += len;
    scanner->line += len ? 1 : 0;
    return len != 0;
}

/* What may stand between an array's values. */
static void skip_space(struct scanner *scanner)
{
    do {
        skip_blank(scanner);
        skip_comment(scanner);
    } while (skip_newline(scanner));
}

/* --- keys ---------------------------------------------------------------------------------- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static int read_key_part(struct scanner *scanner, struct str *key)
{
    const char *start = scanner->at;
    if (is_at(scanner, "\"") || is_at(scanner, "'")) {
        struct str rest = {.data = start, .len = (size_t)(scanner->end - start)};
        size_t len = toml_string_len(rest);
        bool spans = len >= 6 && memcmp(start, start + 1, 1) == 0 && start[2] == start[0];
        if (len == 0 || spans)
            return fail(scanner, "a key in quotes is not closed");
        scanner->at += len;
        if (!toml_string((struct str){.data = start, .len = len}, scanner->arena, key))
            return fail(scanner, "a key in quotes cannot be read");
        return 0;
    }
    while (scanner->at < scanner->end && is_bare(*scanner->at))
        scanner->at++;
    *key = (struct str){.data = start, .len = (size_t)(scanner->at - start)};
    return key->len ? 0 : fail(scanner, "a key should stand here");
}

/* Appends a dotted key to `path`, and skips the blanks behind it. */
static int read_key(struct scanner *scanner, struct path *path)
{
    for (;;) {
        if (path->count == TOML_KEYS_MAX)
            return fail(scanner, "a key has too many parts");
        skip_blank(scanner);
        if (read_key_part(scanner, &path->keys[path->count]) < 0)
            return -1;
        path->count++;
        skip_blank(scanner);
        if (!is_at(scanner, "."))
            return 0;
        scanner->at++;
    }
}

/* --- entries ------------------------------------------------------------------------------- */

static struct toml_entry *add(struct scanner *scanner, enum toml_kind kind, const struct path *path)
{
    struct toml *toml = scanner->toml;
    if (toml->count == scanner->room) {
        size_t room = scanner->room ? 2 * scanner->room : 64;
        struct toml_entry *items = arena_array(scanner->arena, room, sizeof(*items));
        if (!items)
            return NULL;
        if (toml->count)
            memcpy(items, toml->items, toml->count * sizeof(*items));
        toml->items = items;
        scanner->room = room;
    }
    struct str *keys = arena_array(scanner->arena, path->count, sizeof(*keys));
    if (!keys)
        return NULL;
    memcpy(keys, path->keys, path->count * sizeof(*keys));
    struct toml_entry *entry = &toml->items[toml->count++];
    *entry = (struct toml_entry){
        .kind = kind, .path = keys, .depth = path->count, .raw = STR(""), .line = scanner->line};
    return entry;
}

static int read_value(struct scanner *scanner, const struct path *path);

/* `key = value`; the key is put behind `base`. NULL as a base: inside an array, not kept. */
static int read_pair(struct scanner *scanner, const struct path *base)
{
    struct path path = {.count = 0};
    if (base)
        path = *base;
    if (read_key(scanner, &path) < 0)
        return -1;
    if (!is_at(scanner, "="))
        return fail(scanner, "\"=\" should stand behind the key");
    scanner->at++;
    skip_blank(scanner);
    return read_value(scanner, base ? &path : NULL);
}

/* --- values -------------------------------------------------------------------------------- */

static int read_string(struct scanner *scanner)
{
    struct str rest = {.data = scanner->at, .len = (size_t)(scanner->end - scanner->at)};
    size_t len = toml_string_len(rest);
    if (len == 0)
        return fail(scanner, "a string is not closed");
    for (size_t i = 0; i < len; i++)
        scanner->line += scanner->at[i] == '\n';
    scanner->at += len;
    return 0;
}

static int read_array(struct scanner *scanner)
{
    scanner->at++;
    for (;;) {
        skip_space(scanner);
        if (is_at(scanner, "]"))
            break;
        if (read_value(scanner, NULL) < 0)
            return -1;
        skip_space(scanner);
        if (is_at(scanner, ","))
            scanner->at++;
        else if (!is_at(scanner, "]"))
            return fail(scanner, "\",\" or \"]\" should stand here");
    }
    scanner->at++;
    return 0;
}

static int read_inline_table(struct scanner *scanner, const struct path *path)
{
    scanner->at++;
    skip_blank(scanner);
    bool more = !is_at(scanner, "}");
    while (more) {
        if (read_pair(scanner, path) < 0)
            return -1;
        skip_blank(scanner);
        more = is_at(scanner, ",");
        if (more)
            scanner->at++;
        else if (!is_at(scanner, "}"))
            return fail(scanner, "\",\" or \"}\" should stand here");
    }
    scanner->at++;
    return 0;
}

/* A number, a boolean or a time: not looked into. */
static int read_plain(struct scanner *scanner)
{
    const char *start = scanner->at;
    while (scanner->at < scanner->end && (is_bare(*scanner->at) || *scanner->at == '+' ||
                                          *scanner->at == '.' || *scanner->at == ':'))
        scanner->at++;
    return scanner->at > start ? 0 : fail(scanner, "a value should stand here");
}

static int read_by_kind(struct scanner *scanner, const struct path *path)
{
    if (is_at(scanner, "\"") || is_at(scanner, "'"))
        return read_string(scanner);
    if (is_at(scanner, "["))
        return read_array(scanner);
    if (is_at(scanner, "{"))
        return read_inline_table(scanner, path);
    return read_plain(scanner);
}

static int read_value(struct scanner *scanner, const struct path *path)
{
    const char *start = scanner->at;
    size_t index = scanner->toml->count;
    enum toml_kind kind = is_at(scanner, "{") ? TOML_INLINE_TABLE : TOML_VALUE;
    if (path && !add(scanner, kind, path))
        return fail(scanner, "memory is out");
    if (++scanner->depth > TOML_DEPTH_MAX)
        return fail(scanner, "arrays or inline tables are nested too deep");
    if (read_by_kind(scanner, path) < 0)
        return -1;
    scanner->depth--;
    if (path)
        scanner->toml->items[index].raw =
            (struct str){.data = start, .len = (size_t)(scanner->at - start)};
    return 0;
}

/* --- lines --------------------------------------------------------------------------------- */

static int read_header(struct scanner *scanner)
{
    bool is_item = is_at(scanner, "[[");
    scanner->at += is_item ? 2 : 1;
    scanner->table.count = 0;
    if (read_key(scanner, &scanner->table) < 0)
        return -1;
    if (!is_at(scanner, is_item ? "]]" : "]"))
        return fail(scanner, "a table's header is not closed");
    scanner->at += is_item ? 2 : 1;
    if (!add(scanner, is_item ? TOML_TABLE_ITEM : TOML_TABLE, &scanner->table))
        return fail(scanner, "memory is out");
    return 0;
}

static int read_line(struct scanner *scanner)
{
    skip_blank(scanner);
    int rc = 0;
    if (is_at(scanner, "["))
        rc = read_header(scanner);
    else if (scanner->at < scanner->end && !strchr("#\r\n", *scanner->at))
        rc = read_pair(scanner, &scanner->table);
    if (rc < 0)
        return -1;
    skip_blank(scanner);
    skip_comment(scanner);
    if (skip_newline(scanner) || scanner->at == scanner->end)
        return 0;
    return fail(scanner, "something stands behind the end of this line's value or header");
}

/* TOML knows no control characters but tab and line ends. */
static int check_characters(struct str text, struct err *err)
{
    uint32_t line = 1;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_line_end =
            byte == '\n' || (byte == '\r' && i + 1 < text.len && text.data[i + 1] == '\n');
        if ((byte < 0x20 && byte != '\t' && !is_line_end) || byte == 0x7f)
            return fail_at(line, err, "it has a control character, which TOML does not allow");
        line += byte == '\n';
    }
    return 0;
}

int toml_read(struct str text, struct arena *arena, struct toml *toml, struct err *err)
{
    struct scanner scanner = {.at = text.data,
                              .end = text.data + text.len,
                              .line = 1,
                              .arena = arena,
                              .toml = toml,
                              .err = err};
    *toml = (struct toml){0};
    if (check_characters(text, err) < 0)
        return -1;
    while (scanner.at < scanner.end) {
        if (read_line(&scanner) < 0)
            return -1;
    }
    return 0;
}

/* --- looking things up --------------------------------------------------------------------- */

bool toml_under(const struct toml_entry *entry, const struct str *keys, size_t count)
{
    if (entry->depth < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(entry->path[i], keys[i]))
            return false;
    }
    return true;
}

const struct toml_entry *toml_find(const struct toml *toml, const struct str *keys, size_t count)
{
    for (size_t i = 0; i < toml->count; i++) {
        if (toml->items[i].depth == count && toml_under(&toml->items[i], keys, count))
            return &toml->items[i];
    }
    return NULL;
}
