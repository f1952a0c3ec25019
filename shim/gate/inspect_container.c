/* SPDX-License-Identifier: Apache-2.0 */
/* A ContainerConfig into facts, and the CreateContainer around it. */
#include "gate/inspect_container.h"

#include "gate/inspect.h"
#include "gate/inspect_parts.h"
#include "gate/wire.h"

#define CREATE_SANDBOX_ID 1

/*
 * Containerd takes CDI devices from the container's annotations too, never from the pod's: each
 * name in the comma-separated value of each key with this prefix. (containerd,
 * internal/cri/server/container_create_linux.go: WithCDI(config.Annotations, config.CDIDevices);
 * container-device-interface, pkg/cdi/annotations.go: ParseAnnotations.)
 */
static const struct str cdi_prefix = STR("cdi.k8s.io/");

/* Devices on the way into the facts: `items` has room for all of them. */
struct device_list {
    struct str *items;
    size_t count;
};

static size_t count_names(struct str value)
{
    size_t count = 1;
    for (size_t i = 0; i < value.len; i++)
        count += value.data[i] == ',';
    return count;
}

static void add_names(struct device_list *list, struct str value)
{
    const char *end = value.data + value.len;
    for (const char *name = value.data;; name++) {
        const char *comma = name < end ? memchr(name, ',', (size_t)(end - name)) : NULL;
        const char *stop = comma ? comma : end;
        list->items[list->count++] = (struct str){.data = name, .len = (size_t)(stop - name)};
        if (!comma)
            return;
        name = comma;
    }
}

/* The device on the host. Containerd fails without host_path; should another version take the path
 * in the container for it, that one is judged. */
static struct str device_path(const Cri__Device *device)
{
    return inspect_str(device->host_path.len ? device->host_path : device->container_path);
}

static int read_devices(const char *within, const Cri__ContainerConfig *config,
                        const struct label_set *annotations, struct arena *arena,
                        struct container_facts *facts, struct err *err)
{
    size_t room = config->n_devices + config->n_cdi_devices;
    for (size_t i = 0; i < annotations->count; i++) {
        if (str_starts(annotations->items[i].key, cdi_prefix))
            room += count_names(annotations->items[i].value);
    }
    struct device_list list = {.items = arena_array(arena, room, sizeof(*list.items))};
    if (!list.items)
        return err_set(err, "field %s.devices: memory is out for %zu devices", within, room);
    for (size_t i = 0; i < config->n_devices; i++)
        list.items[list.count++] = device_path(config->devices[i]);
    for (size_t i = 0; i < config->n_cdi_devices; i++)
        list.items[list.count++] = inspect_str(config->cdi_devices[i]->name);
    for (size_t i = 0; i < annotations->count; i++) {
        if (str_starts(annotations->items[i].key, cdi_prefix))
            add_names(&list, annotations->items[i].value);
    }
    facts->devices = list.items;
    facts->device_count = list.count;
    return 0;
}

/* A propagation that is not known yet counts as the strongest: containerd of today mounts it
 * privately, with a warning, but one of tomorrow may know it while we do not. */
static bool is_bidirectional(const Cri__Mount *mount)
{
    return mount->propagation != CRI__MOUNT_PROPAGATION__PROPAGATION_PRIVATE &&
           mount->propagation != CRI__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
}

static void read_mounts(const Cri__ContainerConfig *config, struct container_facts *facts)
{
    for (size_t i = 0; i < config->n_mounts; i++) {
        const Cri__Mount *mount = config->mounts[i];
        if (mount->recursive_read_only && !facts->recursive_read_only.data)
            facts->recursive_read_only = inspect_str(mount->container_path);
        if (is_bidirectional(mount) && !facts->bidirectional.data)
            facts->bidirectional = inspect_str(mount->container_path);
    }
}

static void read_security(const Cri__LinuxContainerSecurityContext *security,
                          struct container_facts *facts)
{
    struct namespace_facts namespaces = inspect_namespaces(security->namespace_options);
    facts->host_network = namespaces.host_network;
    facts->host_pid = namespaces.host_pid;
    facts->host_ipc = namespaces.host_ipc;
    facts->user_namespace = namespaces.user_namespace;
    facts->privileged = security->privileged;
    facts->selinux = inspect_selinux(security->selinux_options);
}

int inspect_container_config(const char *within, const Cri__ContainerConfig *config,
                             struct arena *arena, struct container_facts *facts, struct err *err)
{
    struct label_set annotations;
    *facts = (struct container_facts){.name = STR("")};
    if (!config)
        return 0;
    if (config->metadata) {
        facts->name = inspect_str(config->metadata->name);
        facts->attempt = config->metadata->attempt;
    }
    if (config->linux && config->linux->security_context)
        read_security(config->linux->security_context, facts);
    read_mounts(config, facts);
    if (inspect_labels(within, "annotations", config->annotations, config->n_annotations, arena,
                       &annotations, err) < 0)
        return -1;
    return read_devices(within, config, &annotations, arena, facts, err);
}

int inspect_container(struct str request, struct arena *arena, struct container_request *asked,
                      struct err *err)
{
    *asked = (struct container_request){
        .sandbox_id = STR(""), .facts.name = STR(""), .image_handler = STR("")};
    inspect_pod_empty(&asked->pod);
    const Cri__CreateContainerRequest *create =
        inspect_request(&cri__create_container_request__descriptor, request, arena, err);
    if (!create)
        return -1;
    asked->sandbox_id = inspect_str(create->pod_sandbox_id);
    if (create->config && create->config->image)
        asked->image_handler = inspect_str(create->config->image->runtime_handler);
    if (inspect_pod_config("sandbox_config", create->sandbox_config, arena, &asked->pod, err) < 0)
        return -1;
    return inspect_container_config("config", create->config, arena, &asked->facts, err);
}

int inspect_container_put_sandbox(struct str request, struct str id, struct arena *arena,
                                  struct str *replaced, struct err *err)
{
    struct wire_field field;
    if (!wire_find(request, CREATE_SANDBOX_ID, &field))
        return err_set(err, "request: no pod_sandbox_id to replace");
    size_t behind = request.len - field.end, room = field.start + WIRE_HEAD_MAX + id.len + behind;
    unsigned char *bytes = arena_alloc(arena, room);
    if (!bytes)
        return err_set(err, "request: memory is out for its %zu bytes", room);
    memcpy(bytes, request.data, field.start);
    size_t len = field.start +
                 wire_put_bytes(CREATE_SANDBOX_ID, id, bytes + field.start, room - field.start);
    memcpy(bytes + len, request.data + field.end, behind);
    *replaced = (struct str){.data = (char *)bytes, .len = len + behind};
    return 0;
}

struct str inspect_container_id(struct str reply)
{
    return inspect_sandbox_id(reply); /* the field's number and type are the same */
}
