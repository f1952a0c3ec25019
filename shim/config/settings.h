/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's settings: crigate.yaml, read once at start. */
#ifndef CRIGATE_CONFIG_SETTINGS_H
#define CRIGATE_CONFIG_SETTINGS_H

#include <netinet/in.h>

#include "base/arena.h"
#include "config/diag.h"

#define SETTINGS_NO_ID UINT32_MAX /* uid_t and gid_t -1: as it comes */

/* With no sink left for records: calls that need one are refused, or go on. */
enum settings_on_failure { SETTINGS_REFUSE, SETTINGS_CONTINUE };

/* The second file beside the log. */
enum settings_format { SETTINGS_NATIVE, SETTINGS_ECS, SETTINGS_OCSF };

struct settings_audit {
    const char *file; /* absolute path */
    enum settings_on_failure on_failure;
    enum settings_format format;
    uint64_t max_size;        /* bytes a file; 0: no bound */
    uint64_t max_age_s;       /* 0: no bound; at most ten years */
    uint64_t keep;            /* rotated files; 0: all of them; at most 100,000 */
    uint32_t owner, group;    /* SETTINGS_NO_ID when not given */
    uint64_t repeat_window_s; /* 0: each refusal is written whole; at most a day */
};

/* A loopback address. */
struct settings_http {
    const char *name; /* as the file has it; NULL: none */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
    socklen_t size;
};

struct settings {
    const char *listen;   /* absolute path of the kubelet's socket */
    const char *upstream; /* absolute path of containerd's socket */
    const char *policy;   /* path of the policy file */
    const uint32_t *peer_uids;
    size_t peer_uid_count;
    const char *node_name;        /* the host's, in lower case, when the file gives none */
    const char *node_labels_file; /* NULL: not a source */
    const char *kubeconfig;       /* NULL: the API server is not a source */
    const char *labels_cache;     /* with kubeconfig: where its labels are kept; NULL: nowhere */
    struct settings_audit audit;
    struct settings_http http;
    bool unconfined;    /* the daemon shall keep what it could give up */
    struct arena arena; /* owns all of the above */
};

/* Reads `path`; every finding goes to `diags`. -1 when one of them is an error; then `settings`
 * holds nothing. Otherwise the caller frees it with settings_free(). */
int settings_load(const char *path, struct diags *diags, struct settings *settings) MUST_CHECK;
void settings_free(struct settings *settings);

#endif
