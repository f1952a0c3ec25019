/* SPDX-License-Identifier: Apache-2.0 */
/* The test client's commands on containers. */
#include "cri.h"

#include <stdio.h>
#include <string.h>

static int call_with_id(struct rpc *rpc, const char *method, const struct cri_options *options,
                        struct err *err)
{
    Runtime__V1__ContainerIdRequest request = RUNTIME__V1__CONTAINER_ID_REQUEST__INIT;
    request.container_id = options->args[0];
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    return rpc_call(rpc, method, &request.base, &runtime__v1__empty__descriptor, &reply, err);
}

/* What a container wants of its host, as protobuf-c wants it. */
struct wishes {
    Runtime__V1__Mount mounts[CRI_MAX_PAIRS];
    Runtime__V1__Mount *mount_list[CRI_MAX_PAIRS];
    Runtime__V1__Device devices[CRI_MAX_PAIRS];
    Runtime__V1__Device *device_list[CRI_MAX_PAIRS];
    Runtime__V1__CDIDevice cdi_devices[CRI_MAX_PAIRS];
    Runtime__V1__CDIDevice *cdi_list[CRI_MAX_PAIRS];
};

static void fill_mount(Runtime__V1__Mount *mount, char *text)
{
    static const int bidirectional = 2;
    char *mode = strchr(text, ':');
    if (mode)
        *mode++ = '\0';
    runtime__v1__mount__init(mount);
    mount->host_path = mount->container_path = text;
    mount->readonly = true;
    mount->recursive_read_only = mode && strcmp(mode, "recursiveReadOnly") == 0;
    mount->propagation = mode && strcmp(mode, "bidirectional") == 0 ? bidirectional : 0;
}

static void fill_wishes(struct wishes *wishes, const struct cri_options *options,
                        Runtime__V1__ContainerConfig *config)
{
    static char permissions[] = "rwm";
    for (size_t i = 0; i < options->n_mounts; i++) {
        fill_mount(&wishes->mounts[i], options->mounts[i]);
        wishes->mount_list[i] = &wishes->mounts[i];
    }
    for (size_t i = 0; i < options->n_devices; i++) {
        Runtime__V1__Device *device = wishes->device_list[i] = &wishes->devices[i];
        runtime__v1__device__init(device);
        device->host_path = device->container_path = options->devices[i];
        device->permissions = permissions;
    }
    for (size_t i = 0; i < options->n_cdi_devices; i++) {
        Runtime__V1__CDIDevice *device = wishes->cdi_list[i] = &wishes->cdi_devices[i];
        runtime__v1__cdidevice__init(device);
        device->name = options->cdi_devices[i];
    }
    config->mounts = wishes->mount_list;
    config->n_mounts = options->n_mounts;
    config->devices = wishes->device_list;
    config->n_devices = options->n_devices;
    config->cdi_devices = wishes->cdi_list;
    config->n_cdi_devices = options->n_cdi_devices;
}

int cri_create(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    static char default_name[] = "main";
    struct cri_sandbox sandbox;
    cri_sandbox_fill(&sandbox, options);

    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    metadata.name = options->container ? options->container : default_name;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    if (options->image)
        image.image = options->image;
    Runtime__V1__LinuxContainerSecurityContext security =
        RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;
    security.privileged = options->privileged;
    security.namespace_options = &sandbox.namespaces;
    Runtime__V1__LinuxContainerConfig linux_config = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
    linux_config.security_context = &security;

    char log_path[256];
    snprintf(log_path, sizeof(log_path), "%s.log", metadata.name);
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    config.metadata = &metadata;
    config.image = &image;
    config.command = (char **)options->args + 1;
    config.n_command = options->n_args - 1;
    config.linux_config = &linux_config;
    struct wishes wishes;
    fill_wishes(&wishes, options, &config);
    if (options->log_dir)
        config.log_path = log_path;

    Runtime__V1__CreateContainerRequest request = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
    request.pod_sandbox_id = options->args[0];
    request.config = &config;
    request.sandbox_config = &sandbox.config;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/CreateContainer", &request.base,
                 &runtime__v1__create_container_response__descriptor, &reply, err) < 0)
        return -1;
    puts(((const Runtime__V1__CreateContainerResponse *)(const void *)reply)->container_id);
    return 0;
}

int cri_start(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    return call_with_id(rpc, "RuntimeService/StartContainer", options, err);
}

int cri_rm(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    return call_with_id(rpc, "RuntimeService/RemoveContainer", options, err);
}

int cri_stop(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    Runtime__V1__StopContainerRequest request = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;
    request.container_id = options->args[0];
    request.timeout = 1;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    return rpc_call(rpc, "RuntimeService/StopContainer", &request.base,
                    &runtime__v1__empty__descriptor, &reply, err);
}

int cri_containers(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    static const char *const states[] = {"created", "running", "exited", "unknown"};
    (void)options;
    Runtime__V1__Empty request = RUNTIME__V1__EMPTY__INIT;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/ListContainers", &request.base,
                 &runtime__v1__list_containers_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__ListContainersResponse *list = (const void *)reply;
    for (size_t i = 0; i < list->n_containers; i++) {
        const Runtime__V1__Container *container = list->containers[i];
        printf("%s %s %s %s\n", container->id, container->pod_sandbox_id,
               container->metadata ? container->metadata->name : "",
               states[(uint32_t)container->state < 4 ? container->state : 3]);
    }
    return 0;
}

static void print_bytes(ProtobufCBinaryData bytes, FILE *file)
{
    if (bytes.len > 0) /* nothing is a NULL pointer, which fwrite() may not get */
        fwrite(bytes.data, 1, bytes.len, file);
}

int cri_exec_sync(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    Runtime__V1__ExecSyncRequest request = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
    request.container_id = options->args[0];
    request.cmd = (char **)options->args + 1;
    request.n_cmd = options->n_args - 1;
    request.timeout = options->timeout;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/ExecSync", &request.base,
                 &runtime__v1__exec_sync_response__descriptor, &reply, err) < 0)
        return -1;
    const Runtime__V1__ExecSyncResponse *done = (const void *)reply;
    print_bytes(done->stdout, stdout);
    print_bytes(done->stderr, stderr);
    return done->exit_code & 0xff;
}

int cri_exec(struct rpc *rpc, const struct cri_options *options, struct err *err)
{
    Runtime__V1__ExecRequest request = RUNTIME__V1__EXEC_REQUEST__INIT;
    request.container_id = options->args[0];
    request.cmd = (char **)options->args + 1;
    request.n_cmd = options->n_args - 1;
    request.stdout = true;
    request.stderr = true;
    OWNED_REPLY ProtobufCMessage *reply = NULL;
    if (rpc_call(rpc, "RuntimeService/Exec", &request.base, &runtime__v1__exec_response__descriptor,
                 &reply, err) < 0)
        return -1;
    puts(((const Runtime__V1__ExecResponse *)(const void *)reply)->url);
    return 0;
}
