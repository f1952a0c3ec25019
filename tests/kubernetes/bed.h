/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test's API server, the watch of its Node, and what the watch told and logged. Each test is a
 * process of its own, whose standard error becomes the log.
 */
#ifndef CRIGATE_TESTS_KUBERNETES_BED_H
#define CRIGATE_TESTS_KUBERNETES_BED_H

#include <pthread.h>

#include "api.h"
#include "kubernetes/kubernetes.h"

#define BED_NODE "lab"
#define BED_KEY "agenttier.io/runtime"

struct bed {
    char dir[64], cache[96];
    struct api *api;
    const char *kubeconfig;
    struct kubernetes *kubernetes;
    int log;
    pthread_mutex_t mutex;
    pthread_cond_t told;
    struct node_labels *labels; /* told last */
    unsigned changes;           /* how often */
};

/* A server, a kubeconfig of this form, and no watch yet. */
void bed_make(struct bed *bed, enum api_kubeconfig form);
/* A watch; the labels that are told at its start are there when it returns. */
void bed_watch(struct bed *bed);
/* Ends the watch, which must not take long. */
void bed_stop(struct bed *bed);
void bed_free(struct bed *bed);

/* Wait until the label has this value (NULL: is not there, while labels are known), or until the
 * labels are not known. A failed test after 20 s. */
void bed_await_value(struct bed *bed, const char *key, const char *value);
void bed_await_unknown(struct bed *bed);
/* What is so now. */
bool bed_has(struct bed *bed, const char *key, const char *value);
bool bed_is_unknown(struct bed *bed);
unsigned bed_changes(struct bed *bed);

/* Waits until the log holds `text`; how often it does. */
void bed_await_log(struct bed *bed, const char *text);
unsigned bed_logged(struct bed *bed, const char *text);

/* A file of the bed's folder: its content (freed by the caller), NULL when it is not there. */
char *bed_read(const char *path);
void bed_write(const char *path, const char *text);

#endif
