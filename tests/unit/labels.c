/* SPDX-License-Identifier: Apache-2.0 */
/* Node labels: known, unknown and none, from a file and from a command line. */
#include <criterion/criterion.h>
#include <time.h>

#include "node/labels.h"

static struct str value_of(const struct node_labels *labels, const char *key)
{
    const struct label_set *set = node_labels_set(labels);
    const struct str *value =
        set ? label_set_find(set, str_of(key), label_hash(str_of(key))) : NULL;
    return value ? *value : STR("(none)");
}

static int parse_file(const char *text, struct node_labels **labels, struct err *err)
{
    return node_labels_parse_file("labels", str_of(text), labels, err);
}

static void expect_bad(const char *text, const char *reason)
{
    char expected[512];
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    cr_expect_eq(parse_file(text, &labels, &err), -1, "taken: %s", text);
    cr_expect(labels && !node_labels_set(labels));
    snprintf(expected, sizeof(expected), "labels:%s", reason);
    cr_expect_eq(strncmp(err.text, expected, strlen(expected)), 0, "of %s: %s", text, err.text);
}

Test(labels, reads_a_file)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    cr_assert_eq(parse_file("# the node\n\n  a.io/b = c \r\nd=\n\te=f", &labels, &err), 0, "%s",
                 err.text);
    cr_assert_eq(node_labels_set(labels)->count, 3);
    cr_assert(str_eq(value_of(labels, "a.io/b"), STR("c")));
    cr_assert(str_eq(value_of(labels, "d"), STR("")));
    cr_assert(str_eq(value_of(labels, "e"), STR("f")));
}

Test(labels, knows_an_empty_file_as_no_labels)
{
    struct err err = {0};
    static const char *const texts[] = {"", "\n\n# only this\n"};
    for (size_t i = 0; i < 2; i++) {
        OWNED(own_node_labels) struct node_labels *labels = NULL;
        cr_assert_eq(parse_file(texts[i], &labels, &err), 0);
        cr_assert_not_null(node_labels_set(labels));
        cr_assert_eq(node_labels_set(labels)->count, 0);
    }
}

Test(labels, does_not_know_after_a_wrong_line)
{
    expect_bad("a=b\nc\n", "2:1: a label is written key=value");
    expect_bad("a=b\n  =c\n", "2:3: the label key has an empty name");
    expect_bad("\u65e5=c\n", "1:1: the label key may hold only");
    expect_bad("a=\u65e5\n", "1:3: the value of the label may hold only");
    expect_bad("a=b=c\n", "1:3: the value");
    expect_bad("a=b\nc=d\na=e\n", "3:1: this label is given twice");
    expect_bad("A.io/b=c\n", "1:1: the label key has a prefix");
    expect_bad("a/b/c=d\n", "1:1: the label key may hold only");
    expect_bad("a=b c\n", "1:3: the value");
    expect_bad("a=-b\n", "1:3: the value");
    expect_bad("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl=v\n",
               "1:1: the label key has a name longer than 63 bytes");
}

Test(labels, refuses_a_file_with_a_NUL)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    cr_assert_eq(node_labels_parse_file("labels", STR("a=b\0c\n"), &labels, &err), -1);
    cr_assert_null(node_labels_set(labels));
}

Test(labels, parses_a_command_line)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    cr_assert_eq(node_labels_parse("a=b, c=d", &labels, &err), 0, "%s", err.text);
    cr_assert(str_eq(value_of(labels, "c"), STR("d")));
    OWNED(own_node_labels) struct node_labels *none = NULL;
    cr_assert_eq(node_labels_parse("", &none, &err), 0);
    cr_assert_eq(node_labels_set(none)->count, 0);
    OWNED(own_node_labels) struct node_labels *bad = NULL;
    cr_assert_eq(node_labels_parse("a=b,", &bad, &err), -1);
    cr_assert_str_eq(err.text, "character 5 of the node labels: a label is written key=value");
    cr_assert_null(node_labels_set(bad));
}

Test(labels, counts_references)
{
    struct node_labels *labels = node_labels_unknown();
    cr_assert_not_null(labels);
    cr_assert_eq(node_labels_ref(labels), labels);
    node_labels_unref(labels);
    cr_assert_null(node_labels_set(labels));
    node_labels_unref(labels);
}

static struct label_set set_of(struct label *items, size_t count)
{
    struct label_set set;
    struct str twice;
    cr_assert_eq(label_set_make(items, count, &set, &twice), 0);
    return set;
}

Test(labels, tells_where_they_come_from)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *unknown = node_labels_unknown();
    cr_assert_str_eq(node_labels_origin(unknown).source, "none");
    cr_assert_eq(node_labels_origin(unknown).seen, 0);
    OWNED(own_node_labels) struct node_labels *read = NULL;
    int64_t before = time(NULL);
    cr_assert_eq(parse_file("a=b\n", &read, &err), 0);
    cr_assert_str_eq(node_labels_origin(read).source, "file");
    cr_assert_geq(node_labels_origin(read).seen, before);
    cr_assert_leq(node_labels_origin(read).seen, time(NULL));
}

Test(labels, copies_a_set)
{
    char key[] = "a.io/b", value[] = "c";
    struct label items[] = {{.key = str_of(key), .value = str_of(value)}, {.key = STR("d")}};
    items[1].value = STR("");
    struct label_set set = set_of(items, 2), none = {0};
    struct node_labels_origin origin = {.source = "cache", .seen = 1700000000};
    OWNED(own_node_labels) struct node_labels *labels = node_labels_make(&set, origin);
    memset(key, 'x', sizeof(key) - 1);
    memset(value, 'x', sizeof(value) - 1);
    cr_assert_eq(node_labels_set(labels)->count, 2);
    cr_assert(str_eq(value_of(labels, "a.io/b"), STR("c")));
    cr_assert(str_eq(value_of(labels, "d"), STR("")));
    cr_assert_str_eq(node_labels_origin(labels).source, "cache");
    cr_assert_eq(node_labels_origin(labels).seen, 1700000000);
    OWNED(own_node_labels) struct node_labels *empty = node_labels_make(&none, origin);
    cr_assert_not_null(node_labels_set(empty));
    cr_assert_eq(node_labels_set(empty)->count, 0);
}

static void note_conflict(void *cookie, const struct label *file, const struct label *api)
{
    char *said = cookie;
    cr_assert(str_eq(file->key, api->key));
    sprintf(said + strlen(said), "%.*s: %.*s/%.*s;", STR_FMT(file->key), STR_FMT(file->value),
            STR_FMT(api->value));
}

static struct node_labels *labels_of(const char *text, const char *source, int64_t seen)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *parsed = NULL;
    cr_assert_eq(node_labels_parse(text, &parsed, &err), 0, "%s", err.text);
    return node_labels_make(node_labels_set(parsed),
                            (struct node_labels_origin){.source = source, .seen = seen});
}

Test(labels, merges_and_lets_the_API_win)
{
    char said[256] = "";
    OWNED(own_node_labels) struct node_labels *file = labels_of("a=1,b=2,c=3", "file", 10);
    OWNED(own_node_labels) struct node_labels *api = labels_of("b=2,c=4,d=5", "kubernetes", 20);
    OWNED(own_node_labels)
    struct node_labels *both = node_labels_merge(file, api, note_conflict, said);
    cr_assert_eq(node_labels_set(both)->count, 4);
    cr_assert(str_eq(value_of(both, "a"), STR("1")));
    cr_assert(str_eq(value_of(both, "b"), STR("2")));
    cr_assert(str_eq(value_of(both, "c"), STR("4")));
    cr_assert(str_eq(value_of(both, "d"), STR("5")));
    cr_assert_str_eq(said, "c: 3/4;");
    cr_assert_str_eq(node_labels_origin(both).source, "kubernetes");
    cr_assert_eq(node_labels_origin(both).seen, 20);
}

Test(labels, merges_none_with_none)
{
    char said[256] = "";
    OWNED(own_node_labels) struct node_labels *file = labels_of("", "file", 10);
    OWNED(own_node_labels) struct node_labels *api = labels_of("", "cache", 20);
    OWNED(own_node_labels)
    struct node_labels *both = node_labels_merge(file, api, note_conflict, said);
    cr_assert_not_null(node_labels_set(both));
    cr_assert_eq(node_labels_set(both)->count, 0);
}

Test(labels, does_not_know_when_one_source_does_not)
{
    char said[256] = "";
    OWNED(own_node_labels) struct node_labels *unknown = node_labels_unknown();
    OWNED(own_node_labels) struct node_labels *known = labels_of("a=1", "kubernetes", 20);
    OWNED(own_node_labels)
    struct node_labels *first = node_labels_merge(unknown, known, note_conflict, said);
    OWNED(own_node_labels)
    struct node_labels *second = node_labels_merge(known, unknown, note_conflict, said);
    cr_assert(first && !node_labels_set(first));
    cr_assert(second && !node_labels_set(second));
    cr_assert_str_eq(node_labels_origin(first).source, "kubernetes");
    cr_assert_str_eq(node_labels_origin(second).source, "none");
    cr_assert_str_eq(said, "");
}
