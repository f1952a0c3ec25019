/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two sets of node labels, and which conflicts are told. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>

#include "daemon/conflicts.h"
#include "daemon/label_changes.h"
#include "node/labels.h"

static struct node_labels *labels_of(const char *text)
{
    struct err err = {0};
    struct node_labels *labels = NULL;
    cr_assert_eq(node_labels_parse(text, &labels, &err), 0, "%s", err.text);
    return labels;
}

static void expect_changes(const char *before, const char *after, const char *expected)
{
    size_t count;
    char text[1024];
    OWNED(own_node_labels) struct node_labels *old = before ? labels_of(before) : NULL;
    OWNED(own_node_labels) struct node_labels *new = after ? labels_of(after) : NULL;
    const struct label_set *from = old ? node_labels_set(old) : NULL;
    const struct label_set *to = new ? node_labels_set(new) : NULL;
    OWNED_MEM struct audit_change *changes = label_changes_make(from, to, &count);
    struct writer out = writer_make(text, sizeof(text));
    label_changes_write(&out, changes, count);
    cr_expect_str_eq(text, expected);
    cr_expect_eq(label_set_equal(from, to), !before == !after && count == 0);
    cr_expect_eq(label_set_equal(to, from), !before == !after && count == 0);
}

Test(label_changes, names_each_by_key)
{
    expect_changes("a=1,b=2", "b=2,a=1", "");
    expect_changes("a=1,b=2", "c=3,b=4", "a: 1 → (none), b: 2 → 4, c: (none) → 3");
    expect_changes("a=", "a=1", "a: \"\" → 1");
    expect_changes("", "a=", "a: (none) → \"\"");
    expect_changes(NULL, "a=1", "a: (none) → 1");
    expect_changes("a=1", NULL, "a: 1 → (none)");
    expect_changes(NULL, NULL, "");
    expect_changes(NULL, "", "");
}

Test(label_changes, names_as_many_as_a_person_reads)
{
    expect_changes("", "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1",
                   "a: (none) → 1, b: (none) → 1, c: (none) → 1, d: (none) → 1, e: (none) → 1, "
                   "f: (none) → 1, g: (none) → 1, h: (none) → 1, and 2 more");
}

/* The warnings of one merge, by their number. */
static int warnings_of(struct conflicts *conflicts, const char *file, const char *api)
{
    char text[4096], *line = text;
    int count = 0, before = dup(STDERR_FILENO);
    int log = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    OWNED(own_node_labels) struct node_labels *ours = labels_of(file);
    OWNED(own_node_labels) struct node_labels *theirs = labels_of(api);
    dup2(log, STDERR_FILENO);
    conflicts_begin(conflicts);
    OWNED(own_node_labels)
    struct node_labels *both = node_labels_merge(ours, theirs, conflicts_add, conflicts);
    dup2(before, STDERR_FILENO);
    close(before);
    cr_assert_not_null(both);
    ssize_t len = pread(log, text, sizeof(text) - 1, 0);
    close(log);
    text[len < 0 ? 0 : len] = '\0';
    for (; (line = strchr(line, '\n')); line++)
        count++;
    return count;
}

Test(label_changes, tells_a_conflict_once)
{
    struct conflicts conflicts = {0};
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=2,b=1"), 1);
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=2,b=1,c=1"), 0);
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=2,b=2,c=1"), 1);
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=3,b=2"), 1);
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=1,b=1"), 0);
    cr_expect_eq(warnings_of(&conflicts, "a=1,b=1", "a=2,b=2"), 2);
    conflicts_free(&conflicts);
}
