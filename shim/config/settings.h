/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's settings: crigate.yaml, read once at start. */
#ifndef CRIGATE_CONFIG_SETTINGS_H
#define CRIGATE_CONFIG_SETTINGS_H

#include "base/arena.h"
#include "config/diag.h"

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
    const char *audit_file;
    struct arena arena; /* owns all of the above */
};

/* Reads `path`; every finding goes to `diags`. -1 when one of them is an error; then `settings`
 * holds nothing. Otherwise the caller frees it with settings_free(). */
int settings_load(const char *path, struct diags *diags, struct settings *settings) MUST_CHECK;
void settings_free(struct settings *settings);

#endif
