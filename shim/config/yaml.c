/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the tree from libyaml's events; the only user of libyaml. */
#include "config/yaml.h"

#include <yaml.h>

#include "base/utf8.h"
#include "config/unique.h"
#include "config/yaml_text.h"

/* A collection that is still open. */
struct level {
    struct yaml_node *node, *last;
    bool wants_value; /* of a mapping: the last key has none yet */
};

struct builder {
    yaml_parser_t parser;
    struct diag_source *source;
    struct arena *arena;
    struct diags *diags;
    struct yaml_node *root;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth, nodes;
};

static void release(struct builder *b)
{
    yaml_parser_delete(&b->parser);
}

static struct place place_of(const yaml_mark_t *mark)
{
    return (struct place){.line = (uint32_t)mark->line + 1, .column = (uint32_t)mark->column + 1};
}

static int fail(struct builder *b, const yaml_mark_t *mark, const char *hint, const char *message)
{
    diags_add(b->diags, DIAG_ERROR, b->source, place_of(mark), hint, "%s", message);
    return -1;
}

static int fail_memory(struct builder *b)
{
    diags_add_memory_out(b->diags);
    return -1;
}

/* What libyaml says of a text that yaml_text_check() has passed. */
static int fail_syntax(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return fail_memory(b);
    char hint[256] = "";
    if (p->problem && strstr(p->problem, "cannot start any token"))
        snprintf(hint, sizeof(hint),
                 "indent with spaces, not tabs; quote a value that begins "
                 "with @, ` or %%");
    else if (p->context)
        snprintf(hint, sizeof(hint), "%s that begins at line %zu, column %zu", p->context,
                 p->context_mark.line + 1, p->context_mark.column + 1);
    diags_add(b->diags, DIAG_ERROR, b->source, place_of(&p->problem_mark), hint[0] ? hint : NULL,
              "not YAML: %s", p->problem ? p->problem : "the text cannot be parsed");
    return -1;
}

static struct yaml_node *make_node(struct builder *b, enum yaml_kind kind,
                                   const yaml_event_t *event)
{
    if (++b->nodes > YAML_NODES_MAX) {
        fail(b, &event->start_mark, NULL, "the file has more than 1000000 values");
        return NULL;
    }
    struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));
    if (!node) {
        fail_memory(b);
        return NULL;
    }
    node->kind = kind;
    node->at = place_of(&event->start_mark);
    return node;
}

static int attach_key(struct builder *b, struct level *level, struct yaml_node *node,
                      const yaml_event_t *event)
{
    if (node->kind != YAML_SCALAR)
        return fail(b, &event->start_mark, NULL, "a key must be a word, not a list or a mapping");
    *(level->last ? &level->last->next : &level->node->first) = node;
    level->last = node;
    level->wants_value = true;
    level->node->count++;
    return 0;
}

static int attach(struct builder *b, struct yaml_node *node, const yaml_event_t *event)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct level *level = &b->levels[b->depth - 1];
    if (level->node->kind == YAML_MAPPING) {
        if (!level->wants_value)
            return attach_key(b, level, node, event);
        level->last->value = node;
        level->wants_value = false;
        return 0;
    }
    *(level->last ? &level->last->next : &level->node->first) = node;
    level->last = node;
    level->node->count++;
    return 0;
}

static int refuse_anchor_and_tag(struct builder *b, const yaml_event_t *event, const void *anchor,
                                 const void *tag)
{
    if (anchor)
        return fail(b, &event->start_mark, "write the value out at each place",
                    "anchors (&name) are not read here");
    if (tag)
        return fail(b, &event->start_mark, "leave the tag out; quote what shall be a string",
                    "tags (!name) are not read here");
    return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
    struct str text = {.data = (const char *)event->data.scalar.value,
                       .len = event->data.scalar.length};
    if (refuse_anchor_and_tag(b, event, event->data.scalar.anchor, event->data.scalar.tag))
        return -1;
    if (memchr(text.data, '\0', text.len))
        return fail(b, &event->start_mark, NULL, "a value may not hold a NUL character");
    struct yaml_node *node = make_node(b, YAML_SCALAR, event);
    if (!node)
        return -1;
    node->text = arena_str(b->arena, text);
    if (!node->text.data)
        return fail_memory(b);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        node->type = yaml_plain_type(text);
    return attach(b, node, event);
}

static int open_collection(struct builder *b, const yaml_event_t *event)
{
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    const void *anchor =
        is_mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const void *tag = is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (refuse_anchor_and_tag(b, event, anchor, tag))
        return -1;
    if (b->depth == YAML_DEPTH_MAX)
        return fail(b, &event->start_mark, NULL, "values are nested more than 64 deep");
    struct yaml_node *node = make_node(b, is_mapping ? YAML_MAPPING : YAML_SEQUENCE, event);
    if (!node || attach(b, node, event))
        return -1;
    b->levels[b->depth++] = (struct level){.node = node};
    return 0;
}

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct builder *b = cookie;
    char hint[64];
    snprintf(hint, sizeof(hint), "it first stands at line %u, column %u", earlier->at.line,
             earlier->at.column);
    diags_add(b->diags, DIAG_ERROR, b->source, node->at, hint, "key \"%.*s\" is given twice",
              DIAG_TEXT(node->text));
}

static int close_mapping(struct builder *b)
{
    const struct yaml_node *mapping = b->levels[--b->depth].node;
    return unique_check(mapping->first, mapping->count, report_twice, b) ? fail_memory(b) : 0;
}

/* 1: the tree is whole; 0: go on; -1: stop. */
static int take(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return open_collection(b, event);
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        return 0;
    case YAML_MAPPING_END_EVENT:
        return close_mapping(b);
    case YAML_ALIAS_EVENT:
        return fail(b, &event->start_mark, "write the value out at each place",
                    "aliases (*name) are not read here");
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT:
        return 1;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        return 0;
    }
    return 0;
}

static int read_event(struct builder *b)
{
    yaml_event_t event;
    if (!yaml_parser_parse(&b->parser, &event))
        return fail_syntax(b);
    int rc = take(b, &event);
    yaml_event_delete(&event);
    return rc;
}

static int read_document(struct builder *b)
{
    int rc;
    do {
        rc = read_event(b);
    } while (rc == 0);
    if (rc < 0)
        return -1;
    if (!b->root) {
        struct place whole = {0};
        diags_add(b->diags, DIAG_ERROR, b->source, whole, NULL, "the file is empty");
        return -1;
    }
    return 0;
}

static int expect_end(struct builder *b)
{
    yaml_event_t event;
    if (!yaml_parser_parse(&b->parser, &event))
        return fail_syntax(b);
    int rc = 0;
    if (event.type != YAML_STREAM_END_EVENT)
        rc = fail(b, &event.start_mark, "put it into a file of its own",
                  "a second document begins here, and only one is read");
    yaml_event_delete(&event);
    return rc;
}

struct yaml_node *yaml_read(struct diag_source *source, enum yaml_documents documents,
                            struct arena *arena, struct diags *diags)
{
    if (yaml_text_check(source, diags))
        return NULL;
    OWNED(release) struct builder b = {.source = source, .arena = arena, .diags = diags};
    if (!yaml_parser_initialize(&b.parser)) {
        fail_memory(&b);
        return NULL;
    }
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text.data,
                                 source->text.len);
    if (read_document(&b) || (documents == YAML_ONE_DOCUMENT && expect_end(&b)))
        return NULL;
    return b.root;
}
