/* SPDX-License-Identifier: Apache-2.0 */
/* Requests made with protobuf-c: their facts, and what goes on in their place. */
#include "gate/inspect.h"
#include "inspect_bed.h"

/* The request as the gate sends it on. */
static struct str splice(enum inspect_method method, struct str request, struct inspect_span span,
                         struct str handler, struct arena *arena)
{
    size_t room = handler.len + 16;
    char *bytes = arena_alloc(arena, request.len + room);
    cr_assert_not_null(bytes);
    memcpy(bytes, request.data, span.start);
    size_t len = span.start;
    len += inspect_handler_field(method, handler, (unsigned char *)bytes + len, room);
    memcpy(bytes + len, request.data + span.end, request.len - span.end);
    return (struct str){.data = bytes, .len = len + request.len - span.end};
}

static void expect_label(const struct label_set *set, const char *key, const char *value)
{
    const struct str *found = label_set_find(set, str_of(key), label_hash(str_of(key)));
    cr_expect(found && str_eq(*found, str_of(value)), "%s=%s", key, value);
}

struct request {
    Cri__StringPair pairs[3];
    Cri__StringPair *entries[3];
    Cri__PodSandboxMetadata metadata;
    Cri__UserNamespace userns;
    Cri__NamespaceOption namespaces;
    Cri__SELinuxOption selinux_option;
    Cri__LinuxSandboxSecurityContext security;
    Cri__LinuxPodSandboxConfig linux_config;
    Cri__PodSandboxConfig config;
    Cri__RunPodSandboxRequest run;
};

static void request_init(struct request *r)
{
    for (size_t i = 0; i < COUNT(r->pairs); i++) {
        cri__string_pair__init(&r->pairs[i]);
        r->entries[i] = &r->pairs[i];
    }
    cri__pod_sandbox_metadata__init(&r->metadata);
    cri__user_namespace__init(&r->userns);
    cri__namespace_option__init(&r->namespaces);
    cri__selinux_option__init(&r->selinux_option);
    cri__linux_sandbox_security_context__init(&r->security);
    cri__linux_pod_sandbox_config__init(&r->linux_config);
    cri__pod_sandbox_config__init(&r->config);
    cri__run_pod_sandbox_request__init(&r->run);
    r->run.config = &r->config;
    r->config.metadata = &r->metadata;
    r->config.linux = &r->linux_config;
    r->linux_config.security_context = &r->security;
    r->security.namespace_options = &r->namespaces;
}

static void expect_facts(struct request *r, struct pod_facts *pod, struct arena *arena)
{
    struct inspect_span span;
    struct err err = {0};
    struct str request = pack(&r->run, arena);
    cr_assert_eq(inspect_pod(INSPECT_RUN_POD_SANDBOX, request, arena, pod, &span, &err), 0, "%s",
                 err.text);
}

Test(inspect, reads_who_the_pod_is)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    struct pod_facts pod;
    request_init(&r);
    r.metadata.name = bytes_of("build-7");
    r.metadata.namespace_ = bytes_of("agents");
    r.metadata.uid = bytes_of("0b1c");
    r.metadata.attempt = 3;
    r.run.runtime_handler = bytes_of("gvisor");
    r.pairs[0].key = bytes_of("app");
    r.pairs[0].value = bytes_of("db");
    r.pairs[1].key = bytes_of("tier");
    r.config.labels = r.entries;
    r.config.n_labels = 2;
    r.pairs[2].key = bytes_of("note");
    r.pairs[2].value = bytes_of("caf\xc3\xa9");
    r.config.annotations = r.entries + 2;
    r.config.n_annotations = 1;
    expect_facts(&r, &pod, &arena);
    cr_expect(str_eq(pod.name, STR("build-7")));
    cr_expect(str_eq(pod.namespace, STR("agents")));
    cr_expect(str_eq(pod.uid, STR("0b1c")));
    cr_expect_eq(pod.attempt, 3);
    cr_expect(str_eq(pod.handler, STR("gvisor")));
    cr_expect_eq(pod.labels.count, 2);
    expect_label(&pod.labels, "app", "db");
    expect_label(&pod.labels, "tier", "");
    cr_expect_eq(pod.annotations.count, 1);
    expect_label(&pod.annotations, "note", "caf\xc3\xa9");
    cr_expect_not(pod.untrusted || pod.host_network || pod.host_pid || pod.host_ipc ||
                  pod.privileged || pod.user_namespace || pod.selinux);
}

Test(inspect, knows_what_is_not_there)
{
    OWNED_ARENA struct arena arena = {0};
    static const struct str requests[] = {STR(""), STR("\x0a\x00"), STR("\x0a\x02\x42\x00"),
                                          STR("\x0a\x04\x42\x02\x12\x00")};
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct pod_facts pod;
        struct inspect_span span;
        cr_assert_eq(inspect_pod(INSPECT_RUN_POD_SANDBOX, requests[i], &arena, &pod, &span, NULL),
                     0);
        cr_expect(pod.name.data && pod.namespace.data && pod.uid.data && pod.handler.data);
        cr_expect_eq(pod.name.len + pod.namespace.len + pod.uid.len + pod.handler.len, 0);
        cr_expect_eq(pod.labels.count + pod.annotations.count, 0);
        cr_expect_not(pod.host_network || pod.user_namespace || pod.selinux);
        cr_expect_eq(span.start, requests[i].len);
        cr_expect_eq(span.end, requests[i].len);
    }
}

Test(inspect, reads_each_namespace)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    struct pod_facts pod;
    request_init(&r);
    for (int network = 0; network < 5; network++) {
        for (int pid = 0; pid < 5; pid++) {
            for (int ipc = 0; ipc < 5; ipc++) {
                r.namespaces.network = network;
                r.namespaces.pid = pid;
                r.namespaces.ipc = ipc;
                expect_facts(&r, &pod, &arena);
                cr_expect_eq(pod.host_network, network == CRI__NAMESPACE_MODE__NODE);
                cr_expect_eq(pod.host_pid, pid == CRI__NAMESPACE_MODE__NODE);
                cr_expect_eq(pod.host_ipc, ipc == CRI__NAMESPACE_MODE__NODE);
            }
        }
    }
}

Test(inspect, reads_privilege_and_user_namespaces)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    struct pod_facts pod;
    request_init(&r);
    r.security.privileged = 1;
    r.namespaces.userns_options = &r.userns;
    r.userns.mode = CRI__NAMESPACE_MODE__POD;
    expect_facts(&r, &pod, &arena);
    cr_expect(pod.privileged && pod.user_namespace);
    r.userns.mode = CRI__NAMESPACE_MODE__NODE;
    expect_facts(&r, &pod, &arena);
    cr_expect_not(pod.user_namespace);
}

Test(inspect, reads_any_part_of_an_selinux_label)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    struct pod_facts pod;
    request_init(&r);
    r.security.selinux_options = &r.selinux_option;
    expect_facts(&r, &pod, &arena);
    cr_expect_not(pod.selinux, "no part is given");
    ProtobufCBinaryData *parts[] = {&r.selinux_option.user, &r.selinux_option.role,
                                    &r.selinux_option.type, &r.selinux_option.level};
    for (size_t i = 0; i < COUNT(parts); i++) {
        *parts[i] = bytes_of("s0");
        expect_facts(&r, &pod, &arena);
        cr_expect(pod.selinux, "part %zu", i);
        *parts[i] = bytes_of("");
    }
}

Test(inspect, reads_the_untrusted_annotation_as_containerd_does)
{
    OWNED_ARENA struct arena arena = {0};
    static const char *const values[] = {"true", "True", "true ", "1", ""};
    struct request r;
    struct pod_facts pod;
    request_init(&r);
    r.pairs[0].key = bytes_of("io.kubernetes.cri.untrusted-workload");
    for (size_t i = 0; i < COUNT(values); i++) {
        r.pairs[0].value = bytes_of(values[i]);
        r.config.annotations = r.entries;
        r.config.n_annotations = 1;
        r.config.n_labels = 0;
        expect_facts(&r, &pod, &arena);
        cr_expect_eq(pod.untrusted, i == 0, "\"%s\"", values[i]);
        r.config.labels = r.entries;
        r.config.n_labels = 1;
        r.config.n_annotations = 0;
        expect_facts(&r, &pod, &arena);
        cr_expect_not(pod.untrusted, "a label");
    }
}

static void expect_malformed(struct str request, const char *error)
{
    OWNED_ARENA struct arena arena = {0};
    struct pod_facts pod;
    struct inspect_span span;
    struct err err = {0};
    int result = inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &pod, &span, &err);
    cr_expect_eq(result, -1);
    cr_expect_str_eq(err.text, error);
}

Test(inspect, refuses_what_is_malformed)
{
    expect_malformed(STR("\x0a\x0a\x32\x03\x0a\x01"
                         "a\x32\x03\x0a\x01"
                         "a"),
                     "field config.labels: key \"a\" stands twice");
    expect_malformed(STR("\x0a\x0a\x3a\x03\x0a\x01\n\x3a\x03\x0a\x01\n"),
                     "field config.annotations: key \"\\x0a\" stands twice");
    expect_malformed(STR("\x0a\x04\x32\x00\x32\x00"), "field config.labels: key \"\" stands twice");
    expect_malformed(STR("\x12\x01\xff"),
                     "field runtime_handler: a string that is not UTF-8 (byte 2)");
    struct str large = {.data = calloc(1, METHOD_REQUEST_MAX + 1), .len = METHOD_REQUEST_MAX + 1};
    expect_malformed(large, "request: 16777217 bytes, more than 16777216");
    free((char *)large.data);
}

Test(inspect, cuts_a_long_key_in_an_error)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    struct pod_facts pod;
    struct inspect_span span;
    struct err err = {0};
    char key[5000];
    request_init(&r);
    memset(key, 'k', sizeof(key));
    key[sizeof(key) - 1] = 0;
    r.pairs[0].key = r.pairs[1].key = bytes_of(key);
    r.config.labels = r.entries;
    r.config.n_labels = 2;
    struct str request = pack(&r.run, &arena);
    cr_assert_eq(inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &pod, &span, &err), -1);
    cr_expect(strstr(err.text, "kkk...\" stands twice"), "%s", err.text);
    memcpy(key + 254, "\xf0\x9f\x98\x80", 4); /* over the edge of what is shown: it stays whole */
    request = pack(&r.run, &arena);
    cr_assert_eq(inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &pod, &span, &err), -1);
    cr_expect(strstr(err.text, "kkk\xf0\x9f\x98\x80...\" stands twice"), "%s", err.text);
}

Test(inspect, finds_the_handler_wherever_it_stands)
{
    OWNED_ARENA struct arena arena = {0};
    static const struct {
        enum inspect_method method;
        struct str request;
        size_t start, end;
        struct str sent;
    } cases[] = {
        {INSPECT_RUN_POD_SANDBOX, STR("\x0a\x00\x12\x04runc"), 2, 8, STR("\x0a\x00\x12\x05runsc")},
        {INSPECT_RUN_POD_SANDBOX, STR("\x12\x04runc\x0a\x00"), 0, 6, STR("\x12\x05runsc\x0a\x00")},
        {INSPECT_RUN_POD_SANDBOX, STR("\x12\x00\x0a\x00"), 0, 2, STR("\x12\x05runsc\x0a\x00")},
        {INSPECT_RUN_POD_SANDBOX, STR("\x0a\x00"), 2, 2, STR("\x0a\x00\x12\x05runsc")},
        {INSPECT_RUN_POD_SANDBOX, STR("\x1a\x01z\x92\x00\x81\x00x\x78\x01"), 3, 8,
         STR("\x1a\x01z\x12\x05runsc\x78\x01")},
        {INSPECT_RESTORE_POD, STR("\x0a\x02/c\x12\x00\x1a\x01x\x22\x00"), 6, 9,
         STR("\x0a\x02/c\x12\x00\x1a\x05runsc\x22\x00")},
        {INSPECT_RESTORE_POD, STR("\x12\x00"), 2, 2, STR("\x12\x00\x1a\x05runsc")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pod_facts pod;
        struct inspect_span span;
        cr_assert_eq(inspect_pod(cases[i].method, cases[i].request, &arena, &pod, &span, NULL), 0);
        cr_expect_eq(span.start, cases[i].start, "case %zu", i);
        cr_expect_eq(span.end, cases[i].end, "case %zu", i);
        struct str sent = splice(cases[i].method, cases[i].request, span, STR("runsc"), &arena);
        cr_expect(str_eq(sent, cases[i].sent), "case %zu", i);
        cr_assert_eq(inspect_pod(cases[i].method, sent, &arena, &pod, &span, NULL), 0);
        cr_expect(str_eq(pod.handler, STR("runsc")), "case %zu", i);
    }
}

Test(inspect, writes_no_handler_that_does_not_fit)
{
    unsigned char buf[7];
    cr_assert_eq(inspect_handler_field(INSPECT_RUN_POD_SANDBOX, STR("runsc"), buf, 7), 7);
    cr_assert_eq(inspect_handler_field(INSPECT_RUN_POD_SANDBOX, STR("runsc"), buf, 6), 0);
}

Test(inspect, reads_the_sandbox_id_of_a_reply)
{
    cr_expect(str_eq(inspect_sandbox_id(STR("\x0a\x03"
                                            "abc")),
                     STR("abc")));
    cr_expect(str_eq(inspect_sandbox_id(STR("\x78\x01\x0a\x01\xff")), STR("\xff")));
    static const struct str others[] = {
        {0},         STR(""),         STR("\x0a"), STR("\x0a\x02x"), STR("\x08\x01"),
        STR("\x7b"), STR("\x12\x01x")};
    for (size_t i = 0; i < COUNT(others); i++)
        cr_expect(str_eq(inspect_sandbox_id(others[i]), STR("")) &&
                      inspect_sandbox_id(others[i]).data,
                  "reply %zu", i);
}
