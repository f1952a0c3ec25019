/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts that several messages of the CRI share, and how a message is decoded. Nobody outside
 * gate/inspect* includes this. All of it borrows from the message's bytes and the arena. Any
 * thread.
 */
#ifndef CRIGATE_GATE_INSPECT_PARTS_H
#define CRIGATE_GATE_INSPECT_PARTS_H

#include "base/arena.h"
#include "base/err.h"
#include "cri.pb-c.h"
#include "policy/facts.h"

/* A field's value; empty, and its data not NULL, when the field is absent. */
static inline struct str inspect_str(ProtobufCBinaryData bytes)
{
    return (struct str){.data = bytes.data ? (const char *)bytes.data : "", .len = bytes.len};
}

/* A message as protobuf-c reads it, in `arena`. NULL: protobuf-c refuses it, or memory is out. */
void *inspect_unpack(const ProtobufCMessageDescriptor *type, struct str bytes, struct arena *arena);

/* A request that is to be judged: of METHOD_REQUEST_MAX bytes at most, taken by wire_check(),
 * decoded. NULL: not so; `err` says what and at which field. */
void *inspect_request(const ProtobufCMessageDescriptor *type, struct str request,
                      struct arena *arena, struct err *err);

/* A map's entries. -1: a key stands twice, or memory is out; `err` names `field` and `within`, the
 * message that holds it. */
int inspect_labels(const char *within, const char *field, Cri__StringPair *const *pairs,
                   size_t count, struct arena *arena, struct label_set *set,
                   struct err *err) MUST_CHECK;

/* A pod's labels and annotations, and what they ask for; as inspect_labels(). */
int inspect_pod_labels(const char *within, Cri__StringPair *const *labels, size_t label_count,
                       Cri__StringPair *const *annotations, size_t annotation_count,
                       struct arena *arena, struct pod_facts *pod, struct err *err) MUST_CHECK;

/* Who the pod is; `metadata` may be NULL. */
void inspect_metadata(const Cri__PodSandboxMetadata *metadata, struct pod_facts *pod);

/* NODE is the host's; CONTAINER, POD, TARGET and what is not known yet are not. */
struct namespace_facts {
    bool host_network, host_pid, host_ipc;
    bool user_namespace;
};

/* `option` may be NULL. */
struct namespace_facts inspect_namespaces(const Cri__NamespaceOption *option);

/* Puts the same into a pod. */
void inspect_pod_namespaces(const Cri__NamespaceOption *option, struct pod_facts *pod);

/* Whether any part of a label is given; `option` may be NULL. */
bool inspect_selinux(const Cri__SELinuxOption *option);

/* A pod of which nothing is known. */
void inspect_pod_empty(struct pod_facts *pod);

/* All that a config, which may be NULL, tells of a pod; its handler is left as it is. `within` is
 * the field that holds the config. */
int inspect_pod_config(const char *within, const Cri__PodSandboxConfig *config, struct arena *arena,
                       struct pod_facts *pod, struct err *err) MUST_CHECK;

/* The same for a container. */
int inspect_container_config(const char *within, const Cri__ContainerConfig *config,
                             struct arena *arena, struct container_facts *facts,
                             struct err *err) MUST_CHECK;

#endif
