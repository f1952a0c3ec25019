/* SPDX-License-Identifier: Apache-2.0 */
/* The node's labels without the network: file, cache, both, neither. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/known_labels.h"
#include "kubernetes/label_cache.h"

#define NOW INT64_C(1700000000)

struct bed {
    char dir[64], file[96], cache[96];
    struct settings settings;
};

static struct bed set_up(void)
{
    struct bed bed = {.dir = "/tmp/crigate-known-XXXXXX"};
    cr_assert_not_null(mkdtemp(bed.dir));
    snprintf(bed.file, sizeof(bed.file), "%s/labels", bed.dir);
    snprintf(bed.cache, sizeof(bed.cache), "%s/cache", bed.dir);
    bed.settings.node_name = "node-1";
    return bed;
}

static void tear_down(struct bed *bed)
{
    unlink(bed->file);
    unlink(bed->cache);
    cr_expect_eq(rmdir(bed->dir), 0);
}

static void write_file(const struct bed *bed, const char *text)
{
    FILE *out = fopen(bed->file, "we");
    cr_assert_not_null(out);
    fputs(text, out);
    cr_assert_eq(fclose(out), 0);
}

static void write_cache(const struct bed *bed, const char *node, const char *labels)
{
    struct err err = {0};
    OWNED(own_node_labels) struct node_labels *told = NULL;
    cr_assert_eq(node_labels_parse(labels, &told, &err), 0);
    cr_assert_eq(label_cache_write(bed->cache, node, node_labels_set(told), NOW - 60, &err), 0,
                 "%s", err.text);
}

static struct node_labels *labels_of(const struct bed *bed, struct err *why)
{
    struct node_labels *labels = NULL;
    *why = (struct err){0};
    cr_assert_eq(known_labels_read(&bed->settings, NOW, &labels, why), 0);
    cr_assert_not_null(labels);
    return labels;
}

static void expect_unknown(const struct bed *bed, const char *reason)
{
    struct err why;
    OWNED(own_node_labels) struct node_labels *labels = labels_of(bed, &why);
    cr_expect_null(node_labels_set(labels));
    cr_expect(strstr(why.text, reason), "no \"%s\" in %s", reason, why.text);
}

static void expect_value(const struct bed *bed, const char *key, const char *value,
                         const char *source)
{
    struct err why;
    OWNED(own_node_labels) struct node_labels *labels = labels_of(bed, &why);
    cr_assert_not_null(node_labels_set(labels), "%s", why.text);
    const struct str *found =
        label_set_find(node_labels_set(labels), str_of(key), label_hash(str_of(key)));
    cr_assert_not_null(found);
    cr_expect(str_eq(*found, str_of(value)));
    cr_expect_str_eq(node_labels_origin(labels).source, source);
}

Test(known_labels, are_those_of_the_file)
{
    struct bed bed = set_up();
    bed.settings.node_labels_file = bed.file;
    expect_unknown(&bed, "/labels: ");
    write_file(&bed, "zone\n");
    expect_unknown(&bed, "/labels:1:1: ");
    write_file(&bed, "zone=a\n");
    expect_value(&bed, "zone", "a", "file");
    tear_down(&bed);
}

Test(known_labels, are_those_of_the_cache_in_place_of_the_api_server)
{
    struct bed bed = set_up();
    bed.settings.kubeconfig = "/nonexistent"; /* is not read */
    expect_unknown(&bed, "node.labels.kubernetes.cache");
    bed.settings.labels_cache = bed.cache;
    expect_unknown(&bed, "/cache does not exist: the gate has not heard");
    write_cache(&bed, "node-2", "zone=b");
    expect_unknown(&bed, "/cache");
    write_cache(&bed, "node-1", "zone=b");
    expect_value(&bed, "zone", "b", "cache");
    tear_down(&bed);
}

Test(known_labels, of_both_are_known_only_together)
{
    struct bed bed = set_up();
    bed.settings.node_labels_file = bed.file;
    bed.settings.kubeconfig = "/nonexistent";
    bed.settings.labels_cache = bed.cache;
    write_file(&bed, "zone=a\nrack=r\n");
    expect_unknown(&bed, "/cache does not exist");
    write_cache(&bed, "node-1", "zone=b");
    expect_value(&bed, "zone", "b", "cache");
    expect_value(&bed, "rack", "r", "cache");
    unlink(bed.file);
    expect_unknown(&bed, "/labels: ");
    tear_down(&bed);
}

Test(known_labels, without_a_source_are_unknown)
{
    struct bed bed = set_up();
    expect_unknown(&bed, "the settings name no source");
    tear_down(&bed);
}
