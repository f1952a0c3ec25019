/* SPDX-License-Identifier: Apache-2.0 */
/* What containerd says of its sandboxes: the table's short way over the bytes, and the whole. */
#include "gate/inspect_sandboxes.h"

#include "gate/inspect_parts.h"
#include "gate/wire.h"

#define LIST_ITEMS 1
#define STATUS_STATUS 1

/* The fields that are not the same in both replies. */
struct numbers {
    uint32_t annotations, handler;
};
static const struct numbers of_item = {6, 7}, of_status = {8, 9};

struct str inspect_sandbox_request(struct str id, struct arena *arena)
{
    size_t room = id.len + WIRE_HEAD_MAX;
    unsigned char *bytes = arena_alloc(arena, room);
    if (!bytes)
        return (struct str){0};
    return (struct str){.data = (char *)bytes, .len = wire_put_bytes(1, id, bytes, room)};
}

struct str inspect_requested_sandbox(struct str request)
{
    struct wire_field field;
    if (wire_check(&cri__pod_sandbox_id_request__descriptor, request, NULL) < 0 ||
        !wire_find(request, 1, &field))
        return STR("");
    return field.bytes;
}

static bool untrusts(struct str annotation)
{
    struct wire_field key, value;
    return wire_find(annotation, 1, &key) && wire_is_bytes(&key, 1) &&
           wire_find(annotation, 2, &value) && wire_is_bytes(&value, 2) &&
           pod_annotation_untrusts(key.bytes, value.bytes);
}

/* For the few sandboxes that asked for no handler: a second look, at what may stand for one. */
static struct str handler_of_annotations(struct str sandbox, uint32_t annotations)
{
    struct wire_reader reader = wire_reader(sandbox);
    struct wire_field field;
    struct pod_facts pod = {.handler = STR("")};
    while (reader.at < reader.end && wire_next(&reader, &field, NULL) == 0)
        pod.untrusted |= wire_is_bytes(&field, annotations) && untrusts(field.bytes);
    return pod_facts_requested(&pod);
}

/* Reads to the end: a sandbox whose handler is cut off must not look like one without. */
static int read_sandbox(struct str sandbox, const struct numbers *numbers, struct str *id,
                        struct str *handler, struct err *err)
{
    struct wire_reader reader = wire_reader(sandbox);
    *id = *handler = STR("");
    while (reader.at < reader.end) {
        struct wire_field field;
        if (wire_next(&reader, &field, err) < 0)
            return err_wrap(err, "a sandbox in containerd's reply");
        if (wire_is_bytes(&field, 1))
            *id = field.bytes;
        else if (wire_is_bytes(&field, numbers->handler))
            *handler = field.bytes;
    }
    if (handler->len == 0)
        *handler = handler_of_annotations(sandbox, numbers->annotations);
    return 0;
}

int inspect_sandbox_list(struct str reply, inspect_sandbox_fn *each, void *cookie, struct err *err)
{
    struct wire_reader reader = wire_reader(reply);
    while (reader.at < reader.end) {
        struct wire_field item;
        struct str id, handler;
        if (wire_next(&reader, &item, err) < 0)
            return err_wrap(err, "containerd's list of sandboxes");
        if (!wire_is_bytes(&item, LIST_ITEMS))
            continue;
        if (read_sandbox(item.bytes, &of_item, &id, &handler, err) < 0)
            return -1;
        if (id.len)
            each(cookie, id, handler);
    }
    return 0;
}

int inspect_sandbox_status(struct str reply, struct str *id, struct str *handler, struct err *err)
{
    struct wire_field status;
    *id = *handler = STR("");
    if (!wire_find(reply, STATUS_STATUS, &status) || !wire_is_bytes(&status, STATUS_STATUS))
        return err_set(err, "containerd's status of a sandbox: no status in %zu bytes", reply.len);
    if (read_sandbox(status.bytes, &of_status, id, handler, err) < 0)
        return -1;
    if (!id->len)
        return err_set(err, "containerd's status of a sandbox: no id");
    return 0;
}

static int read_facts(struct str item, struct arena *arena, struct sandbox_facts *facts,
                      struct err *err)
{
    const Cri__PodSandbox *sandbox = inspect_unpack(&cri__pod_sandbox__descriptor, item, arena);
    if (!sandbox)
        return err_set(err,
                       "containerd's list of sandboxes: an item of %zu bytes is broken, or "
                       "memory is out",
                       item.len);
    *facts = (struct sandbox_facts){
        .id = inspect_str(sandbox->id),
        .handler = inspect_str(sandbox->runtime_handler),
        .ready = sandbox->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY,
        .created_at = sandbox->created_at,
    };
    inspect_pod_empty(&facts->pod);
    facts->pod.handler = facts->handler;
    inspect_metadata(sandbox->metadata, &facts->pod);
    if (inspect_pod_labels("items", sandbox->labels, sandbox->n_labels, sandbox->annotations,
                           sandbox->n_annotations, arena, &facts->pod, err) < 0)
        return err_wrap(err, "containerd's list of sandboxes");
    if (facts->handler.len == 0)
        facts->handler = pod_facts_requested(&facts->pod);
    return 0;
}

static int count_items(struct str reply, size_t *count, struct err *err)
{
    struct wire_reader reader = wire_reader(reply);
    *count = 0;
    while (reader.at < reader.end) {
        struct wire_field item;
        if (wire_next(&reader, &item, err) < 0)
            return err_wrap(err, "containerd's list of sandboxes");
        *count += wire_is_bytes(&item, LIST_ITEMS);
    }
    return 0;
}

int inspect_sandboxes(struct str reply, struct arena *arena, struct sandbox_facts **list,
                      size_t *count, struct err *err)
{
    struct wire_reader reader = wire_reader(reply);
    size_t room, used = 0;
    if (count_items(reply, &room, err) < 0)
        return -1;
    struct sandbox_facts *items = arena_array(arena, room, sizeof(*items));
    if (!items)
        return err_set(err, "containerd's list of sandboxes: memory is out for %zu", room);
    while (used < room) {
        struct wire_field item;
        if (wire_next(&reader, &item, err) < 0)
            return -1;
        if (wire_is_bytes(&item, LIST_ITEMS) &&
            read_facts(item.bytes, arena, &items[used++], err) < 0)
            return -1;
    }
    *list = items;
    *count = used;
    return 0;
}

int inspect_sandbox_namespaces(struct str reply, struct arena *arena, struct sandbox_facts *sandbox,
                               struct err *err)
{
    const Cri__PodSandboxStatusResponse *decoded =
        inspect_unpack(&cri__pod_sandbox_status_response__descriptor, reply, arena);
    if (!decoded)
        return err_set(err,
                       "containerd's status of a sandbox: %zu bytes are broken, or memory is "
                       "out",
                       reply.len);
    const Cri__PodSandboxStatus *status = decoded->status;
    const Cri__LinuxPodSandboxStatus *linux_status = status ? status->linux : NULL;
    const Cri__Namespace *namespaces = linux_status ? linux_status->namespaces : NULL;
    inspect_pod_namespaces(namespaces ? namespaces->options : NULL, &sandbox->pod);
    return 0;
}
