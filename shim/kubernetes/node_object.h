/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API server's JSON says of one Node: the answer to a list, or one event of a watch.
 * Sources: Kubernetes' API conventions, and answers of kube-apiserver 1.36 (tests/api/samples).
 * Pure; any thread.
 */
#ifndef CRIGATE_KUBERNETES_NODE_OBJECT_H
#define CRIGATE_KUBERNETES_NODE_OBJECT_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/facts.h"

enum node_news {
    NODE_WRONG,    /* not what an API server says; told in `err` */
    NODE_LABELS,   /* the Node is there, with these labels */
    NODE_GONE,     /* there is no such Node (any more) */
    NODE_BOOKMARK, /* nothing but a newer resourceVersion: labels are as they were */
    NODE_EXPIRED,  /* the resourceVersion is too old: list again */
    NODE_ERROR,    /* another error of the API server's; told in `err` */
};

struct node_object {
    struct label_set labels; /* with NODE_LABELS */
    struct str version; /* resourceVersion to watch from, safe in a URL; not with EXPIRED, ERROR */
    struct arena arena; /* owns both */
};

/* `object` is zeroed, and the caller frees its arena in either case. */
enum node_news node_object_from_list(struct str text, const char *node, struct node_object *object,
                                     struct err *err) MUST_CHECK;
enum node_news node_object_from_event(struct str text, const char *node, struct node_object *object,
                                      struct err *err) MUST_CHECK;

/* The body of an HTTP error. True: a Status that says that this Node is not there, which another
 * 404 (a wrong path, a proxy) does not. `message` gets what a Status says, escaped; else "". */
bool node_object_from_error(struct str text, const char *node, char *message, size_t size);

#endif
