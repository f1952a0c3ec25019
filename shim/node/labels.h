/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the node's labels: an immutable snapshot behind a reference count, and the
 * reader of `key=value` lines. "Not known" is a value of its own: it is
 * not the same as "no labels".
 */
#ifndef CRIGATE_NODE_LABELS_H
#define CRIGATE_NODE_LABELS_H

#include "base/err.h"
#include "policy/facts.h"

struct node_labels;

/* A snapshot that knows nothing; NULL when memory is out. One reference, the caller's. */
struct node_labels *node_labels_unknown(void) MUST_CHECK;

/*
 * Reads the text of a file, which `path` names in errors: one `key=value` a line, blank lines and
 * lines that begin with `#` passed over, white space around key and value dropped. An empty text is
 * a node without labels. Always makes a snapshot: for a wrong text it is the unknown one, and the
 * return is -1 with the reason, path:line:column, in `err`. `*labels` is NULL only when memory is
 * out. A label's syntax is Kubernetes'.
 */
int node_labels_parse_file(const char *path, struct str text, struct node_labels **labels,
                           struct err *err) MUST_CHECK;

/* A label file is at most this long. */
#define NODE_LABELS_FILE_MAX ((size_t)1024 * 1024)

/* The same from `k=v,k=v` on a command line; an empty text is a node without labels. */
int node_labels_parse(const char *text, struct node_labels **labels, struct err *err) MUST_CHECK;

/* Where labels come from, for records and log lines. */
struct node_labels_origin {
    const char *source; /* static: "file", "kubernetes", "cache"; "none": a command line, unknown */
    int64_t seen; /* CLOCK_REALTIME, seconds: when they were read, or told by the API; 0: never */
};

/* Copies `set` into a snapshot that is known. NULL: memory is out. */
struct node_labels *node_labels_make(const struct label_set *set,
                                     struct node_labels_origin origin) MUST_CHECK;
struct node_labels_origin node_labels_origin(const struct node_labels *labels);

/* A key that both sources give, with two different values. */
typedef void node_labels_conflict_fn(void *cookie, const struct label *file,
                                     const struct label *api);

/*
 * Both sources in one: known only while both are, for a key that one does not tell the other might
 * give. The API's value wins, and `conflict` is told. The origin is the API's. NULL: memory is out.
 */
struct node_labels *node_labels_merge(const struct node_labels *file, const struct node_labels *api,
                                      node_labels_conflict_fn *conflict, void *cookie) MUST_CHECK;

/* For policy_decide(): NULL while the labels are not known. Valid as long as the snapshot. */
const struct label_set *node_labels_set(const struct node_labels *labels);

/* Both from any thread. The last unref frees. */
struct node_labels *node_labels_ref(struct node_labels *labels);
void node_labels_unref(struct node_labels *labels);
DEFINE_OWNED(own_node_labels, struct node_labels, node_labels_unref)

#endif
