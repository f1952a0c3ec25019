/* SPDX-License-Identifier: Apache-2.0 */
/* A Kubernetes Pod manifest -> the facts that the kubelet would send for it. */
#ifndef CRIGATE_CONFIG_POD_MANIFEST_H
#define CRIGATE_CONFIG_POD_MANIFEST_H

#include "config/pod_containers.h"

/* A manifest is at most this long. */
#define POD_MANIFEST_MAX ((size_t)4 * 1024 * 1024)

struct pod_manifest {
    struct pod_facts facts;           /* its handler is empty: the caller chooses it */
    struct str runtime_class;         /* spec.runtimeClassName; empty when there is none */
    struct pod_containers containers; /* of every kind; `facts` has none */
    struct arena arena;               /* owns the above */
};

/*
 * Reads the first document of `text`; `path` names it in the findings. Fields that no policy reads
 * are passed over. -1 when a finding is an error; then `pod` holds nothing. Otherwise the caller
 * frees it with pod_manifest_free().
 */
int pod_manifest_parse(const char *path, struct str text, struct diags *diags,
                       struct pod_manifest *pod) MUST_CHECK;

/* How a manifest begins: `apiVersion` and `kind` must be there, or may be left out. */
enum pod_manifest_head { POD_MANIFEST_WHOLE, POD_MANIFEST_INLINE };

/* The same from a tree that was read already, such as a part of a larger file: what is read lives
 * in the reader's arena, which outlives `pod` (zeroed before); the findings are the outcome. */
void pod_manifest_read(struct reader *reader, const struct yaml_node *root,
                       enum pod_manifest_head head, struct pod_manifest *pod);

void pod_manifest_free(struct pod_manifest *pod);

#endif
