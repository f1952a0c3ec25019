/* SPDX-License-Identifier: Apache-2.0 */
/* Requests into facts, and decisions back into requests, for the calls that pick a runtime. */
#include "gate/inspect.h"

#include "base/writer.h"
#include "cri.pb-c.h"
#include "gate/wire.h"

/* Room for what an error text shows of a key. */
#define KEY_SHOWN_SIZE 300

static const struct request {
    const ProtobufCMessageDescriptor *type;
    uint32_t handler_field;
} requests[] = {
    [INSPECT_RUN_POD_SANDBOX] = {&cri__run_pod_sandbox_request__descriptor, 2},
    [INSPECT_RESTORE_POD] = {&cri__restore_pod_request__descriptor, 3},
};

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* the arena frees all at once */
}

static struct str str_of_bytes(ProtobufCBinaryData bytes)
{
    return (struct str){.data = bytes.data ? (const char *)bytes.data : "", .len = bytes.len};
}

/* The config of either request, NULL when it has none, and the handler it asks for. */
static int decode(enum inspect_method method, struct str request, struct arena *arena,
                  const Cri__PodSandboxConfig **config, struct str *handler, struct err *err)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = leave, .allocator_data = arena};
    const ProtobufCMessage *decoded = protobuf_c_message_unpack(
        requests[method].type, &allocator, request.len, (const uint8_t *)request.data);
    if (!decoded) /* what wire_check() took, protobuf-c takes */
        return err_set(err, "request: memory is out for its %zu bytes", request.len);
    if (method == INSPECT_RUN_POD_SANDBOX) {
        const Cri__RunPodSandboxRequest *run = (const Cri__RunPodSandboxRequest *)decoded;
        *config = run->config;
        *handler = str_of_bytes(run->runtime_handler);
    } else {
        const Cri__RestorePodRequest *restore = (const Cri__RestorePodRequest *)decoded;
        *config = restore->config;
        *handler = str_of_bytes(restore->runtime_handler);
    }
    return 0;
}

/* A key may be long and may hold control characters; an error is one short line. */
static int blame_key(const char *field, struct str key, struct err *err)
{
    char shown[KEY_SHOWN_SIZE];
    struct writer writer = writer_make(shown, sizeof(shown));
    writer_quoted(&writer, key);
    return err_set(err, "field %s: key %s stands twice", field, shown);
}

static int read_labels(const char *field, Cri__StringPair *const *pairs, size_t count,
                       struct arena *arena, struct label_set *set, struct err *err)
{
    struct str twice;
    struct label *items = arena_array(arena, count, sizeof(*items));
    if (!items)
        return err_set(err, "field %s: memory is out for its %zu entries", field, count);
    for (size_t i = 0; i < count; i++) {
        items[i].key = str_of_bytes(pairs[i]->key);
        items[i].value = str_of_bytes(pairs[i]->value);
    }
    if (label_set_make(items, count, set, &twice) < 0)
        return blame_key(field, twice, err);
    return 0;
}

static void read_namespaces(const Cri__NamespaceOption *option, struct pod_facts *pod)
{
    pod->host_network = option->network == CRI__NAMESPACE_MODE__NODE;
    pod->host_pid = option->pid == CRI__NAMESPACE_MODE__NODE;
    pod->host_ipc = option->ipc == CRI__NAMESPACE_MODE__NODE;
    pod->user_namespace =
        option->userns_options && option->userns_options->mode == CRI__NAMESPACE_MODE__POD;
}

static void read_security(const Cri__LinuxSandboxSecurityContext *security, struct pod_facts *pod)
{
    const Cri__SELinuxOption *selinux = security->selinux_options;
    pod->privileged = security->privileged;
    pod->selinux = selinux && (selinux->user.len || selinux->role.len || selinux->type.len ||
                               selinux->level.len);
    if (security->namespace_options)
        read_namespaces(security->namespace_options, pod);
}

static int read_config(const Cri__PodSandboxConfig *config, struct arena *arena,
                       struct pod_facts *pod, struct err *err)
{
    const Cri__PodSandboxMetadata *metadata = config->metadata;
    if (metadata) {
        pod->namespace = str_of_bytes(metadata->namespace_);
        pod->name = str_of_bytes(metadata->name);
        pod->uid = str_of_bytes(metadata->uid);
        pod->attempt = metadata->attempt;
    }
    if (config->linux && config->linux->security_context)
        read_security(config->linux->security_context, pod);
    if (read_labels("config.labels", config->labels, config->n_labels, arena, &pod->labels, err) <
        0)
        return -1;
    return read_labels("config.annotations", config->annotations, config->n_annotations, arena,
                       &pod->annotations, err);
}

static bool is_untrusted(const struct label_set *annotations)
{
    struct str key = STR("io.kubernetes.cri.untrusted-workload");
    const struct str *value = label_set_find(annotations, key, label_hash(key));
    return value && str_eq(*value, STR("true"));
}

int inspect_pod(enum inspect_method method, struct str request, struct arena *arena,
                struct pod_facts *pod, struct inspect_span *handler, struct err *err)
{
    const Cri__PodSandboxConfig *config = NULL;
    struct wire_field field;
    *pod = (struct pod_facts){
        .namespace = STR(""), .name = STR(""), .uid = STR(""), .handler = STR("")};
    *handler = (struct inspect_span){.start = request.len, .end = request.len};
    if (request.len > METHOD_REQUEST_MAX)
        return err_set(err, "request: %zu bytes, more than %zu", request.len, METHOD_REQUEST_MAX);
    if (wire_check(requests[method].type, request, err) < 0)
        return -1;
    if (decode(method, request, arena, &config, &pod->handler, err) < 0)
        return -1;
    if (config && read_config(config, arena, pod, err) < 0)
        return -1;
    pod->untrusted = is_untrusted(&pod->annotations);
    if (wire_find(request, requests[method].handler_field, &field))
        *handler = (struct inspect_span){.start = field.start, .end = field.end};
    return 0;
}

size_t inspect_handler_field(enum inspect_method method, struct str handler, unsigned char *buf,
                             size_t size)
{
    return wire_put_bytes(requests[method].handler_field, handler, buf, size);
}

struct str inspect_sandbox_id(struct str reply)
{
    struct wire_field field;
    if (!wire_find(reply, 1, &field) || field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return STR("");
    return field.bytes;
}
