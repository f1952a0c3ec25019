/* SPDX-License-Identifier: Apache-2.0 */
/* Typed reads with findings that say what stands there, what should, and how to put it right. */
#include "config/reader.h"

#include "base/nearest.h"

void *reader_room(struct reader *reader, size_t count, size_t size)
{
    void *room = arena_array(reader->arena, count, size);
    if (!room)
        diags_add_memory_out(reader->diags);
    return room;
}

const char *reader_suggest(struct str word, const struct str *words, size_t count,
                           char buf[READER_HINT_SIZE])
{
    const struct str *nearest = nearest_word(word, words, count, sizeof(*words));
    if (!nearest)
        return NULL;
    snprintf(buf, READER_HINT_SIZE, "did you mean \"%.*s\"?", STR_FMT(*nearest));
    return buf;
}

static const char *kind_name(const struct yaml_node *node)
{
    if (node->kind == YAML_SEQUENCE)
        return "a list";
    if (node->kind == YAML_MAPPING)
        return "a mapping";
    switch (node->type) {
    case YAML_STRING:
        return "a string";
    case YAML_NULL:
        return "nothing";
    case YAML_BOOLEAN:
        return "a boolean";
    case YAML_NUMBER:
        return "a number";
    }
    return "something else";
}

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->type == YAML_NULL;
}

static size_t index_of(struct str word, const struct str *words, size_t count)
{
    size_t i = 0;
    while (i < count && !str_eq(word, words[i]))
        i++;
    return i;
}

bool reader_mapping(struct reader *reader, const struct yaml_node *node, const char *what,
                    const struct str *keys, size_t count, const struct yaml_node **values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = NULL;
    if (node->kind != YAML_MAPPING) {
        reader_error(reader, node, NULL, "%s must be a mapping, not %s", what, kind_name(node));
        return false;
    }
    for (const struct yaml_node *key = node->first; key; key = key->next) {
        size_t i = index_of(key->text, keys, count);
        if (i == count) {
            char hint[READER_HINT_SIZE];
            reader_error(reader, key, reader_suggest(key->text, keys, count, hint),
                         "unknown key \"%.*s\" in %s", DIAG_TEXT(key->text), what);
        } else if (!values[i]) {
            values[i] = key->value;
        }
    }
    return true;
}

const struct yaml_node *reader_find(const struct yaml_node *mapping, const char *key)
{
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (const struct yaml_node *at = mapping->first; at; at = at->next) {
        if (str_eq(at->text, str_of(key)))
            return is_null(at->value) ? NULL : at->value;
    }
    return NULL;
}

bool reader_need(struct reader *reader, const struct yaml_node *parent,
                 const struct yaml_node *value, const char *what, const char *hint)
{
    if (!value)
        reader_error(reader, parent, hint, "%s is missing", what);
    return value != NULL;
}

bool reader_collection(struct reader *reader, const struct yaml_node *node, enum yaml_kind kind,
                       const char *what)
{
    if (node->kind != kind) {
        reader_error(reader, node, NULL, "%s must be %s, not %s", what,
                     kind == YAML_MAPPING ? "a mapping" : "a list", kind_name(node));
        return false;
    }
    if (node->count == 0) {
        reader_error(reader, node, "leave it out, or put something in", "%s is empty", what);
        return false;
    }
    return true;
}

bool reader_string(struct reader *reader, const struct yaml_node *node, const char *what,
                   struct str *value)
{
    if (node->kind == YAML_SCALAR && node->type == YAML_STRING) {
        *value = node->text;
        return true;
    }
    char hint[READER_HINT_SIZE];
    if (node->kind == YAML_SCALAR && !is_null(node))
        snprintf(hint, sizeof(hint), "quote it: \"%.*s\"", DIAG_TEXT(node->text));
    else
        snprintf(hint, sizeof(hint), "an empty string is written \"\"");
    bool has_hint = node->kind == YAML_SCALAR;
    reader_error(reader, node, has_hint ? hint : NULL, "%s must be a string, not %s", what,
                 kind_name(node));
    return false;
}

bool reader_text(struct reader *reader, const struct yaml_node *node, const char *what, size_t most,
                 struct str *value)
{
    struct str text;
    if (!reader_string(reader, node, what, &text))
        return false;
    bool is_one_line = true;
    for (size_t i = 0; i < text.len; i++)
        is_one_line = is_one_line && (unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f;
    if (text.len == 0)
        reader_error(reader, node, NULL, "%s is empty", what);
    else if (text.len > most)
        reader_error(reader, node, NULL, "%s is longer than %zu bytes", what, most);
    else if (!is_one_line)
        reader_error(reader, node, NULL, "%s must be one line without control characters", what);
    else
        *value = text;
    return text.len && text.len <= most && is_one_line;
}

bool reader_boolean(struct reader *reader, const struct yaml_node *node, const char *what,
                    bool *value)
{
    bool is_plain = node->kind == YAML_SCALAR && node->type == YAML_BOOLEAN;
    if (is_plain && (str_eq(node->text, STR("true")) || str_eq(node->text, STR("false")))) {
        *value = node->text.data[0] == 't';
        return true;
    }
    reader_error(reader, node, "write true or false, without quotes",
                 "%s must be true or false, not %s", what,
                 is_plain ? "another word for it" : kind_name(node));
    return false;
}

bool reader_word(struct reader *reader, const struct yaml_node *node, const char *what,
                 const struct str *words, size_t count, size_t *index)
{
    struct str text;
    if (!reader_string(reader, node, what, &text))
        return false;
    size_t i = index_of(text, words, count);
    if (i < count) {
        *index = i;
        return true;
    }
    char hint[READER_HINT_SIZE] = "valid: ";
    if (!reader_suggest(text, words, count, hint)) {
        size_t used = strlen(hint);
        for (size_t j = 0; j < count && used < sizeof(hint); j++)
            used += (size_t)snprintf(hint + used, sizeof(hint) - used, "%s%.*s", j ? ", " : "",
                                     STR_FMT(words[j]));
    }
    reader_error(reader, node, hint, "%s: unknown value \"%.*s\"", what, DIAG_TEXT(text));
    return false;
}
