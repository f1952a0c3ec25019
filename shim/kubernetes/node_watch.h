/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session with the API server: its Node listed once, then watched from there for as long as
 * the server keeps to it. When it ends, and how soon the next begins, is its user's. One thread.
 */
#ifndef CRIGATE_KUBERNETES_NODE_WATCH_H
#define CRIGATE_KUBERNETES_NODE_WATCH_H

#include "base/err.h"
#include "policy/facts.h"

struct node_watch;

/* Called while a list or a watch runs. */
struct node_watch_listener {
    void (*labels)(void *cookie, const struct label_set *labels); /* NULL: there is no such Node */
    void (*confirmed)(void *cookie);                              /* nothing has changed since */
    void (*steady)(void *cookie); /* the watch has been open for seconds */
    void *cookie;
};

struct node_watch_options {
    const char *kubeconfig;
    const char *node;
    int stop_fd; /* readable: end at once */
    struct node_watch_listener listener;
};

enum node_watch_end {
    NODE_WATCH_LOST,    /* told in `err` */
    NODE_WATCH_STOPPED, /* stop_fd */
    NODE_WATCH_EXPIRED, /* 410, in `err`: a new session must list again */
    NODE_WATCH_STALE,   /* nothing was heard for too long, or a credential's file has changed: a new
                           session should begin */
    NODE_WATCH_OVER,    /* ended as it should: a list is done, a watch may be asked for again */
};

/* Reads the kubeconfig and its files; connects later. `options` is borrowed as long as the session
 * lives. -1: a file is missing or wrong, libcurl is, or memory is out. */
int node_watch_open(const struct node_watch_options *options, struct node_watch **watch,
                    struct err *err) MUST_CHECK;
void node_watch_close(struct node_watch *watch);
DEFINE_OWNED(own_node_watch, struct node_watch, node_watch_close)

/* One list, which tells labels once when it is OVER. */
enum node_watch_end node_watch_list(struct node_watch *watch, struct err *err) MUST_CHECK;

/* After a list: one watch from the last version seen, up to its end after some minutes. */
enum node_watch_end node_watch_follow(struct node_watch *watch, struct err *err) MUST_CHECK;

const char *node_watch_server(const struct node_watch *watch);

/* Seconds that the server asked to be left alone, in the last answer; 0: it did not. */
int64_t node_watch_retry_after(const struct node_watch *watch);

#endif
