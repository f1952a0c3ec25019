/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when the API server is a source of labels and not before: Debian's brings some
 * thirty libraries along, 4 MiB of resident memory that a node with a file of labels need not pay.
 */
#ifndef CRIGATE_KUBERNETES_API_CLIENT_CURL_H
#define CRIGATE_KUBERNETES_API_CLIENT_CURL_H

#include <curl/curl.h>

#include "base/err.h"
#include "base/own.h"

#define API_CLIENT_CURL_FUNCTIONS(X) \
    X(global_init)                   \
    X(easy_init)                     \
    X(easy_setopt)                   \
    X(easy_getinfo)                  \
    X(easy_strerror)                 \
    X(easy_cleanup)                  \
    X(slist_append)                  \
    X(slist_free_all)                \
    X(multi_init)                    \
    X(multi_add_handle)              \
    X(multi_remove_handle)           \
    X(multi_perform)                 \
    X(multi_poll)                    \
    X(multi_info_read)               \
    X(multi_strerror)                \
    X(multi_cleanup)

/* curl->easy_init is curl_easy_init, and so on. */
struct api_client_curl {
#define API_CLIENT_CURL_MEMBER(name) __typeof__(curl_##name) *name;
    API_CLIENT_CURL_FUNCTIONS(API_CLIENT_CURL_MEMBER)
#undef API_CLIENT_CURL_MEMBER
};

/* The functions, ready for use as long as the process runs; NULL when there is no (usable)
 * libcurl. Any thread. */
const struct api_client_curl *api_client_curl_load(struct err *err) MUST_CHECK;

#endif
