/* SPDX-License-Identifier: Apache-2.0 */
/* The server's parts among themselves. Unless said otherwise a function takes the lock itself. */
#ifndef CRIGATE_TESTS_API_SERVER_H
#define CRIGATE_TESTS_API_SERVER_H

#include <jansson.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include "api.h"
#include "pki.h"

/* What a watch is sent: a line of JSON, or of anything else. */
struct event {
    uint64_t version;
    char *line; /* with its newline */
    bool is_bookmark, is_last;
};

/* How the watches that are open shall end. */
enum ending { KEEP, END, CUT };

/* One connection: a thread of its own, which alone uses `ssl`. */
struct conn {
    struct api *api;
    int fd;
    int wake; /* an eventfd: look at the state again */
    SSL *ssl;
    bool is_watch;      /* under the lock */
    enum ending ending; /* under the lock */
    int drip_ms;        /* of the request in hand */
    struct conn *next;
};

struct api {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* whatever api_await() waits for */
    char dir[PATH_MAX], kubeconfig[PATH_MAX];
    char node[254];
    int port;

    /* certificates: credentials.c */
    struct pki_pair ca, other_ca, client_ca, client;
    struct pki_pair servers[API_CERT_WRONG_HOST + 1];
    long serial, good_serial; /* the last one; the first that is good for a client */
    enum api_certificate presented;
    enum api_demand demand;
    char token[256];

    /* the cluster: cluster.c */
    json_t *object; /* the Node; NULL: there is none */
    json_t *spare;  /* what it is made from when it comes back */
    uint64_t version, oldest;
    struct event *events;
    size_t event_count, event_room, padding;

    /* the traffic: server.c */
    struct api_fault faults[API_WHEN_COUNT];
    struct api_seen seen;
    pthread_t acceptor;
    int listener; /* -1: down */
    int wake;     /* the acceptor's eventfd */
    bool stopping;
    struct conn *conns;
};

struct request {
    char path[256], query[512], token[256], agent[128];
    char selector[300], resource_version[32]; /* decoded; empty: not given */
    bool is_watch, allows_bookmarks;
    long timeout_s; /* 0: none */
};

/* credentials.c */
void credentials_make(struct api *api);
void credentials_free(struct api *api);
/* The context of one connection; the caller frees it. */
SSL_CTX *credentials_context(struct api *api);
/* Whether a request may be answered; fills the client's name. */
bool credentials_hold(struct api *api, SSL *ssl, const char *token, char *name, size_t size);

/* cluster.c */
void cluster_make(struct api *api);
void cluster_free(struct api *api);
char *cluster_list(struct api *api); /* the body; the caller frees it */
/* The ERROR event of a version that is gone; the caller frees it. */
char *cluster_expired(struct api *api, uint64_t version);

/* nodes.c */
/* Answers one request; false: the connection ends. */
bool nodes_answer(struct conn *conn, const struct request *request);

/* http.c: false when the connection is gone */
bool http_read(struct conn *conn, struct request *request);
bool http_write(struct conn *conn, const char *data, size_t len);
bool http_answer(struct conn *conn, int status, int retry_after_s, const char *body, size_t len);
bool http_start_chunks(struct conn *conn);
bool http_chunk(struct conn *conn, const char *data, size_t len);
bool http_end_chunks(struct conn *conn);

/* server.c */
enum woken { WOKEN, TIMED_OUT, GONE };
/* Until the state may have changed, `ms` are over (-1: never), or the client has gone. */
enum woken server_wait(struct conn *conn, int ms);
/* For ever: until the client has gone or the server ends. */
void server_hang(struct conn *conn);
void server_wake(struct api *api); /* the lock is held */
void server_count(struct api *api, enum api_count what, int by);
struct api_fault server_fault(struct api *api, enum api_when when);

#endif
