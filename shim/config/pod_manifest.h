/* SPDX-License-Identifier: Apache-2.0 */
/* A Kubernetes Pod manifest -> the facts that the kubelet would send for it. */
#ifndef CRIGATE_CONFIG_POD_MANIFEST_H
#define CRIGATE_CONFIG_POD_MANIFEST_H

#include "config/diag.h"
#include "policy/facts.h"

/* A manifest is at most this long. */
#define POD_MANIFEST_MAX ((size_t)4 * 1024 * 1024)

struct pod_manifest {
    struct pod_facts facts;   /* its handler is empty: the caller chooses it */
    struct str runtime_class; /* spec.runtimeClassName; empty when there is none */
    struct arena arena;       /* owns the above */
};

/*
 * Reads the first document of `text`; `path` names it in the findings. Fields that no policy reads
 * are passed over. -1 when a finding is an error; then `pod` holds nothing. Otherwise the caller
 * frees it with pod_manifest_free().
 */
int pod_manifest_parse(const char *path, struct str text, struct diags *diags,
                       struct pod_manifest *pod) MUST_CHECK;
void pod_manifest_free(struct pod_manifest *pod);

#endif
