/* SPDX-License-Identifier: Apache-2.0 */
/* The test client's commands on the runtime itself and on pods. */
#include "cri.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char empty[] = "";

static char *or_empty(char *text)
{
    return text ? text : empty;
}

int cri_version(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    (void)options;
    Runtime__V1__Empty request = RUNTIME__V1__EMPTY__INIT;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/Version", &request.base,
                 &runtime__v1__version_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__VersionResponse *version = (const void *)reply;
    printf("%s %s\n", version->runtime_name, version->runtime_version);
    return 0;
}

int cri_status(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    (void)options;
    Runtime__V1__Empty request = RUNTIME__V1__EMPTY__INIT;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/Status", &request.base,
                 &runtime__v1__status_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__StatusResponse *status = (const void *)reply;
    for (size_t i = 0; status->status && i < status->status->n_conditions; i++) {
        const Runtime__V1__RuntimeCondition *condition = status->status->conditions[i];
        printf("%s=%s %s\n", condition->type, condition->status ? "true" : "false",
               condition->message);
    }
    return 0;
}

int cri_images(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    (void)options;
    Runtime__V1__Empty request = RUNTIME__V1__EMPTY__INIT;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "ImageService/ListImages", &request.base,
                 &runtime__v1__list_images_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__ListImagesResponse *list = (const void *)reply;
    for (size_t i = 0; i < list->n_images; i++) {
        for (size_t j = 0; j < list->images[i]->n_repo_tags; j++)
            puts(list->images[i]->repo_tags[j]);
    }
    return 0;
}

int cri_image_status(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    image.image = options->args[0];
    image.runtime_handler = or_empty(options->handler);
    Runtime__V1__ImageStatusRequest request = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
    request.image = &image;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "ImageService/ImageStatus", &request.base,
                 &runtime__v1__image_status_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__ImageStatusResponse *status = (const void *)reply;
    if (status->image)
        puts(status->image->id);
    return 0;
}

static void fill_maps(struct cri_sandbox *sandbox, const struct cri_options *options)
{
    for (size_t i = 0; i < options->n_labels; i++) {
        runtime__v1__pod_sandbox_config__labels_entry__init(&sandbox->labels[i]);
        sandbox->labels[i].key = options->labels[i].key;
        sandbox->labels[i].value = options->labels[i].value;
        sandbox->label_list[i] = &sandbox->labels[i];
    }
    sandbox->config.labels = sandbox->label_list;
    sandbox->config.n_labels = options->n_labels;
    for (size_t i = 0; i < options->n_annotations; i++) {
        runtime__v1__pod_sandbox_config__annotations_entry__init(&sandbox->annotations[i]);
        sandbox->annotations[i].key = options->annotations[i].key;
        sandbox->annotations[i].value = options->annotations[i].value;
        sandbox->annotation_list[i] = &sandbox->annotations[i];
    }
    sandbox->config.annotations = sandbox->annotation_list;
    sandbox->config.n_annotations = options->n_annotations;
}

static void fill_linux(struct cri_sandbox *sandbox, const struct cri_options *options)
{
    runtime__v1__namespace_option__init(&sandbox->namespaces);
    if (options->host_network)
        sandbox->namespaces.network = RUNTIME__V1__NAMESPACE_MODE__NODE;
    /* the kubelet's default for a pod is a process namespace for each container */
    sandbox->namespaces.pid = options->host_pid ? RUNTIME__V1__NAMESPACE_MODE__NODE
                                                : RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
    runtime__v1__linux_sandbox_security_context__init(&sandbox->security);
    sandbox->security.namespace_options = &sandbox->namespaces;
    sandbox->security.privileged = options->privileged;
    runtime__v1__linux_pod_sandbox_config__init(&sandbox->linux_config);
    sandbox->linux_config.cgroup_parent = or_empty(options->cgroup_parent);
    sandbox->linux_config.security_context = &sandbox->security;
    sandbox->config.linux_config = &sandbox->linux_config;
}

void cri_sandbox_fill(struct cri_sandbox *sandbox, const struct cri_options *options)
{
    static char dns_server[] = "127.0.0.1", default_name[] = "pod", default_space[] = "default";

    runtime__v1__pod_sandbox_metadata__init(&sandbox->metadata);
    sandbox->metadata.name = options->name ? options->name : default_name;
    sandbox->metadata.namespace_ = options->namespace ? options->namespace : default_space;
    sandbox->metadata.uid = options->uid ? options->uid : sandbox->metadata.name;

    /* Without it the runtime copies the host's resolv.conf, which may be a link to nowhere in a
     * node that has a /run of its own. The kubelet always sends one. */
    runtime__v1__dnsconfig__init(&sandbox->dns);
    sandbox->dns_servers[0] = dns_server;
    sandbox->dns.servers = sandbox->dns_servers;
    sandbox->dns.n_servers = 1;

    runtime__v1__pod_sandbox_config__init(&sandbox->config);
    sandbox->config.metadata = &sandbox->metadata;
    sandbox->config.hostname = options->host_network ? empty : sandbox->metadata.name;
    sandbox->config.log_directory = or_empty(options->log_dir);
    sandbox->config.dns_config = &sandbox->dns;
    fill_maps(sandbox, options);
    fill_linux(sandbox, options);
}

int cri_runp(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    struct cri_sandbox sandbox;
    cri_sandbox_fill(&sandbox, options);
    Runtime__V1__RunPodSandboxRequest request = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
    request.config = &sandbox.config;
    request.runtime_handler = or_empty(options->handler);
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/RunPodSandbox", &request.base,
                 &runtime__v1__run_pod_sandbox_response__descriptor, &reply, err) < 0)
        return -1;
    puts(((const Runtime__V1__RunPodSandboxResponse *)(const void *)reply)->pod_sandbox_id);
    return 0;
}

static int call_with_pod(struct rpc *rpc, const char *method, const struct cri_options *options,
                         struct err *err)
{
    Runtime__V1__PodSandboxIdRequest request = RUNTIME__V1__POD_SANDBOX_ID_REQUEST__INIT;
    request.pod_sandbox_id = options->args[0];
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    return rpc_call(rpc, method, &request.base, &runtime__v1__empty__descriptor, &reply, err);
}

int cri_stopp(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    return call_with_pod(rpc, "RuntimeService/StopPodSandbox", options, err);
}

int cri_rmp(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    return call_with_pod(rpc, "RuntimeService/RemovePodSandbox", options, err);
}

static int list_pods(struct rpc *rpc, ProtobufCMessage **reply, struct err *err)
{
    Runtime__V1__Empty request = RUNTIME__V1__EMPTY__INIT;
    return rpc_call(rpc, "RuntimeService/ListPodSandbox", &request.base,
                    &runtime__v1__list_pod_sandbox_response__descriptor, reply, err);
}

int cri_pods(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    (void)options;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (list_pods(rpc, &reply, err) < 0)
        return -1;
    const Runtime__V1__ListPodSandboxResponse *list = (const void *)reply;
    for (size_t i = 0; i < list->n_items; i++) {
        const Runtime__V1__PodSandbox *pod = list->items[i];
        printf("%s %s/%s %s %s\n", pod->id, pod->metadata ? pod->metadata->namespace_ : "",
               pod->metadata ? pod->metadata->name : "", pod->state == 0 ? "ready" : "notready",
               *pod->runtime_handler ? pod->runtime_handler : "-");
    }
    return 0;
}

int cri_poll(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    (void)options;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        OWNED_REPLY ProtobufCMessage *reply = NULL;
        int result = list_pods(rpc, &reply, err);
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
        if (result < 0)
            printf("%" PRId64 " %s\n", ms, err->text);
        else
            printf("%" PRId64 " OK: %zu\n", ms,
                   ((const Runtime__V1__ListPodSandboxResponse *)(const void *)reply)->n_items);
        poll(NULL, 0, 20);
    }
}
