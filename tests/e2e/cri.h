/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test client's command line, and its commands: each makes its calls, prints what came back on
 * standard output and returns the exit status: 0, or what a command run in a container exited with;
 * a negative value is a failure that `err` explains.
 */
#ifndef CRIGATE_TESTS_E2E_CRI_H
#define CRIGATE_TESTS_E2E_CRI_H

#include "client.pb-c.h"
#include "rpc.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CRI_MAX_PAIRS = 16,
    CRI_MAX_ARGS = 64,
};

/* One --label or --annotation, split at its first '='. */
struct cri_pair {
    char *key, *value;
};

/* Strings are borrowed from argv. */
struct cri_options {
    char *endpoint, *api;
    char *name, *namespace, *uid, *handler, *log_dir, *cgroup_parent;
    char *container, *image;
    struct cri_pair labels[CRI_MAX_PAIRS], annotations[CRI_MAX_PAIRS];
    size_t n_labels, n_annotations;
    char *devices[CRI_MAX_PAIRS], *cdi_devices[CRI_MAX_PAIRS], *mounts[CRI_MAX_PAIRS];
    size_t n_devices, n_cdi_devices, n_mounts;
    bool host_network, host_pid, privileged;
    long timeout;             /* seconds */
    char *args[CRI_MAX_ARGS]; /* what follows the command's name */
    size_t n_args;
};

/* The caller's call, with a reply that is released at the end of its scope. */
static inline void own_reply(ProtobufCMessage **reply)
{
    if (*reply)
        protobuf_c_message_free_unpacked(*reply, NULL);
}
#define OWNED_REPLY OWNED(own_reply)

int cri_version(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_status(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_images(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_image_status(struct rpc *rpc, const struct cri_options *options, struct err *err);

int cri_runp(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_stopp(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_rmp(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_pods(struct rpc *rpc, const struct cri_options *options, struct err *err);
/* Lists the pods every 20 ms until it is killed. */
int cri_poll(struct rpc *rpc, const struct cri_options *options, struct err *err);

int cri_create(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_start(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_stop(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_rm(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_containers(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_exec_sync(struct rpc *rpc, const struct cri_options *options, struct err *err);
int cri_exec(struct rpc *rpc, const struct cri_options *options, struct err *err);

/* A pod's configuration as protobuf-c wants it: the parts point at each other, so it is filled in
 * place and not moved. */
struct cri_sandbox {
    Runtime__V1__PodSandboxConfig config;
    Runtime__V1__PodSandboxMetadata metadata;
    Runtime__V1__LinuxPodSandboxConfig linux_config;
    Runtime__V1__LinuxSandboxSecurityContext security;
    Runtime__V1__NamespaceOption namespaces;
    Runtime__V1__DNSConfig dns;
    Runtime__V1__PodSandboxConfig__LabelsEntry labels[CRI_MAX_PAIRS];
    Runtime__V1__PodSandboxConfig__LabelsEntry *label_list[CRI_MAX_PAIRS];
    Runtime__V1__PodSandboxConfig__AnnotationsEntry annotations[CRI_MAX_PAIRS];
    Runtime__V1__PodSandboxConfig__AnnotationsEntry *annotation_list[CRI_MAX_PAIRS];
    char *dns_servers[1];
};

/* Fills `sandbox` from the options, whose strings it borrows. */
void cri_sandbox_fill(struct cri_sandbox *sandbox, const struct cri_options *options);

#endif
