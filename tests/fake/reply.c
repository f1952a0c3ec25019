/* SPDX-License-Identifier: Apache-2.0 */
/* Builds replies: canned CRI messages, patterns of any size out of one shared block, reports. */
#include "reply.h"

#include <grpc/support/time.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"
#include "fake.h"
#include "memory.h"

#define CONTAINERS 500
#define SANDBOXES 250

static unsigned char pattern[FAKE_PATTERN_LEN];
static grpc_slice containers, sandboxes, version, status, serving;

static void add_pair(struct bytes *out, unsigned field, const char *key, const char *value)
{
    struct bytes pair = {0};
    bytes_text(&pair, 1, key);
    bytes_text(&pair, 2, value);
    bytes_nest(out, field, &pair);
}

/* Labels and annotations as the kubelet writes them. */
static void add_labels(struct bytes *out, unsigned labels, unsigned annotations, const char *pod)
{
    add_pair(out, labels, "io.kubernetes.pod.name", pod);
    add_pair(out, labels, "io.kubernetes.pod.namespace", "agents");
    add_pair(out, labels, "io.kubernetes.pod.uid", "6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    add_pair(out, labels, "agenttier.io/managed", "true");
    add_pair(out, annotations, "kubernetes.io/config.seen", "2026-07-01T10:20:30.123456789Z");
    add_pair(out, annotations, "kubernetes.io/config.source", "api");
}

static void add_container(struct bytes *out, unsigned number)
{
    char id[65], sandbox[65], pod[32];
    snprintf(id, sizeof(id), "%064x", number * 2654435761u);
    snprintf(sandbox, sizeof(sandbox), "%064x", number / 2 * 40503u + 1);
    snprintf(pod, sizeof(pod), "build-%u", number / 2);
    struct bytes item = {0}, metadata = {0}, image = {0};
    bytes_text(&item, 1, id);
    bytes_text(&item, 2, sandbox);
    bytes_text(&metadata, 1, number % 2 ? "sidecar" : "agent");
    bytes_nest(&item, 3, &metadata);
    bytes_text(&image, 1,
               "registry.example/agents/builder@sha256:0123456789abcdef0123456789abcdef");
    bytes_nest(&item, 4, &image);
    bytes_text(&item, 5, "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210");
    bytes_number(&item, 6, 1);
    bytes_number(&item, 7, 1782900000000000000u + number);
    add_labels(&item, 8, 9, pod);
    add_pair(&item, 9, "io.kubernetes.container.terminationMessagePath", "/dev/termination-log");
    bytes_nest(out, 1, &item);
}

static void add_sandbox(struct bytes *out, unsigned number)
{
    char id[65], pod[32];
    snprintf(id, sizeof(id), "%064x", number * 40503u + 1);
    snprintf(pod, sizeof(pod), "build-%u", number);
    struct bytes item = {0}, metadata = {0};
    bytes_text(&item, 1, id);
    bytes_text(&metadata, 1, pod);
    bytes_text(&metadata, 2, "6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&item, 2, &metadata);
    bytes_number(&item, 4, 1782900000000000000u + number);
    add_labels(&item, 5, 6, pod);
    bytes_text(&item, 7, number % 2 ? "runc" : "runsc");
    bytes_nest(out, 1, &item);
}

static void add_condition(struct bytes *out, const char *type)
{
    struct bytes condition = {0};
    bytes_text(&condition, 1, type);
    bytes_number(&condition, 2, 1);
    bytes_nest(out, 1, &condition);
}

static void add_handler(struct bytes *out, const char *name, bool able)
{
    struct bytes handler = {0}, features = {0};
    if (*name)
        bytes_text(&handler, 1, name);
    if (able) {
        bytes_number(&features, 1, 1);
        bytes_number(&features, 2, 1);
    }
    bytes_nest(&handler, 2, &features);
    bytes_nest(out, 3, &handler);
}

static grpc_slice make_status(void)
{
    struct bytes out = {0}, conditions = {0};
    add_condition(&conditions, "RuntimeReady");
    add_condition(&conditions, "NetworkReady");
    bytes_nest(&out, 1, &conditions);
    add_handler(&out, "", true);
    add_handler(&out, "runc", true);
    add_handler(&out, "runsc", false);
    return bytes_slice(&out);
}

static grpc_slice make_version(void)
{
    struct bytes out = {0};
    bytes_text(&out, 1, "0.1.0");
    bytes_text(&out, 2, "containerd");
    bytes_text(&out, 3, "v2.1.0");
    bytes_text(&out, 4, "v1");
    return bytes_slice(&out);
}

static grpc_slice make_serving(void)
{
    struct bytes out = {0};
    bytes_number(&out, 1, 1);
    return bytes_slice(&out);
}

void reply_prepare(void)
{
    struct bytes list = {0}, pods = {0};
    fake_pattern(pattern);
    for (unsigned i = 0; i < CONTAINERS; i++)
        add_container(&list, i);
    containers = bytes_slice(&list);
    for (unsigned i = 0; i < SANDBOXES; i++)
        add_sandbox(&pods, i);
    sandboxes = bytes_slice(&pods);
    version = make_version();
    status = make_status();
    serving = make_serving();
}

grpc_byte_buffer *reply_of(grpc_slice bytes)
{
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    return reply;
}

static grpc_byte_buffer *new_id(void)
{
    static uint64_t last;
    char id[65];
    snprintf(id, sizeof(id), "%064" PRIx64, ++last);
    struct bytes out = {0};
    bytes_text(&out, 1, id);
    return reply_of(bytes_slice(&out));
}

static bool ends_with(grpc_slice method, const char *name)
{
    size_t len = strlen(name);
    return GRPC_SLICE_LENGTH(method) > len &&
           memcmp(GRPC_SLICE_END_PTR(method) - len, name, len) == 0;
}

grpc_byte_buffer *reply_plausible(grpc_slice method)
{
    if (ends_with(method, "/Version"))
        return reply_of(grpc_slice_ref(version));
    if (ends_with(method, "/RunPodSandbox") || ends_with(method, "/RestorePod") ||
        ends_with(method, "/CreateContainer"))
        return new_id();
    if (ends_with(method, "/ListContainers"))
        return reply_of(grpc_slice_ref(containers));
    if (ends_with(method, "/ListPodSandbox"))
        return reply_of(grpc_slice_ref(sandboxes));
    if (ends_with(method, "/Status"))
        return reply_of(grpc_slice_ref(status));
    if (ends_with(method, "Health/Check"))
        return reply_of(grpc_slice_ref(serving));
    return reply_of(grpc_empty_slice());
}

grpc_byte_buffer *reply_pattern(uint64_t size, bool indexed, uint64_t index)
{
    size_t count = 0, max = (size_t)(size / FAKE_PATTERN_LEN) + 2;
    grpc_slice *slices = must_calloc(max, sizeof(*slices));
    if (indexed && size >= sizeof(index)) {
        unsigned char head[sizeof(index)];
        for (size_t i = 0; i < sizeof(head); i++)
            head[i] = (unsigned char)(index >> (8 * i));
        slices[count++] = grpc_slice_from_copied_buffer((const char *)head, sizeof(head));
        size -= sizeof(head);
    }
    while (size > 0) {
        size_t part = size < FAKE_PATTERN_LEN ? (size_t)size : FAKE_PATTERN_LEN;
        slices[count++] = grpc_slice_from_static_buffer(pattern, part);
        size -= part;
    }
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(slices, count);
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    free(slices);
    return reply;
}

static void add_metadata(struct bytes *out, const grpc_metadata *entry)
{
    bytes_print(out, "metadata ");
    bytes_add(out, GRPC_SLICE_START_PTR(entry->key), GRPC_SLICE_LENGTH(entry->key));
    bytes_print(out, " ");
    for (size_t i = 0; i < GRPC_SLICE_LENGTH(entry->value); i++)
        bytes_print(out, "%02x", GRPC_SLICE_START_PTR(entry->value)[i]);
    bytes_print(out, "\n");
}

grpc_byte_buffer *reply_report(const grpc_call_details *details,
                               const grpc_metadata_array *metadata, const struct reply_seen *seen)
{
    struct bytes out = {0};
    bytes_print(&out, "method %.*s\n", (int)GRPC_SLICE_LENGTH(details->method),
                (const char *)GRPC_SLICE_START_PTR(details->method));
    bytes_print(&out, "authority %.*s\n", (int)GRPC_SLICE_LENGTH(details->host),
                (const char *)GRPC_SLICE_START_PTR(details->host));
    gpr_timespec never = gpr_inf_future(details->deadline.clock_type);
    if (gpr_time_cmp(details->deadline, never) == 0) {
        bytes_print(&out, "deadline-ms none\n");
    } else {
        gpr_timespec now = gpr_now(details->deadline.clock_type);
        bytes_print(&out, "deadline-ms %d\n",
                    gpr_time_to_millis(gpr_time_sub(details->deadline, now)));
    }
    bytes_print(&out, "messages %" PRIu64 "\nbytes %" PRIu64 "\nhalf-closed %d\n", seen->messages,
                seen->bytes, seen->half_closed);
    for (size_t i = 0; i < metadata->count; i++)
        add_metadata(&out, &metadata->metadata[i]);
    return reply_of(bytes_slice(&out));
}
