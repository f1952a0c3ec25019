/* SPDX-License-Identifier: Apache-2.0 */
/* Requests made at random, with fields that the gate does not know: what goes on differs from what
 * came in its handler only. */
#include "gate/inspect.h"
#include "inspect_bed.h"

#define ROUNDS 3000
#define LABELS_MAX 20

static ProtobufCBinaryData random_text(struct arena *arena, uint32_t most)
{
    static const char *const pieces[] = {
        "a", "Z", "-", "/", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    uint32_t count = below(most + 1);
    char *text = zeroed(arena, 4 * count + 1);
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[below(8)];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = len};
}

static Cri__StringPair **random_labels(struct arena *arena, size_t *count)
{
    *count = below(LABELS_MAX + 1);
    Cri__StringPair **pairs = zeroed(arena, LABELS_MAX * sizeof(*pairs));
    for (size_t i = 0; i < *count; i++) {
        pairs[i] = zeroed(arena, sizeof(**pairs));
        cri__string_pair__init(pairs[i]);
        char *key = zeroed(arena, 32);
        snprintf(key, 32, "key-%zu-%u", i, below(1000));
        pairs[i]->key = (ProtobufCBinaryData){.data = (uint8_t *)key, .len = strlen(key)};
        pairs[i]->value = random_text(arena, 10);
        add_unknown(&pairs[i]->base, arena);
    }
    return pairs;
}

static Cri__LinuxPodSandboxConfig *random_linux(struct arena *arena)
{
    Cri__LinuxPodSandboxConfig *config = zeroed(arena, sizeof(*config));
    Cri__LinuxSandboxSecurityContext *security = zeroed(arena, sizeof(*security));
    Cri__NamespaceOption *namespaces = zeroed(arena, sizeof(*namespaces));
    cri__linux_pod_sandbox_config__init(config);
    cri__linux_sandbox_security_context__init(security);
    cri__namespace_option__init(namespaces);
    config->security_context = security;
    security->privileged = (int)below(2);
    security->namespace_options = namespaces;
    namespaces->network = below(4);
    namespaces->pid = below(4);
    namespaces->ipc = below(4);
    add_unknown(&config->base, arena);
    add_unknown(&security->base, arena);
    add_unknown(&namespaces->base, arena);
    return config;
}

static Cri__RunPodSandboxRequest *random_request(struct arena *arena)
{
    Cri__RunPodSandboxRequest *request = zeroed(arena, sizeof(*request));
    Cri__PodSandboxConfig *config = zeroed(arena, sizeof(*config));
    Cri__PodSandboxMetadata *metadata = zeroed(arena, sizeof(*metadata));
    cri__run_pod_sandbox_request__init(request);
    cri__pod_sandbox_config__init(config);
    cri__pod_sandbox_metadata__init(metadata);
    request->config = config;
    request->runtime_handler = random_text(arena, 5);
    add_unknown(&request->base, arena);
    config->metadata = metadata;
    config->labels = random_labels(arena, &config->n_labels);
    config->annotations = random_labels(arena, &config->n_annotations);
    config->linux = random_linux(arena);
    add_unknown(&config->base, arena);
    metadata->name = random_text(arena, 40);
    metadata->namespace_ = random_text(arena, 10);
    metadata->uid = random_text(arena, 10);
    metadata->attempt = below(2) ? below(UINT32_MAX) : 0;
    add_unknown(&metadata->base, arena);
    return request;
}

static void expect_text(struct str got, ProtobufCBinaryData given)
{
    cr_assert(str_eq(got, (struct str){.data = (char *)given.data, .len = given.len}));
}

static void expect_labels(const struct label_set *set, Cri__StringPair **pairs, size_t count)
{
    cr_assert_eq(set->count, count);
    for (size_t i = 0; i < count; i++) {
        struct str key = {.data = (char *)pairs[i]->key.data, .len = pairs[i]->key.len};
        const struct str *value = label_set_find(set, key, label_hash(key));
        cr_assert_not_null(value);
        expect_text(*value, pairs[i]->value);
    }
}

static void expect_facts(const struct pod_facts *pod, const Cri__RunPodSandboxRequest *request)
{
    const Cri__PodSandboxConfig *config = request->config;
    const Cri__NamespaceOption *namespaces = config->linux->security_context->namespace_options;
    expect_text(pod->name, config->metadata->name);
    expect_text(pod->namespace, config->metadata->namespace_);
    expect_text(pod->uid, config->metadata->uid);
    expect_text(pod->handler, request->runtime_handler);
    cr_assert_eq(pod->attempt, config->metadata->attempt);
    cr_assert_eq(pod->privileged, config->linux->security_context->privileged);
    cr_assert_eq(pod->host_network, namespaces->network == CRI__NAMESPACE_MODE__NODE);
    cr_assert_eq(pod->host_pid, namespaces->pid == CRI__NAMESPACE_MODE__NODE);
    cr_assert_eq(pod->host_ipc, namespaces->ipc == CRI__NAMESPACE_MODE__NODE);
    expect_labels(&pod->labels, config->labels, config->n_labels);
    expect_labels(&pod->annotations, config->annotations, config->n_annotations);
}

/* Decodes what goes on, puts the old handler back, encodes: the very bytes that came. */
static void expect_only_the_handler_differs(struct str came, struct inspect_span span,
                                            const Cri__RunPodSandboxRequest *request,
                                            struct arena *arena)
{
    uint8_t *sent = zeroed(arena, came.len + 32);
    memcpy(sent, came.data, span.start);
    size_t len = span.start;
    len += inspect_handler_field(INSPECT_RUN_POD_SANDBOX, STR("runsc"), sent + len, 32);
    memcpy(sent + len, came.data + span.end, came.len - span.end);
    len += came.len - span.end;

    Cri__RunPodSandboxRequest *decoded = cri__run_pod_sandbox_request__unpack(NULL, len, sent);
    cr_assert_not_null(decoded);
    expect_text(STR("runsc"), decoded->runtime_handler);
    ProtobufCBinaryData changed = decoded->runtime_handler;
    decoded->runtime_handler = request->runtime_handler;
    cr_assert_eq(cri__run_pod_sandbox_request__get_packed_size(decoded), came.len);
    uint8_t *again = zeroed(arena, came.len + 1);
    cri__run_pod_sandbox_request__pack(decoded, again);
    cr_assert_eq(memcmp(again, came.data, came.len), 0);
    decoded->runtime_handler = changed;
    cri__run_pod_sandbox_request__free_unpacked(decoded, NULL);
}

Test(inspect_random, changes_the_handler_and_nothing_else)
{
    for (int round = 0; round < ROUNDS; round++) {
        OWNED_ARENA struct arena arena = {0};
        struct pod_facts pod;
        struct inspect_span span;
        struct err err = {0};
        Cri__RunPodSandboxRequest *request = random_request(&arena);
        size_t len = cri__run_pod_sandbox_request__get_packed_size(request);
        uint8_t *bytes = zeroed(&arena, len + 1);
        cri__run_pod_sandbox_request__pack(request, bytes);
        struct str came = {.data = (char *)bytes, .len = len};
        int result = inspect_pod(INSPECT_RUN_POD_SANDBOX, came, &arena, &pod, &span, &err);
        cr_assert_eq(result, 0, "round %d: %s", round, err.text);
        expect_facts(&pod, request);
        expect_only_the_handler_differs(came, span, request, &arena);
    }
}

/* One bit of a good request flipped: taken or refused, what is taken protobuf-c takes too. */
Test(inspect_random, takes_nothing_that_protobuf_c_refuses)
{
    size_t taken = 0, refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        OWNED_ARENA struct arena arena = {0};
        struct pod_facts pod;
        struct inspect_span span;
        Cri__RunPodSandboxRequest *request = random_request(&arena);
        size_t len = cri__run_pod_sandbox_request__get_packed_size(request);
        uint8_t *bytes = zeroed(&arena, len + 1);
        cri__run_pod_sandbox_request__pack(request, bytes);
        if (len)
            bytes[below((uint32_t)len)] ^= (uint8_t)(1u << below(8));
        struct str came = {.data = (char *)bytes, .len = len};
        if (inspect_pod(INSPECT_RUN_POD_SANDBOX, came, &arena, &pod, &span, NULL) < 0) {
            refused++;
            continue;
        }
        taken++;
        Cri__RunPodSandboxRequest *decoded = cri__run_pod_sandbox_request__unpack(NULL, len, bytes);
        cr_assert_not_null(decoded, "round %d", round);
        cri__run_pod_sandbox_request__free_unpacked(decoded, NULL);
    }
    cr_expect(taken > ROUNDS / 20 && refused > ROUNDS / 20, "%zu taken, %zu refused", taken,
              refused);
}
