/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kubeconfig, such as the kubelet's own: what its current context says of the way to the API
 * server. Files are named, not read: they rotate, and whoever connects reads them then.
 */
#ifndef CRIGATE_CONFIG_KUBECONFIG_H
#define CRIGATE_CONFIG_KUBECONFIG_H

#include "base/arena.h"
#include "config/diag.h"

/* A certificate or key in PEM: in a file, or inline; neither: not given. */
struct kubeconfig_pem {
    const char *file; /* absolute: a relative path begins where the kubeconfig lies */
    struct str data;  /* decoded; its data is NULL when it is not inline. Inline wins, as in
                         kubectl */
};

struct kubeconfig {
    const char *server;                     /* "https://HOST[:PORT][/PATH]", no slash at its end */
    const char *tls_server_name;            /* NULL: the server's own host */
    struct kubeconfig_pem ca;               /* not given: the system's authorities */
    struct kubeconfig_pem certificate, key; /* both or none */
    const char *token;                      /* NULL: none */
    const char *token_file; /* absolute; NULL: none. It wins over `token`, as in kubectl */
    struct arena arena;     /* owns all of the above */
};

enum kubeconfig_outcome {
    KUBECONFIG_WRONG,   /* findings in `diags`; or memory is out */
    KUBECONFIG_MISSING, /* there is no such file (yet): a node that has not joined its cluster; no
                           finding */
    KUBECONFIG_READ,
};

/*
 * Reads `path`. What cannot be held is an error at its place: http, insecure-skip-tls-verify, exec
 * and auth-provider, a password, a certificate without a key, base64 that is none or holds no PEM,
 * a context, cluster or user that is not there. `proxy-url` is a warning: the gate uses no proxy.
 * Unknown keys are passed over, as kubectl does. When read, the caller frees it with
 * kubeconfig_free().
 */
enum kubeconfig_outcome kubeconfig_load(const char *path, struct diags *diags,
                                        struct kubeconfig *config) MUST_CHECK;
void kubeconfig_free(struct kubeconfig *config);

#endif
