/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy judges: label sets, and the facts of one pod. Everything here borrows its bytes
 * (from the request, or from a snapshot) and holds only what a matcher or a guard reads.
 */
#ifndef CRIGATE_POLICY_FACTS_H
#define CRIGATE_POLICY_FACTS_H

#include "base/own.h"
#include "base/str.h"

struct label {
    struct str key, value;
    uint32_t hash; /* label_hash(key) */
};

/* Immutable once made by label_set_make(): sorted by (hash, key), each key once. Zeroed is empty.
 */
struct label_set {
    const struct label *items;
    size_t count;
    uint64_t seen; /* label_bit() of each key: most absent keys are told without a search */
};

/* The hash that label sets and compiled rules share. */
uint32_t label_hash(struct str key);

/* The bit of `seen` that stands for keys of this hash. */
static inline uint64_t label_bit(uint32_t hash)
{
    return UINT64_C(1) << (hash & 63);
}

/*
 * Sorts `items` (their hashes are computed here) and makes a set that borrows them.
 * Returns -1 when a key stands twice; `*twice` then is that key and the set is not usable.
 */
int label_set_make(struct label *items, size_t count, struct label_set *set,
                   struct str *twice) MUST_CHECK;

/* The label with `key`, or NULL; and its value, or NULL. `hash` is label_hash(key). */
const struct label *label_set_get(const struct label_set *set, struct str key, uint32_t hash);
const struct str *label_set_find(const struct label_set *set, struct str key, uint32_t hash);

/* NULL is a set that is not known, which is not an empty one. */
bool label_set_equal(const struct label_set *a, const struct label_set *b);

/*
 * One pod, as the request tells it.
 * Sources: PodSandboxConfig and LinuxSandboxSecurityContext of the CRI.
 */
struct pod_facts {
    struct str namespace, name, uid;
    uint32_t attempt;
    struct label_set labels, annotations;
    struct str handler; /* as the request asks, empty when it names none; see untrusted */
    bool untrusted;     /* annotation io.kubernetes.cri.untrusted-workload: "true" */
    bool host_network, host_pid, host_ipc; /* namespace option NODE */
    bool privileged;
    bool user_namespace;                      /* userns_options present with mode POD */
    bool selinux;                             /* any part of an SELinux label is given */
    const struct container_facts *containers; /* that come with the pod: RestorePod only */
    size_t container_count;
};

/*
 * One container, as its ContainerConfig tells it. Sources: the CRI's ContainerConfig, Mount,
 * Device, CDIDevice and LinuxContainerSecurityContext.
 */
struct container_facts {
    struct str name;
    uint32_t attempt;
    bool host_network, host_pid, host_ipc; /* namespace option NODE */
    bool privileged;
    bool user_namespace;       /* userns_options present with mode POD */
    bool selinux;              /* any part of an SELinux label is given */
    const struct str *devices; /* host paths of devices, and names of CDI devices, in the field or
                                  in an annotation cdi.k8s.io/... */
    size_t device_count;
    struct str recursive_read_only; /* container path of the first such mount; data NULL: none */
    struct str bidirectional;       /* the same for propagation BIDIRECTIONAL */
};

/* Whether containerd takes a pod with these annotations, or with this one, for an untrusted one. */
bool pod_annotations_untrust(const struct label_set *annotations);
bool pod_annotation_untrusts(struct str key, struct str value);

/* The handler that the request asks for: `untrusted` when the annotation says so, as containerd
 * reads it, else the field. */
struct str pod_facts_requested(const struct pod_facts *pod);

#endif
