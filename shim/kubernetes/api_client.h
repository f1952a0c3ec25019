/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET requests to the API server over one connection of its own: HTTPS with the kubeconfig's
 * authorities and credential, no proxy, no redirect, whatever the environment says. One thread.
 */
#ifndef CRIGATE_KUBERNETES_API_CLIENT_H
#define CRIGATE_KUBERNETES_API_CLIENT_H

#include "base/err.h"
#include "kubernetes/api_access.h"

struct api_client;

/* Loads libcurl, which is not part of the process before. -1: there is none. Any thread. */
int api_client_load(struct err *err) MUST_CHECK;

/*
 * Begins with no connection and no TLS session from before, so it shows what `access` has, which is
 * borrowed until api_client_close(). While `stop_fd` is readable, requests end.
 * -1: libcurl is missing or memory is out.
 */
int api_client_open(const struct api_access *access, int stop_fd, struct api_client **client,
                    struct err *err) MUST_CHECK;
void api_client_close(struct api_client *client);
DEFINE_OWNED(own_api_client, struct api_client, api_client_close)

struct api_request {
    const char *path;  /* "/api/v1/...?..." behind the server's URL, escaped */
    int64_t total_ms;  /* the answer's end comes within, */
    int64_t silent_ms; /* and each byte of it within so much of the byte before */
    /* Of an answer with status 200: its bytes as they come, and a chance to look at the clock every
     * API_CLIENT_IDLE_MS, from the headers on. False: it is enough. */
    bool (*bytes)(void *cookie, struct str bytes);
    bool (*idle)(void *cookie);
    void *cookie;
};

#define API_CLIENT_IDLE_MS 5000

enum api_outcome {
    API_FAILED,   /* no (whole) answer: told in `err` */
    API_STOPPED,  /* stop_fd */
    API_ENOUGH,   /* said by `bytes` or `idle` */
    API_SILENT,   /* silent_ms went by after the headers */
    API_ANSWERED, /* to its end */
};

struct api_answer {
    long status;         /* HTTP's */
    int64_t retry_after; /* seconds; 0: not given */
    struct str body;     /* the beginning of it when the status is not 200; good until the next */
};

/* One request, and its answer up to its end. `answer` is set when it is API_ANSWERED. */
enum api_outcome api_client_get(struct api_client *client, const struct api_request *request,
                                struct api_answer *answer, struct err *err) MUST_CHECK;

/* CLOCK_MONOTONIC in milliseconds: what the bounds are counted in. */
int64_t api_client_now(void);

#endif
