/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for a probe pod; the only user of probe.proto. */
#include "cli/verify_message.h"

#include "probe.pb-c.h"

#define CONTAINER_NAME "probe"
#define HOSTNAME                                                                    \
    "crigate-verify" /* a handler, and so a pod, may have a longer name than a host \
                      */

/* A pod's configuration with all that it points to. */
struct pod_config {
    Probe__PodSandboxConfig whole;
    Probe__PodSandboxMetadata metadata;
    Probe__StringPair label, *labels[1];
    Probe__LinuxPodSandboxConfig on_linux;
};

/* protobuf-c has no const, and only reads what it packs. */
static char *text(const char *borrowed)
{
    return (char *)borrowed;
}

static void fill_pod(const struct probe_pod *pod, struct pod_config *config)
{
    probe__pod_sandbox_metadata__init(&config->metadata);
    config->metadata.name = text(pod->name);
    config->metadata.namespace_ = text(pod->namespace);
    config->metadata.uid = text(pod->uid);
    config->metadata.attempt = pod->attempt;
    probe__string_pair__init(&config->label);
    config->label.key = text(pod->label);
    config->label.value = text("true");
    config->labels[0] = &config->label;
    probe__linux_pod_sandbox_config__init(&config->on_linux);
    config->on_linux.cgroup_parent = text(pod->cgroup_parent);
    probe__pod_sandbox_config__init(&config->whole);
    config->whole.metadata = &config->metadata;
    config->whole.hostname = text(HOSTNAME);
    config->whole.labels = config->labels;
    config->whole.n_labels = 1;
    config->whole.linux = &config->on_linux;
}

static struct str pack(const ProtobufCMessage *message, struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, protobuf_c_message_get_packed_size(message));
    if (!bytes)
        return (struct str){0};
    return (struct str){.data = (char *)bytes, .len = protobuf_c_message_pack(message, bytes)};
}

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return count;
}

struct str verify_run_request(const struct probe_pod *pod, const char *handler, struct arena *arena)
{
    struct pod_config config;
    fill_pod(pod, &config);
    Probe__RunPodSandboxRequest request = PROBE__RUN_POD_SANDBOX_REQUEST__INIT;
    request.config = &config.whole;
    request.runtime_handler = text(handler);
    return pack(&request.base, arena);
}

struct str verify_create_request(const struct probe_pod *pod, const char *sandbox,
                                 const char *image, const char *const *words, struct arena *arena)
{
    struct pod_config config;
    fill_pod(pod, &config);
    Probe__ContainerMetadata metadata = PROBE__CONTAINER_METADATA__INIT;
    metadata.name = text(CONTAINER_NAME);
    Probe__ImageSpec spec = PROBE__IMAGE_SPEC__INIT;
    spec.image = text(image);
    Probe__ContainerConfig container = PROBE__CONTAINER_CONFIG__INIT;
    container.metadata = &metadata;
    container.image = &spec;
    container.command = (char **)words;
    container.n_command = count_words(words);
    Probe__CreateContainerRequest request = PROBE__CREATE_CONTAINER_REQUEST__INIT;
    request.pod_sandbox_id = text(sandbox);
    request.config = &container;
    request.sandbox_config = &config.whole;
    return pack(&request.base, arena);
}

struct str verify_start_request(const char *container, struct arena *arena)
{
    Probe__StartContainerRequest request = PROBE__START_CONTAINER_REQUEST__INIT;
    request.container_id = text(container);
    return pack(&request.base, arena);
}

struct str verify_exec_request(const char *container, const char *const *words, int timeout_s,
                               struct arena *arena)
{
    Probe__ExecSyncRequest request = PROBE__EXEC_SYNC_REQUEST__INIT;
    request.container_id = text(container);
    request.cmd = (char **)words;
    request.n_cmd = count_words(words);
    request.timeout = timeout_s;
    return pack(&request.base, arena);
}

struct str verify_image_request(const char *image, struct arena *arena)
{
    Probe__ImageSpec spec = PROBE__IMAGE_SPEC__INIT;
    spec.image = text(image);
    Probe__ImageRequest request = PROBE__IMAGE_REQUEST__INIT;
    request.image = &spec;
    return pack(&request.base, arena);
}
