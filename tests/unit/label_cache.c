/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the labels last seen: what is written is read, and nothing else is believed. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "kubernetes/label_cache.h"

#define NOW INT64_C(1800000000)

static char dir[] = "/tmp/crigate-label-cache-XXXXXX";
static char path[64];

static void make(void)
{
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/labels.json", dir);
}

static void clean(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    cr_expect_eq(system(command), 0);
}

TestSuite(label_cache, .init = make, .fini = clean);

static void put(const char *text)
{
    OWNED_FILE FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fputs(text, file);
}

static void save(const char *node, int64_t seen)
{
    struct err err = {0};
    struct label items[] = {{.key = STR("a.io/b"), .value = STR("c")},
                            {.key = STR("d"), .value = STR("")}};
    struct label_set set;
    struct str twice;
    cr_assert_eq(label_set_make(items, 2, &set, &twice), 0);
    cr_assert_eq(label_cache_write(path, node, &set, seen, &err), 0, "%s", err.text);
}

static void expect_wrong(const char *reason)
{
    struct err err = {0};
    struct node_labels *labels = NULL;
    cr_expect_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_WRONG);
    cr_expect_null(labels);
    cr_expect(strstr(err.text, reason) && strstr(err.text, path), "%s: %s", reason, err.text);
}

static void expect_wrong_text(const char *text, const char *reason)
{
    put(text);
    expect_wrong(reason);
}

Test(label_cache, reads_what_it_wrote)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    save("lab", NOW - 50);
    save("lab", NOW - 5);
    cr_assert_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_READ, "%s",
                 err.text);
    const struct label_set *set = node_labels_set(labels);
    cr_assert_eq(set->count, 2);
    const struct str *value = label_set_find(set, STR("a.io/b"), label_hash(STR("a.io/b")));
    cr_expect(value && str_eq(*value, STR("c")));
    cr_expect_str_eq(node_labels_origin(labels).source, "cache");
    cr_expect_eq(node_labels_origin(labels).seen, NOW - 5);
}

Test(label_cache, is_for_its_owner_only)
{
    struct stat stat_;
    umask(0);
    save("lab", NOW);
    cr_assert_eq(stat(path, &stat_), 0);
    cr_expect_eq(stat_.st_mode & 07777, 0600);
    chmod(path, 0620);
    expect_wrong("others may write");
}

Test(label_cache, knows_no_labels_from_none)
{
    struct err err = {0};
    struct label_set none = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    cr_expect_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_MISSING);
    cr_assert_eq(label_cache_write(path, "lab", &none, NOW, &err), 0);
    cr_assert_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_READ);
    cr_assert_not_null(node_labels_set(labels));
    cr_expect_eq(node_labels_set(labels)->count, 0);
}

Test(label_cache, was_never_seen_in_the_future)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    save("lab", NOW + 1000);
    cr_assert_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_READ);
    cr_expect_eq(node_labels_origin(labels).seen, NOW);
}

Test(label_cache, is_of_one_node)
{
    save("other", NOW);
    expect_wrong("another node");
}

Test(label_cache, believes_no_broken_file)
{
    expect_wrong_text("", "1:");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5,\"labels\":{\"a\":", "broken");
    expect_wrong_text("[]", "no label cache");
    expect_wrong_text("{\"v\":2,\"node\":\"lab\",\"seen\":5,\"labels\":{}}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":7,\"seen\":5,\"labels\":{}}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":\"5\",\"labels\":{}}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":-5,\"labels\":{}}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5,\"labels\":[]}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5}", "no label cache");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5,\"labels\":{\"a\":1}}", "no labels");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5,\"labels\":{\"a\":\"b c\"}}",
                      "no labels");
    expect_wrong_text("{\"v\":1,\"node\":\"lab\",\"seen\":5,\"labels\":{\"a\":\"1\",\"a\":\"2\"}}",
                      "broken");
}

Test(label_cache, tells_what_cannot_be_written)
{
    struct err err = {0};
    struct label_set none = {0};
    cr_expect_eq(label_cache_write("/nonexistent/labels.json", "lab", &none, NOW, &err), -1);
    cr_expect(strstr(err.text, "/nonexistent/labels.json: ") && strstr(err.text, "No such file"),
              "%s", err.text);
}

Test(label_cache, replaces_what_a_crash_left)
{
    char left[80];
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    snprintf(left, sizeof(left), "%s.new", path);
    FILE *file = fopen(left, "we");
    fputs("half a fi", file);
    fclose(file);
    save("lab", NOW);
    cr_expect_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_READ);
    cr_expect_neq(access(left, F_OK), 0);
}

Test(label_cache, is_no_link_and_no_pipe)
{
    char real[96];
    save("lab", NOW);
    snprintf(real, sizeof(real), "%s/real.json", dir);
    cr_assert_eq(rename(path, real), 0);
    cr_assert_eq(symlink("real.json", path), 0);
    expect_wrong("cannot be opened");
    save("lab", NOW);
    cr_expect_eq(readlink(path, real, sizeof(real)), -1, "the link is replaced, not followed");
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_wrong("not a regular file");
}

Test(label_cache, is_removed)
{
    struct err err = {0};
    struct node_labels *labels = NULL;
    save("lab", NOW);
    cr_expect_eq(label_cache_remove(path, &err), 0);
    cr_expect_eq(label_cache_read(path, "lab", NOW, &labels, &err), LABEL_CACHE_MISSING);
    cr_expect_eq(label_cache_remove(path, &err), 0, "again: %s", err.text);
}
