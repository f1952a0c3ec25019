/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that several messages share: decoding, a pod's config, namespaces, maps. */
#include "gate/inspect_parts.h"

#include "base/writer.h"
#include "gate/method.h"
#include "gate/wire.h"

/* Room for what an error text shows of a key. */
#define KEY_SHOWN_SIZE 300

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* the arena frees all at once */
}

void *inspect_unpack(const ProtobufCMessageDescriptor *type, struct str bytes, struct arena *arena)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = leave, .allocator_data = arena};
    return protobuf_c_message_unpack(type, &allocator, bytes.len,
                                     (const uint8_t *)(bytes.data ? bytes.data : ""));
}

void *inspect_request(const ProtobufCMessageDescriptor *type, struct str request,
                      struct arena *arena, struct err *err)
{
    if (request.len > METHOD_REQUEST_MAX) {
        err_set(err, "request: %zu bytes, more than %zu", request.len, METHOD_REQUEST_MAX);
        return NULL;
    }
    if (wire_check(type, request, err) < 0)
        return NULL;
    void *decoded = inspect_unpack(type, request, arena);
    if (!decoded) /* what wire_check() took, protobuf-c takes */
        err_set(err, "request: memory is out for its %zu bytes", request.len);
    return decoded;
}

/* A key may be long and may hold control characters; an error is one short line. */
static int blame_key(const char *within, const char *field, struct str key, struct err *err)
{
    char shown[KEY_SHOWN_SIZE];
    struct writer writer = writer_make(shown, sizeof(shown));
    writer_quoted(&writer, key);
    return err_set(err, "field %s.%s: key %s stands twice", within, field, shown);
}

int inspect_labels(const char *within, const char *field, Cri__StringPair *const *pairs,
                   size_t count, struct arena *arena, struct label_set *set, struct err *err)
{
    struct str twice;
    struct label *items = arena_array(arena, count, sizeof(*items));
    if (!items)
        return err_set(err, "field %s.%s: memory is out for its %zu entries", within, field, count);
    for (size_t i = 0; i < count; i++) {
        items[i].key = inspect_str(pairs[i]->key);
        items[i].value = inspect_str(pairs[i]->value);
    }
    if (label_set_make(items, count, set, &twice) < 0)
        return blame_key(within, field, twice, err);
    return 0;
}

void inspect_metadata(const Cri__PodSandboxMetadata *metadata, struct pod_facts *pod)
{
    if (!metadata)
        return;
    pod->namespace = inspect_str(metadata->namespace_);
    pod->name = inspect_str(metadata->name);
    pod->uid = inspect_str(metadata->uid);
    pod->attempt = metadata->attempt;
}

struct namespace_facts inspect_namespaces(const Cri__NamespaceOption *option)
{
    if (!option)
        return (struct namespace_facts){0};
    const Cri__UserNamespace *user = option->userns_options;
    return (struct namespace_facts){
        .host_network = option->network == CRI__NAMESPACE_MODE__NODE,
        .host_pid = option->pid == CRI__NAMESPACE_MODE__NODE,
        .host_ipc = option->ipc == CRI__NAMESPACE_MODE__NODE,
        .user_namespace = user && user->mode == CRI__NAMESPACE_MODE__POD,
    };
}

void inspect_pod_namespaces(const Cri__NamespaceOption *option, struct pod_facts *pod)
{
    struct namespace_facts namespaces = inspect_namespaces(option);
    pod->host_network = namespaces.host_network;
    pod->host_pid = namespaces.host_pid;
    pod->host_ipc = namespaces.host_ipc;
    pod->user_namespace = namespaces.user_namespace;
}

bool inspect_selinux(const Cri__SELinuxOption *option)
{
    return option &&
           (option->user.len || option->role.len || option->type.len || option->level.len);
}

static void read_security(const Cri__LinuxSandboxSecurityContext *security, struct pod_facts *pod)
{
    pod->privileged = security->privileged;
    pod->selinux = inspect_selinux(security->selinux_options);
    inspect_pod_namespaces(security->namespace_options, pod);
}

int inspect_pod_labels(const char *within, Cri__StringPair *const *labels, size_t label_count,
                       Cri__StringPair *const *annotations, size_t annotation_count,
                       struct arena *arena, struct pod_facts *pod, struct err *err)
{
    if (inspect_labels(within, "labels", labels, label_count, arena, &pod->labels, err) < 0)
        return -1;
    if (inspect_labels(within, "annotations", annotations, annotation_count, arena,
                       &pod->annotations, err) < 0)
        return -1;
    pod->untrusted = pod_annotations_untrust(&pod->annotations);
    return 0;
}

void inspect_pod_empty(struct pod_facts *pod)
{
    *pod = (struct pod_facts){
        .namespace = STR(""), .name = STR(""), .uid = STR(""), .handler = STR("")};
}

int inspect_pod_config(const char *within, const Cri__PodSandboxConfig *config, struct arena *arena,
                       struct pod_facts *pod, struct err *err)
{
    if (!config)
        return 0;
    inspect_metadata(config->metadata, pod);
    if (config->linux && config->linux->security_context)
        read_security(config->linux->security_context, pod);
    return inspect_pod_labels(within, config->labels, config->n_labels, config->annotations,
                              config->n_annotations, arena, pod, err);
}
