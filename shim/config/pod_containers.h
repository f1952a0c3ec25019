/* SPDX-License-Identifier: Apache-2.0 */
/* The containers of a pod, as far as they are judged: from a manifest, or by CRI fields. */
#ifndef CRIGATE_CONFIG_POD_CONTAINERS_H
#define CRIGATE_CONFIG_POD_CONTAINERS_H

#include "config/reader.h"
#include "policy/facts.h"

struct pod_container {
    struct container_facts facts;
    /* The mount path of the first `recursiveReadOnly: IfPossible`; data NULL: none. The kubelet
     * makes it recursive where the runtime that the pod asks for can do it. */
    struct str recursive_if_possible;
};

struct pod_containers {
    const struct pod_container *items;
    size_t count;
};

/* Both: what is read lives in the reader's arena, and the findings are the outcome. `spec` is that
 * of a Pod, or NULL; the kubelet gives each container what `pod`, which is read already, says of
 * the host's namespaces, and `selinux` where it has no label of its own. */
void pod_containers_read(struct reader *reader, const struct yaml_node *spec,
                         const struct pod_facts *pod, struct pod_containers *containers);

/* `node` is a list of mappings with the fields of the CRI. */
void pod_containers_read_cri(struct reader *reader, const struct yaml_node *node,
                             struct pod_containers *containers);

/* Whether any part of securityContext.seLinuxOptions of `owner`, a pod's spec or a container, is
 * given. */
bool pod_containers_selinux(struct reader *reader, const struct yaml_node *owner);

#endif
