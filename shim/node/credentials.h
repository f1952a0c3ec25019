/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one connection to the API server is made with: the kubeconfig and the files that it names,
 * read together, and whether any of them has changed since. One thread at a time.
 */
#ifndef CRIGATE_NODE_CREDENTIALS_H
#define CRIGATE_NODE_CREDENTIALS_H

#include <sys/stat.h>

#include "base/err.h"
#include "config/kubeconfig.h"

/* The kubeconfig, the authorities, certificate, key and token. */
#define CREDENTIALS_FILES_MAX 5

struct credentials {
    struct kubeconfig config;
    struct str ca, certificate, key; /* PEM; data is NULL when it is not given */
    struct str token;                /* bare; data is NULL when there is none */
    struct credentials_file {
        const char *path;
        struct stat stat;
    } files[CREDENTIALS_FILES_MAX];
    size_t file_count;
    struct arena arena; /* owns what was read from files */
};

/*
 * `credentials` is zeroed; `kubeconfig` is borrowed as long as they live. -1: which file is wrong,
 * and how; never with a token in it. credentials_free() in either case.
 */
int credentials_read(const char *kubeconfig, struct credentials *credentials,
                     struct err *err) MUST_CHECK;

/* Whether a file is another one than was read, or has other content, or is gone. */
bool credentials_changed(const struct credentials *credentials);

/* Safe on zeroed ones. */
void credentials_free(struct credentials *credentials);
#define OWNED_CREDENTIALS OWNED(credentials_free)

#endif
