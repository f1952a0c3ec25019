/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a request and as a reply of the calls that pick a runtime: what is taken protobuf-c
 * takes too, with the same facts, and it is the same request with another handler when it goes on.
 */
#include "gate/inspect.h"

#include "inspect_fuzz.h"

static void check_labels(const struct label_set *set, Cri__StringPair *const *pairs, size_t count)
{
    REQUIRE(set->count == count);
    for (size_t i = 0; i < count; i++) {
        struct str key = {.data = (const char *)pairs[i]->key.data, .len = pairs[i]->key.len};
        const struct str *value = label_set_find(set, key, label_hash(key));
        REQUIRE(value && same(*value, pairs[i]->value));
        REQUIRE(key.len == 0 || memchr(key.data, 0, key.len) == NULL);
    }
}

static void check_config(const struct pod_facts *pod, const Cri__PodSandboxConfig *config)
{
    static const Cri__PodSandboxMetadata none = CRI__POD_SANDBOX_METADATA__INIT;
    const Cri__PodSandboxMetadata *metadata = config && config->metadata ? config->metadata : &none;
    REQUIRE(same(pod->namespace, metadata->namespace_));
    REQUIRE(same(pod->name, metadata->name));
    REQUIRE(same(pod->uid, metadata->uid));
    REQUIRE(pod->attempt == metadata->attempt);
    check_labels(&pod->labels, config ? config->labels : NULL, config ? config->n_labels : 0);
    check_labels(&pod->annotations, config ? config->annotations : NULL,
                 config ? config->n_annotations : 0);
}

static void check_containers(const struct pod_facts *pod, Cri__ContainerConfig *const *configs,
                             size_t count)
{
    REQUIRE(pod->container_count == count);
    for (size_t i = 0; i < count; i++) {
        touch(pod->containers[i].name);
        if (configs[i]->metadata)
            REQUIRE(same(pod->containers[i].name, configs[i]->metadata->name));
        REQUIRE(pod->containers[i].device_count >=
                configs[i]->n_devices + configs[i]->n_cdi_devices);
    }
}

/* The facts against protobuf-c's own memory, which a sanitizer watches. */
static void check_facts(enum inspect_method method, const struct pod_facts *pod,
                        const uint8_t *data, size_t size)
{
    if (method == INSPECT_RUN_POD_SANDBOX) {
        Cri__RunPodSandboxRequest *run = cri__run_pod_sandbox_request__unpack(NULL, size, data);
        REQUIRE(run && same(pod->handler, run->runtime_handler));
        check_config(pod, run->config);
        cri__run_pod_sandbox_request__free_unpacked(run, NULL);
    } else {
        Cri__RestorePodRequest *restore = cri__restore_pod_request__unpack(NULL, size, data);
        REQUIRE(restore && same(pod->handler, restore->runtime_handler));
        check_config(pod, restore->config);
        check_containers(pod, restore->container_configs, restore->n_container_configs);
        cri__restore_pod_request__free_unpacked(restore, NULL);
    }
}

static void check_sent(enum inspect_method method, struct str came, struct inspect_span span)
{
    unsigned char field[16];
    struct str handler = STR("runsc");
    size_t len = inspect_handler_field(method, handler, field, sizeof(field));
    REQUIRE(len > 0 && span.start <= span.end && span.end <= came.len);
    size_t total = span.start + len + came.len - span.end;
    char *sent = malloc(total);
    REQUIRE(sent != NULL);
    memcpy(sent, came.data, span.start);
    memcpy(sent + span.start, field, len);
    memcpy(sent + span.start + len, came.data + span.end, came.len - span.end);

    OWNED_ARENA struct arena arena = {0};
    struct pod_facts pod;
    struct inspect_span again;
    REQUIRE(inspect_pod(method, (struct str){sent, total}, &arena, &pod, &again, NULL) == 0);
    REQUIRE(str_eq(pod.handler, handler));
    REQUIRE(again.start == span.start && again.end == span.start + len);
    free(sent);
}

static void fuzz_request(enum inspect_method method, struct str request)
{
    OWNED_ARENA struct arena arena = {0};
    struct pod_facts pod;
    struct inspect_span span;
    struct err err = {0};
    int result = inspect_pod(method, request, &arena, &pod, &span, &err);
    check_error(result, err.text);
    if (result < 0)
        return;
    check_facts(method, &pod, (const uint8_t *)request.data, request.len);
    check_sent(method, request, span);
}

void fuzz_pod(struct str message)
{
    struct str id = inspect_sandbox_id(message);
    touch(id);
    REQUIRE(within(id, message));
    fuzz_request(INSPECT_RUN_POD_SANDBOX, message);
    fuzz_request(INSPECT_RESTORE_POD, message);
}
