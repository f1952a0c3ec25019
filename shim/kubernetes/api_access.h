/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one connection to the API server is made with: the kubeconfig and the files that it names,
 * read together, and whether any of them has changed since. One thread at a time.
 */
#ifndef CRIGATE_KUBERNETES_API_ACCESS_H
#define CRIGATE_KUBERNETES_API_ACCESS_H

#include <sys/stat.h>

#include "base/err.h"
#include "config/kubeconfig.h"

/* The kubeconfig, the authorities, certificate, key and token. */
#define API_ACCESS_FILES_MAX 5

struct api_access {
    struct kubeconfig config;
    struct str ca, certificate, key; /* PEM; data is NULL when it is not given */
    struct str token;                /* bare; data is NULL when there is none */
    struct api_access_file {
        const char *path;
        struct stat stat;
    } files[API_ACCESS_FILES_MAX];
    size_t file_count;
    struct arena arena; /* owns what was read from files */
};

/*
 * `access` is zeroed; `kubeconfig` is borrowed as long as it lives. -1: which file is wrong,
 * and how; never with a token in it. api_access_free() in either case.
 */
int api_access_read(const char *kubeconfig, struct api_access *access, struct err *err) MUST_CHECK;

/* Whether a file is another one than was read, or has other content, or is gone. */
bool api_access_changed(const struct api_access *access);

/* Safe on a zeroed one. */
void api_access_free(struct api_access *access);

#endif
