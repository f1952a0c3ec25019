/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known from the API server so far: compares each news with it, tells what changed, and
 * keeps the cache file in step. One thread, but for label_feed_seen().
 */
#ifndef CRIGATE_KUBERNETES_LABEL_FEED_H
#define CRIGATE_KUBERNETES_LABEL_FEED_H

#include <stdatomic.h>

#include "kubernetes/kubernetes.h"

struct label_feed {
    const struct kubernetes_options *options; /* borrowed */
    kubernetes_fn *changed;
    void *cookie;
    struct node_labels *labels; /* told last; one reference of the feed's own */
    _Atomic int64_t seen;       /* see kubernetes_seen() */
    int64_t kept;               /* `seen` of the cache file; 0: there is none, or a wrong one */
    bool cache_failed;          /* and was complained about */
};

/* Reads the cache, and tells its labels or that none are known. `feed` has its options, `changed`
 * and cookie, and zeroes. -1: memory is out. label_feed_free() in either case. */
int label_feed_begin(struct label_feed *feed, struct err *err) MUST_CHECK;

/* The labels as the API server has them now; NULL: there is no such Node. */
void label_feed_take(struct label_feed *feed, const struct label_set *labels);

/* They are still so. */
void label_feed_confirm(struct label_feed *feed);

#define LABEL_FEED_AGE_SIZE 48

/* How long ago the labels were confirmed, as "3 hours". */
void label_feed_age(const struct label_feed *feed, char *text, size_t size);

void label_feed_free(struct label_feed *feed);

#endif
