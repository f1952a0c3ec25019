/* SPDX-License-Identifier: Apache-2.0 */
/* Requests into facts, and decisions back into requests, for the calls that pick a runtime. */
#include "gate/inspect.h"

#include "gate/inspect_parts.h"
#include "gate/wire.h"

static const struct request {
    const ProtobufCMessageDescriptor *type;
    uint32_t handler_field;
} requests[] = {
    [INSPECT_RUN_POD_SANDBOX] = {&cri__run_pod_sandbox_request__descriptor, 2},
    [INSPECT_RESTORE_POD] = {&cri__restore_pod_request__descriptor, 3},
};

static int read_run(const Cri__RunPodSandboxRequest *run, struct arena *arena,
                    struct pod_facts *pod, struct err *err)
{
    pod->handler = inspect_str(run->runtime_handler);
    return inspect_pod_config("config", run->config, arena, pod, err);
}

static int read_containers(const Cri__RestorePodRequest *restore, struct arena *arena,
                           struct pod_facts *pod, struct err *err)
{
    size_t count = restore->n_container_configs;
    struct container_facts *containers = arena_array(arena, count, sizeof(*containers));
    if (!containers)
        return err_set(err, "field container_configs: memory is out for its %zu entries", count);
    for (size_t i = 0; i < count; i++) {
        if (inspect_container_config("container_configs", restore->container_configs[i], arena,
                                     &containers[i], err) < 0)
            return -1;
    }
    pod->containers = containers;
    pod->container_count = count;
    return 0;
}

static int read_restore(const Cri__RestorePodRequest *restore, struct arena *arena,
                        struct pod_facts *pod, struct err *err)
{
    pod->handler = inspect_str(restore->runtime_handler);
    if (inspect_pod_config("config", restore->config, arena, pod, err) < 0)
        return -1;
    return read_containers(restore, arena, pod, err);
}

int inspect_pod(enum inspect_method method, struct str request, struct arena *arena,
                struct pod_facts *pod, struct inspect_span *handler, struct err *err)
{
    struct wire_field field;
    inspect_pod_empty(pod);
    *handler = (struct inspect_span){.start = request.len, .end = request.len};
    const void *decoded = inspect_request(requests[method].type, request, arena, err);
    if (!decoded)
        return -1;
    int result = method == INSPECT_RUN_POD_SANDBOX ? read_run(decoded, arena, pod, err)
                                                   : read_restore(decoded, arena, pod, err);
    if (result < 0)
        return -1;
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
    if (!wire_find(reply, 1, &field) || !wire_is_bytes(&field, 1))
        return STR("");
    return field.bytes;
}
