/* SPDX-License-Identifier: Apache-2.0 */
/* How one libcurl handle reaches the API server: TLS, credential, name and address. One thread. */
#ifndef CRIGATE_KUBERNETES_API_CLIENT_OPTIONS_H
#define CRIGATE_KUBERNETES_API_CLIENT_OPTIONS_H

#include "kubernetes/api_access.h"
#include "kubernetes/api_client_curl.h"

/* The first three are the caller's, and zeroes the rest. */
struct api_client_options {
    const struct api_client_curl *curl;
    const struct api_access *access;
    CURL *easy;
    const char *base; /* what paths are put behind */
    struct curl_slist *headers, *connect_to;
    struct arena arena;
};

/* Sets all that is the same for each request. -1: what libcurl cannot do, or memory is out. */
int api_client_options_set(struct api_client_options *options, struct err *err) MUST_CHECK;

/* After the handle is gone, which uses what this frees. */
void api_client_options_free(struct api_client_options *options);

#endif
