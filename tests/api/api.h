/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small API server for tests: HTTPS on 127.0.0.1, one Node, list and watch as a kube-apiserver
 * answers them, and every misfortune between the two on request. It serves from its own threads;
 * any thread may call the functions below. What cannot be done (no port, no memory, a folder that
 * cannot be written) ends the program with a message, which is a failed test.
 */
#ifndef CRIGATE_TESTS_API_H
#define CRIGATE_TESTS_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;

/*
 * Serves a Node called `node`, with the labels of a real one, on a port that the kernel chose.
 * `dir` must be there; it gets ca.crt, client.pem (certificate and key of system:node:NODE, as the
 * kubelet keeps them), client.crt, client.key, token. Certificates stay after the end.
 */
struct api *api_start(const char *dir, const char *node);
void api_stop(struct api *api); /* NULL is allowed */
int api_port(const struct api *api);

/* Refuses connections, and cuts those that are open; then listens on the same port again. These two
 * by one thread. */
void api_down(struct api *api);
void api_up(struct api *api);

/* --- What the cluster holds. Each change has a new resourceVersion and goes to open watches. ---
 */

/* "a=b,c=d" are all of the Node's labels now: MODIFIED, or ADDED when there was no Node. */
void api_set_labels(struct api *api, const char *labels);
/* A change of the Node that is none of its labels: MODIFIED. */
void api_touch(struct api *api);
void api_delete_node(struct api *api);
void api_bookmark(struct api *api);
/* All earlier versions are compacted: open watches get 410 as an ERROR event under HTTP 200 and
 * end; so does a watch that begins at an earlier one. */
void api_expire(struct api *api);
/* One line to open watches as it is. A Node's event becomes what a list answers too. */
void api_push(struct api *api, const char *line);
/* The same with each line of a file; false: it cannot be read. */
bool api_replay(struct api *api, const char *path);
/* The Node is larger by so many bytes from the next change on. */
void api_set_padding(struct api *api, size_t bytes);
/* Watches end: politely, as at their timeoutSeconds, or by a cut in mid-stream. */
void api_end_watches(struct api *api);
void api_cut_watches(struct api *api);

/* --- Misfortunes --- */

enum api_when { API_ON_CONNECT, API_ON_LIST, API_ON_WATCH, API_WHEN_COUNT };

enum api_fault_kind {
    API_NO_FAULT,
    API_HANG,        /* on connect: not accepted; else nothing comes back for a request */
    API_HANG_TLS,    /* on connect: accepted, and no TLS */
    API_HANG_BODY,   /* headers, then nothing */
    API_CUT,         /* the connection ends: on connect before TLS, else without an answer */
    API_CUT_HEADERS, /* ... in the middle of the headers */
    API_CUT_BODY,    /* ... in the middle of the list; of a watch's next event */
    API_STATUS,      /* `status`, with a Status object, and Retry-After if `retry_after_s` */
    API_GARBAGE,     /* 200, and bytes that are no JSON */
    API_EMPTY,       /* 200, and no byte */
    API_GONE,        /* a watch: the ERROR event with code 410 at once */
    API_DRIP,        /* byte by byte, `delay_ms` between two */
};

struct api_fault {
    enum api_fault_kind kind;
    unsigned times; /* so often, then no more; 0: until another is set */
    int status, retry_after_s;
    int delay_ms;
};

void api_set_fault(struct api *api, enum api_when when, const struct api_fault *fault);

/* --- Certificates and credentials --- */

enum api_certificate { API_CERT_GOOD, API_CERT_OTHER_CA, API_CERT_EXPIRED, API_CERT_WRONG_HOST };

/* What connections from now on are shown. */
void api_present(struct api *api, enum api_certificate certificate);
/* Another authority signs the server's certificate from now on, and ca.crt is replaced. */
void api_rotate_ca(struct api *api);

enum api_demand { API_DEMAND_NOTHING, API_DEMAND_CERTIFICATE, API_DEMAND_TOKEN };

/* What a request must show, else 401; nothing at first. `token` only with API_DEMAND_TOKEN. */
void api_demand(struct api *api, enum api_demand demand, const char *token);
/* Replaces the client's certificate and key files; the earlier certificates are still good. */
void api_issue_client(struct api *api);
/* From now on only the last one issued is good. */
void api_refuse_old_clients(struct api *api);
/* Replaces the token file. */
void api_write_token(struct api *api, const char *token);

enum api_kubeconfig {
    API_KUBELET,    /* as kubeadm writes it: the CA inline, one file with certificate and key */
    API_FILES,      /* ca.crt, client.crt, client.key, relative paths */
    API_INLINE,     /* all of them in the kubeconfig */
    API_TOKEN,      /* the content of the token file */
    API_TOKEN_FILE, /* its path */
    API_ANONYMOUS,  /* the CA and nothing else */
};

/* Writes DIR/kubeconfig, in one step; the path is good until api_stop(). */
const char *api_write_kubeconfig(struct api *api, enum api_kubeconfig form);

/* --- What was seen --- */

enum api_count {
    API_CONNECTIONS, /* accepted */
    API_HANDSHAKES,  /* TLS is up */
    API_HANDSHAKES_FAILED,
    API_REQUESTS, /* of any path */
    API_LISTS,
    API_WATCHES,      /* begun */
    API_UNAUTHORIZED, /* answered 401 */
    API_OPEN_WATCHES, /* now */
    API_COUNT_COUNT
};

struct api_seen {
    unsigned counts[API_COUNT_COUNT];
    /* of the last request; cut, never overrun */
    char path[256], query[512], resource_version[32], token[256], client_name[256], agent[128];
};

struct api_seen api_seen(struct api *api);

/* Waits until at least `n` were seen; exactly 0 when n is 0 and `what` is API_OPEN_WATCHES.
 * False after 20 s. */
bool api_await(struct api *api, enum api_count what, unsigned n);

#endif
