/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of a pod's containers what the kubelet puts into their CreateContainer requests. */
#include "config/pod_containers.h"

#include "config/manifest_field.h"

static const char *const kinds[] = {"initContainers", "containers", "ephemeralContainers"};

bool pod_containers_selinux(struct reader *reader, const struct yaml_node *owner)
{
    static const char *const parts[] = {"user", "role", "type", "level"};
    const struct yaml_node *context = manifest_mapping(reader, owner, "securityContext");
    const struct yaml_node *options = manifest_mapping(reader, context, "seLinuxOptions");
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct str value = STR("");
        manifest_string(reader, options, parts[i], &value);
        found = found || value.len;
    }
    return found;
}

static void keep_first(struct str *kept, struct str path)
{
    if (!kept->data)
        *kept = path;
}

static void read_mount(struct reader *reader, const struct yaml_node *mount,
                       struct pod_container *container)
{
    struct str path = STR(""), propagation = STR("None"), recursive = STR("Disabled");
    manifest_string(reader, mount, "mountPath", &path);
    manifest_string(reader, mount, "mountPropagation", &propagation);
    manifest_string(reader, mount, "recursiveReadOnly", &recursive);
    /* the API server takes recursiveReadOnly together with readOnly only */
    bool read_only = manifest_flag(reader, mount, "readOnly", false);
    if (str_eq(propagation, STR("Bidirectional")))
        keep_first(&container->facts.bidirectional, path);
    if (read_only && str_eq(recursive, STR("Enabled")))
        keep_first(&container->facts.recursive_read_only, path);
    if (read_only && str_eq(recursive, STR("IfPossible")))
        keep_first(&container->recursive_if_possible, path);
}

static void read_container(struct reader *reader, const struct yaml_node *node,
                           const struct pod_facts *pod, struct pod_container *container)
{
    const struct yaml_node *context = manifest_mapping(reader, node, "securityContext");
    const struct yaml_node *mounts = manifest_list(reader, node, "volumeMounts");
    container->facts = (struct container_facts){
        .name = STR(""),
        .host_network = pod->host_network,
        .host_pid = pod->host_pid,
        .host_ipc = pod->host_ipc,
        .user_namespace = pod->user_namespace,
        .selinux = pod_containers_selinux(reader, node) || pod->selinux,
        .privileged = manifest_flag(reader, context, "privileged", false),
    };
    manifest_string(reader, node, "name", &container->facts.name);
    for (const struct yaml_node *item = mounts ? mounts->first : NULL; item; item = item->next)
        read_mount(reader, item, container);
}

void pod_containers_read(struct reader *reader, const struct yaml_node *spec,
                         const struct pod_facts *pod, struct pod_containers *containers)
{
    const struct yaml_node *lists[COUNT_OF(kinds)];
    size_t room = 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        lists[i] = manifest_list(reader, spec, kinds[i]);
        room += lists[i] ? lists[i]->count : 0;
    }
    struct pod_container *items = reader_room(reader, room, sizeof(*items));
    if (!items)
        return;
    containers->items = items;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct yaml_node *item = lists[i] ? lists[i]->first : NULL;
        for (; item; item = item->next)
            read_container(reader, item, pod, &items[containers->count++]);
    }
}

enum {
    NAME,
    DEVICES,
    MOUNTS,
    HOST_NETWORK,
    HOST_PID,
    HOST_IPC,
    PRIVILEGED,
    USER_NAMESPACES,
    SELINUX,
    KEY_COUNT
};
static const struct str keys[KEY_COUNT] = {
    {"name", 4},    {"devices", 7},     {"mounts", 6},          {"hostNetwork", 11}, {"hostPID", 7},
    {"hostIPC", 7}, {"privileged", 10}, {"userNamespaces", 14}, {"seLinux", 7}};

enum { CONTAINER_PATH, RECURSIVE_READ_ONLY, BIDIRECTIONAL, MOUNT_KEY_COUNT };
static const struct str mount_keys[MOUNT_KEY_COUNT] = {
    {"containerPath", 13}, {"recursiveReadOnly", 17}, {"bidirectional", 13}};

static void read_cri_mount(struct reader *reader, const struct yaml_node *node,
                           struct container_facts *facts)
{
    const struct yaml_node *values[MOUNT_KEY_COUNT];
    bool recursive = false, bidirectional = false;
    struct str path = STR("");
    if (!reader_mapping(reader, node, "a mount", mount_keys, MOUNT_KEY_COUNT, values))
        return;
    if (reader_need(reader, node, values[CONTAINER_PATH], "containerPath of the mount", NULL))
        (void)reader_string(reader, values[CONTAINER_PATH], "containerPath", &path);
    if (values[RECURSIVE_READ_ONLY])
        (void)reader_boolean(reader, values[RECURSIVE_READ_ONLY], "recursiveReadOnly", &recursive);
    if (values[BIDIRECTIONAL])
        (void)reader_boolean(reader, values[BIDIRECTIONAL], "bidirectional", &bidirectional);
    if (recursive)
        keep_first(&facts->recursive_read_only, path);
    if (bidirectional)
        keep_first(&facts->bidirectional, path);
}

static void read_devices(struct reader *reader, const struct yaml_node *node,
                         struct container_facts *facts)
{
    if (!reader_collection(reader, node, YAML_SEQUENCE, "devices"))
        return;
    struct str *devices = reader_room(reader, node->count, sizeof(*devices));
    if (!devices)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        facts->device_count +=
            reader_string(reader, item, "a device", &devices[facts->device_count]);
    facts->devices = devices;
}

static void read_cri_container(struct reader *reader, const struct yaml_node *node,
                               struct container_facts *facts)
{
    const struct yaml_node *values[KEY_COUNT];
    bool *const flags[KEY_COUNT] = {
        [HOST_NETWORK] = &facts->host_network, [HOST_PID] = &facts->host_pid,
        [HOST_IPC] = &facts->host_ipc,         [PRIVILEGED] = &facts->privileged,
        [SELINUX] = &facts->selinux,           [USER_NAMESPACES] = &facts->user_namespace,
    };
    facts->name = STR("");
    if (!reader_mapping(reader, node, "a container", keys, KEY_COUNT, values))
        return;
    if (reader_need(reader, node, values[NAME], "name of the container", NULL))
        (void)reader_string(reader, values[NAME], "name", &facts->name);
    if (values[DEVICES])
        read_devices(reader, values[DEVICES], facts);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (flags[i] && values[i])
            (void)reader_boolean(reader, values[i], keys[i].data, flags[i]);
    }
    if (!values[MOUNTS] || !reader_collection(reader, values[MOUNTS], YAML_SEQUENCE, "mounts"))
        return;
    for (const struct yaml_node *item = values[MOUNTS]->first; item; item = item->next)
        read_cri_mount(reader, item, facts);
}

void pod_containers_read_cri(struct reader *reader, const struct yaml_node *node,
                             struct pod_containers *containers)
{
    if (!reader_collection(reader, node, YAML_SEQUENCE, "containers"))
        return;
    struct pod_container *items = reader_room(reader, node->count, sizeof(*items));
    if (!items)
        return;
    containers->items = items;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        read_cri_container(reader, item, &items[containers->count++].facts);
}
