/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that the API server told last, in a file: what the gate decides by when it starts
 * while the API server is away. One thread at a time writes it.
 */
#ifndef CRIGATE_KUBERNETES_LABEL_CACHE_H
#define CRIGATE_KUBERNETES_LABEL_CACHE_H

#include "node/labels.h"

enum label_cache_outcome {
    LABEL_CACHE_WRONG,   /* told in `err`, with the path */
    LABEL_CACHE_MISSING, /* there is no such file */
    LABEL_CACHE_READ,
};

/*
 * Reads the labels of `node`; their origin is "cache" and when they were last confirmed, which is
 * never after `now` (CLOCK_REALTIME, seconds). Wrong is another node's file too, one that
 * others than its owner may write, and a link. `*labels` is set only when it was read.
 */
enum label_cache_outcome label_cache_read(const char *path, const char *node, int64_t now,
                                          struct node_labels **labels, struct err *err) MUST_CHECK;

/* Replaces the file in one step, durably, for its owner only. On failure the old
 * file stays, or the new one may not outlive a crash. */
int label_cache_write(const char *path, const char *node, const struct label_set *labels,
                      int64_t seen, struct err *err) MUST_CHECK;

/* Durably; no such file is fine. */
int label_cache_remove(const char *path, struct err *err) MUST_CHECK;

#endif
