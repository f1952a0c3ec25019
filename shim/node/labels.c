/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of a node's labels: made from a set, merged of two, shared by counting references. */
#include "node/labels.h"

#include <stdatomic.h>

#include "base/arena.h"

struct node_labels {
    atomic_uint refs;
    bool known;
    struct node_labels_origin origin;
    struct label_set set;
    struct arena arena; /* owns the set */
};

struct node_labels *node_labels_unknown(void)
{
    struct node_labels *labels = calloc(1, sizeof(*labels));
    if (!labels)
        return NULL;
    atomic_init(&labels->refs, 1);
    labels->origin.source = "none";
    return labels;
}

/* Copies `items` and makes `labels` known. -1: memory is out, or a key stands twice. */
static int fill(struct node_labels *labels, const struct label *items, size_t count)
{
    struct label *copies = arena_array(&labels->arena, count, sizeof(*copies));
    struct str twice;
    if (!copies)
        return -1;
    for (size_t i = 0; i < count; i++) {
        copies[i].key = arena_str(&labels->arena, items[i].key);
        copies[i].value = arena_str(&labels->arena, items[i].value);
        if (!copies[i].key.data || !copies[i].value.data)
            return -1;
    }
    if (label_set_make(copies, count, &labels->set, &twice))
        return -1;
    labels->known = true;
    return 0;
}

struct node_labels *node_labels_make(const struct label_set *set, struct node_labels_origin origin)
{
    OWNED(own_node_labels) struct node_labels *labels = node_labels_unknown();
    if (!labels || fill(labels, set->items, set->count))
        return NULL;
    labels->origin = origin;
    return steal_ptr(&labels);
}

struct node_labels_origin node_labels_origin(const struct node_labels *labels)
{
    return labels->origin;
}

/* All of the API's, and what only the file has. */
static size_t join(const struct label_set *file, const struct label_set *api, struct label *joined,
                   node_labels_conflict_fn *conflict, void *cookie)
{
    size_t count = 0;
    for (size_t i = 0; i < api->count; i++)
        joined[count++] = api->items[i];
    for (size_t i = 0; i < file->count; i++) {
        const struct label *mine = &file->items[i];
        const struct label *theirs = label_set_get(api, mine->key, mine->hash);
        if (!theirs)
            joined[count++] = *mine;
        else if (!str_eq(mine->value, theirs->value))
            conflict(cookie, mine, theirs);
    }
    return count;
}

struct node_labels *node_labels_merge(const struct node_labels *file, const struct node_labels *api,
                                      node_labels_conflict_fn *conflict, void *cookie)
{
    OWNED(own_node_labels) struct node_labels *merged = node_labels_unknown();
    if (!merged)
        return NULL;
    merged->origin = api->origin;
    if (!file->known || !api->known)
        return steal_ptr(&merged);
    OWNED_MEM struct label *joined = calloc(file->set.count + api->set.count + 1, sizeof(*joined));
    if (!joined || fill(merged, joined, join(&file->set, &api->set, joined, conflict, cookie)))
        return NULL;
    return steal_ptr(&merged);
}

const struct label_set *node_labels_set(const struct node_labels *labels)
{
    return labels->known ? &labels->set : NULL;
}

struct node_labels *node_labels_ref(struct node_labels *labels)
{
    atomic_fetch_add_explicit(&labels->refs, 1, memory_order_relaxed);
    return labels;
}

void node_labels_unref(struct node_labels *labels)
{
    if (atomic_fetch_sub_explicit(&labels->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&labels->arena);
    free(labels);
}
