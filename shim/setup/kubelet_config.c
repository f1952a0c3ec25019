/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the key's place in the tree of libyaml, and changes the bytes there. */
#include "setup/kubelet_config.h"

#include "base/utf8.h"
#include "config/reader.h"

#define KEY "containerRuntimeEndpoint"

/* A parsed configuration. */
struct document {
    struct diag_source source; /* its text is without a byte order mark */
    const struct yaml_node *root;
    const struct yaml_node *kind; /* the key */
    const struct yaml_node *key;  /* ours; NULL when it is not there */
    bool is_flow;                 /* in braces, as JSON is */
};

static const struct yaml_node *find_key(const struct yaml_node *mapping, const char *name)
{
    for (const struct yaml_node *key = mapping->first; key; key = key->next) {
        if (str_eq(key->text, str_of(name)))
            return key;
    }
    return NULL;
}

/* Where a place is in the text. */
static const char *find_place(const struct diag_source *source, struct place at)
{
    struct str rest = source->text;
    uint32_t point;
    for (uint32_t line = 1; line < at.line && rest.len; line++) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) + 1 : rest.len;
        rest = (struct str){.data = rest.data + len, .len = rest.len - len};
    }
    for (uint32_t column = 1; column < at.column && rest.len; column++) {
        size_t len = utf8_decode(rest, &point);
        len = len ? len : 1;
        rest = (struct str){.data = rest.data + len, .len = rest.len - len};
    }
    return rest.data;
}

static const char *text_end(const struct document *document)
{
    return document->source.text.data + document->source.text.len;
}

static bool is_at(const struct document *document, const char *at, char c)
{
    return at < text_end(document) && *at == c;
}

static int check_kind(const char *path, struct document *document, struct err *err)
{
    if (document->root->kind == YAML_MAPPING)
        document->kind = find_key(document->root, "kind");
    if (!document->kind || document->kind->value->kind != YAML_SCALAR ||
        !str_eq(document->kind->value->text, STR("KubeletConfiguration")))
        return err_set(err,
                       "%s is no KubeletConfiguration: name the kubelet's with "
                       "--kubelet-config",
                       path);
    document->key = find_key(document->root, KEY);
    if (document->key &&
        (document->key->value->kind != YAML_SCALAR || document->key->value->type != YAML_STRING))
        return err_set(err, "%s:%u: " KEY " is no string", path, document->key->at.line);
    return 0;
}

static int parse(const char *path, struct str text, struct arena *arena, struct document *document,
                 struct err *err)
{
    OWNED_DIAGS struct diags diags = {0};
    *document = (struct document){.source = {.path = path, .text = text}};
    document->root = yaml_read(&document->source, YAML_ONE_DOCUMENT, arena, &diags);
    if (!document->root || diags_failed(&diags))
        return diags_first(&diags, err);
    document->is_flow = is_at(document, find_place(&document->source, document->root->at), '{');
    return check_kind(path, document, err);
}

int kubelet_config_endpoint(const char *path, struct str text, struct arena *arena,
                            struct str *endpoint, struct err *err)
{
    struct document document;
    if (parse(path, text, arena, &document, err) < 0)
        return -1;
    *endpoint = document.key ? document.key->value->text : STR("");
    return 0;
}

/* --- the change ---------------------------------------------------------------------------- */

/* Bytes to be put in place of [start, end). */
struct splice {
    const char *start, *end;
    struct str before, value, after; /* put one behind the other */
};

/* The scalar as it is written: in quotes without escapes, or plain on one line. */
static int find_value(const struct document *document, struct splice *splice, struct err *err)
{
    const struct yaml_node *value = document->key->value;
    const char *at = find_place(&document->source, value->at);
    char quote = is_at(document, at, '"') ? '"' : is_at(document, at, '\'') ? '\'' : 0;
    const char *body = at + (quote ? 1 : 0);
    size_t room = (size_t)(text_end(document) - body);
    if (room < value->text.len + (quote ? 1 : 0) ||
        memcmp(body, value->text.data, value->text.len) != 0 ||
        (quote && body[value->text.len] != quote))
        return err_set(err,
                       "%s:%u: the value of " KEY " is written in a way that is not changed "
                       "here; write it on one line without escapes, and run this again",
                       document->source.path, value->at.line);
    splice->start = body;
    splice->end = body + value->text.len;
    splice->before = splice->after = STR("");
    return 0;
}

/* Behind the line of `kind`, which is a scalar on one line. */
static void find_line(const struct document *document, struct splice *splice)
{
    const char *value = find_place(&document->source, document->kind->value->at);
    const char *newline = memchr(value, '\n', (size_t)(text_end(document) - value));
    bool crlf = newline && newline > value && newline[-1] == '\r';
    splice->start = splice->end = newline ? newline + 1 : text_end(document);
    splice->before = newline ? STR(KEY ": ") : STR("\n" KEY ": ");
    splice->after = crlf ? STR("\r\n") : newline ? STR("\n") : STR("");
}

/* In front of `kind`, on a line of its own where that has one. */
static void find_member(const struct document *document, struct arena *arena, struct splice *splice)
{
    const char *key = find_place(&document->source, document->kind->at);
    const char *line = key;
    while (line > document->source.text.data && (line[-1] == ' ' || line[-1] == '\t'))
        line--;
    bool own_line = line > document->source.text.data && line[-1] == '\n';
    size_t indent = own_line ? (size_t)(key - line) : 0;
    char *after = arena_alloc(arena, indent + 5);
    splice->start = splice->end = key;
    splice->before = STR("\"" KEY "\": \"");
    splice->after = (struct str){.data = after};
    if (!after)
        return;
    memcpy(after, "\",", 2);
    bool crlf = own_line && line - 1 > document->source.text.data && line[-2] == '\r';
    const char *gap = !own_line ? " " : crlf ? "\r\n" : "\n";
    size_t gap_len = strlen(gap);
    memcpy(after + 2, gap, gap_len);
    memcpy(after + 2 + gap_len, line, indent);
    splice->after.len = 2 + gap_len + indent;
}

static char *put(char *at, const char *from, size_t len)
{
    if (len)
        memcpy(at, from, len);
    return at + len;
}

/* `text` with the splice in it; data NULL when memory is out. */
static struct str apply(const struct splice *splice, struct str text, struct arena *arena)
{
    size_t head = (size_t)(splice->start - text.data);
    size_t tail = text.len - (size_t)(splice->end - text.data);
    size_t len = head + splice->before.len + splice->value.len + splice->after.len + tail;
    char *out = arena_alloc(arena, len + 1), *at = out;
    if (!out || !splice->after.data)
        return (struct str){0};
    at = put(at, text.data, head);
    at = put(at, splice->before.data, splice->before.len);
    at = put(at, splice->value.data, splice->value.len);
    at = put(at, splice->after.data, splice->after.len);
    put(at, splice->end, tail);
    return (struct str){.data = out, .len = len};
}

/* --- reading it back ----------------------------------------------------------------------- */

static bool same_tree(const struct yaml_node *a, const struct yaml_node *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->count != b->count || !str_eq(a->text, b->text) ||
        (a->kind == YAML_SCALAR && a->type != b->type))
        return false;
    const struct yaml_node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (!same_tree(x, y) || !same_tree(x->value, y->value))
            return false;
    }
    return !x && !y;
}

/* Each key of `a` but ours is in `b` with the same value. */
static bool same_but_ours(const struct yaml_node *a, const struct yaml_node *b)
{
    for (const struct yaml_node *key = a->first; key; key = key->next) {
        if (str_eq(key->text, STR(KEY)))
            continue;
        const struct yaml_node *other = find_key(b, key->text.data);
        if (!other || !same_tree(key->value, other->value))
            return false;
    }
    return true;
}

static int check_change(const struct document *old, struct str changed, const char *endpoint,
                        struct arena *arena, struct err *err)
{
    struct document new;
    if (parse(old->source.path, changed, arena, &new, err) < 0)
        return err_wrap(err, "with " KEY " in it");
    if (!new.key || !str_eq(new.key->value->text, str_of(endpoint)) ||
        !same_but_ours(old->root, new.root) || !same_but_ours(new.root, old->root))
        return err_set(err,
                       "%s is written in a way that is not changed here: put `" KEY ": %s` "
                       "there by hand, and run this again",
                       old->source.path, endpoint);
    return 0;
}

int kubelet_config_set(const char *path, struct str text, const char *endpoint, struct arena *arena,
                       struct str *changed, struct err *err)
{
    struct document document;
    struct splice splice = {.value = str_of(endpoint)};
    if (parse(path, text, arena, &document, err) < 0)
        return -1;
    if (document.key) {
        if (find_value(&document, &splice, err) < 0)
            return -1;
    } else if (document.is_flow) {
        find_member(&document, arena, &splice);
    } else {
        find_line(&document, &splice);
    }
    *changed = apply(&splice, text, arena);
    if (!changed->data)
        return err_set(err, "memory is out");
    return check_change(&document, *changed, endpoint, arena, err);
}
