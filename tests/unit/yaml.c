/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML tree: places, types, and everything that is refused. */
#include <criterion/criterion.h>

#include "config/yaml.h"

struct outcome {
    struct diag_source source;
    struct diags diags;
    struct arena arena;
    struct yaml_node *root;
};

static struct outcome read_as(struct str text, enum yaml_documents documents)
{
    struct outcome out = {.source = {.path = "f", .text = text}};
    out.root = yaml_read(&out.source, documents, &out.arena, &out.diags);
    return out;
}

static struct outcome read_text(const char *text)
{
    return read_as(str_of(text), YAML_ONE_DOCUMENT);
}

static void drop(struct outcome *out)
{
    diags_free(&out->diags);
    arena_free(&out->arena);
}

#define OWNED_OUTCOME OWNED(drop) struct outcome

static void expect_refused_str(struct str text, unsigned line, unsigned column, const char *message)
{
    OWNED_OUTCOME out = read_as(text, YAML_ONE_DOCUMENT);
    cr_assert_null(out.root, "read: %s", text.data);
    cr_assert_eq(out.diags.errors, 1);
    const struct diag *diag = &out.diags.items[0];
    cr_expect(strstr(diag->message, message), "of %s: %s", text.data, diag->message);
    cr_expect(diag->at.line == line && diag->at.column == column, "of %s: %u:%u", text.data,
              diag->at.line, diag->at.column);
}

static void expect_refused(const char *text, unsigned line, unsigned column, const char *message)
{
    expect_refused_str(str_of(text), line, column, message);
}

Test(yaml, builds_a_tree_with_places)
{
    OWNED_OUTCOME out = read_text("a: 1\n\"\u00e9\": [x, {y: 'z'}]\n");
    cr_assert(out.root && out.diags.count == 0);
    cr_assert_eq(out.root->kind, YAML_MAPPING);
    cr_assert_eq(out.root->count, 2);
    const struct yaml_node *key = out.root->first;
    cr_assert_str_eq(key->text.data, "a");
    cr_assert_eq(key->value->type, YAML_NUMBER);
    key = key->next;
    cr_assert(str_eq(key->text, STR("\u00e9")));
    cr_assert_null(key->next);
    const struct yaml_node *list = key->value;
    cr_assert(list->kind == YAML_SEQUENCE && list->count == 2);
    cr_assert(list->at.line == 2 && list->at.column == 6, "%u:%u", list->at.line, list->at.column);
    const struct yaml_node *inner = list->first->next->first->value;
    cr_assert_str_eq(inner->text.data, "z");
    cr_assert_eq(inner->at.column, 14);
}

Test(yaml, tells_strings_from_what_only_looks_like_them)
{
    static const struct {
        const char *text;
        enum yaml_type type;
    } cases[] = {
        {"true", YAML_BOOLEAN},    {"Yes", YAML_BOOLEAN},
        {"off", YAML_BOOLEAN},     {"n", YAML_BOOLEAN},
        {"\"true\"", YAML_STRING}, {"'1'", YAML_STRING},
        {"~", YAML_NULL},          {"", YAML_NULL},
        {"null", YAML_NULL},       {"\"\"", YAML_STRING},
        {"12", YAML_NUMBER},       {"-1_000", YAML_NUMBER},
        {"0x1F", YAML_NUMBER},     {"0o17", YAML_NUMBER},
        {"0b01", YAML_NUMBER},     {"1.5", YAML_NUMBER},
        {".5", YAML_NUMBER},       {"1.", YAML_NUMBER},
        {"1e3", YAML_NUMBER},      {"1.5E-3", YAML_NUMBER},
        {".inf", YAML_NUMBER},     {"-.INF", YAML_NUMBER},
        {".nan", YAML_NUMBER},     {"1.2.3", YAML_STRING},
        {"0xg", YAML_STRING},      {"1e", YAML_STRING},
        {"-", YAML_STRING},        {".", YAML_STRING},
        {"._1", YAML_STRING},      {"_1", YAML_STRING},
        {"truely", YAML_STRING},   {"1a", YAML_STRING},
        {"gvisor", YAML_STRING},   {"|-\n  true", YAML_STRING},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "k: %s\n", cases[i].text);
        if (strcmp(cases[i].text, "-") == 0)
            strcpy(text, "[-a, \"-\"]");
        OWNED_OUTCOME out = read_text(text);
        cr_assert_not_null(out.root, "%s", text);
        const struct yaml_node *node =
            out.root->first->value ? out.root->first->value : out.root->first;
        cr_expect_eq(node->type, cases[i].type, "%s", text);
    }
}

Test(yaml, refuses_what_a_configuration_does_not_need)
{
    expect_refused("a: &x b\n", 1, 4, "anchors");
    expect_refused("a: b\nc: *x\n", 2, 4, "aliases");
    expect_refused("a: !!str b\n", 1, 4, "tags");
    expect_refused("a: !x [b]\n", 1, 4, "tags");
    expect_refused("a: b\n---\nc: d\n", 2, 1, "second document");
    expect_refused("? [a]\n: b\n", 1, 3, "key must be a word");
    expect_refused("a: \"x\\0y\"\n", 1, 4, "NUL");
    expect_refused("", 0, 0, "empty");
    expect_refused("# nothing\n", 0, 0, "empty");
}

Test(yaml, refuses_syntax_errors_at_their_place)
{
    expect_refused("a: b\n\tc: d\n", 2, 1, "tab");
    expect_refused("a: [b\nc: {d\n", 2, 2, "did not find expected");
    expect_refused("a: b\n c: d\n", 2, 3, "not allowed");
    expect_refused("a: \"b\n", 2, 1, "end of stream");
    expect_refused("a: @b\n", 1, 4, "cannot start any token");
}

Test(yaml, refuses_characters_that_hide_text)
{
    expect_refused("a: b\nc\u00e9: \xff\n", 2, 5, "0xff");
    expect_refused("a: \xc0\xaf\n", 1, 4, "0xc0");     /* overlong */
    expect_refused("a: \xed\xa0\x80\n", 1, 4, "0xed"); /* surrogate */
    expect_refused("a: \xe2\x82", 1, 4, "0xe2");
    expect_refused("# x\u202ey\n", 1, 4, "U+202E");
    expect_refused("# x\u2028- y\n", 1, 4, "U+2028");
    expect_refused("# x\ry: z\n", 1, 4, "U+000D");
    expect_refused("a: \x1b[0m\n", 1, 4, "U+001B");
    expect_refused("a: \x7f\n", 1, 4, "U+007F");
    expect_refused_str((struct str){"a: \0b\n", 6}, 1, 4, "U+0000");
}

Test(yaml, takes_a_byte_order_mark_and_windows_line_ends)
{
    OWNED_OUTCOME out = read_text("\ufeff"
                                  "a: b\r\nc: d\r\n");
    cr_assert_not_null(out.root);
    cr_assert_eq(out.root->first->at.column, 1);
    cr_assert_eq(out.root->first->next->at.line, 2);
    cr_assert_str_eq(out.root->first->value->text.data, "b");
}

Test(yaml, reports_each_repeated_key_with_the_first_place)
{
    OWNED_OUTCOME out = read_text("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n");
    cr_assert_not_null(out.root);
    cr_assert_eq(out.diags.errors, 3);
    cr_assert_eq(out.diags.items[0].at.line, 2);
    cr_assert_str_eq(out.diags.items[1].message, "key \"a\" is given twice");
    cr_assert_str_eq(out.diags.items[2].hint, "it first stands at line 1, column 1");
}

Test(yaml, finds_a_repeated_key_among_many)
{
    char *text = NULL;
    size_t size;
    FILE *out_file = open_memstream(&text, &size);
    for (int i = 0; i < 5000; i++)
        fprintf(out_file, "k%d: 1\n", i);
    fprintf(out_file, "k77: 2\n");
    fclose(out_file);
    OWNED_OUTCOME out = read_text(text);
    cr_assert_eq(out.diags.errors, 1);
    cr_assert_eq(out.diags.items[0].at.line, 5001);
    cr_assert_str_eq(out.diags.items[0].hint, "it first stands at line 78, column 1");
    free(text);
}

Test(yaml, ends_at_its_depth)
{
    char text[2 * (YAML_DEPTH_MAX + 1) + 1] = "";
    memset(text, '[', YAML_DEPTH_MAX);
    memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
    OWNED_OUTCOME good = read_text(text);
    cr_assert_not_null(good.root);
    memset(text, '[', YAML_DEPTH_MAX + 1);
    memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
    expect_refused(text, 1, YAML_DEPTH_MAX + 1, "nested more than 64 deep");
}

Test(yaml, ends_at_its_number_of_nodes)
{
    size_t size = 2 * (YAML_NODES_MAX + 1) + 2;
    char *text = malloc(size + 1);
    cr_assert_not_null(text);
    text[0] = '[';
    for (size_t i = 1; i + 1 < size; i++)
        text[i] = i % 2 ? 'a' : ',';
    text[size - 1] = ']';
    text[size] = '\0';
    OWNED_OUTCOME out = read_text(text);
    cr_assert_null(out.root);
    cr_assert(strstr(out.diags.items[0].message, "1000000"));
    free(text);
}

Test(yaml, may_read_the_first_document_only)
{
    OWNED_OUTCOME out = read_as(STR("a: b\n---\n{{{"), YAML_FIRST_DOCUMENT);
    cr_assert_not_null(out.root);
    cr_assert_eq(out.diags.count, 0);
}
