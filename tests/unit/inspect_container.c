/* SPDX-License-Identifier: Apache-2.0 */
/* CreateContainer, and the containers of RestorePod: their facts, and what is refused. */
#include "gate/inspect_container.h"

#include "gate/inspect.h"
#include "gate/method.h"
#include "inspect_bed.h"

#define ROUNDS 3000

struct request {
    Cri__ContainerMetadata metadata;
    Cri__ImageSpec image;
    Cri__Mount mount_items[3], *mounts[3];
    Cri__Device device_items[3], *devices[3];
    Cri__CDIDevice cdi_items[2], *cdi[2];
    Cri__StringPair annotation_items[3], *annotations[3];
    Cri__SELinuxOption selinux_option;
    Cri__UserNamespace userns;
    Cri__NamespaceOption namespaces;
    Cri__LinuxContainerSecurityContext security;
    Cri__LinuxContainerConfig linux_config;
    Cri__ContainerConfig config;
    Cri__PodSandboxMetadata pod_metadata;
    Cri__StringPair label, *labels;
    Cri__PodSandboxConfig sandbox_config;
    Cri__CreateContainerRequest create;
};

static void init_lists(struct request *r)
{
    for (size_t i = 0; i < COUNT(r->mounts); i++) {
        cri__mount__init(r->mounts[i] = &r->mount_items[i]);
        cri__device__init(r->devices[i] = &r->device_items[i]);
        cri__string_pair__init(r->annotations[i] = &r->annotation_items[i]);
    }
    for (size_t i = 0; i < COUNT(r->cdi); i++)
        cri__cdidevice__init(r->cdi[i] = &r->cdi_items[i]);
    cri__string_pair__init(r->labels = &r->label);
    r->config.mounts = r->mounts;
    r->config.devices = r->devices;
    r->config.cdi_devices = r->cdi;
    r->config.annotations = r->annotations;
    r->sandbox_config.labels = &r->labels;
}

static void request_init(struct request *r)
{
    cri__container_metadata__init(&r->metadata);
    cri__image_spec__init(&r->image);
    cri__selinux_option__init(&r->selinux_option);
    cri__user_namespace__init(&r->userns);
    cri__namespace_option__init(&r->namespaces);
    cri__linux_container_security_context__init(&r->security);
    cri__linux_container_config__init(&r->linux_config);
    cri__container_config__init(&r->config);
    cri__pod_sandbox_metadata__init(&r->pod_metadata);
    cri__pod_sandbox_config__init(&r->sandbox_config);
    cri__create_container_request__init(&r->create);
    r->create.config = &r->config;
    r->create.sandbox_config = &r->sandbox_config;
    r->sandbox_config.metadata = &r->pod_metadata;
    r->config.metadata = &r->metadata;
    r->config.linux = &r->linux_config;
    r->linux_config.security_context = &r->security;
    r->security.namespace_options = &r->namespaces;
    init_lists(r);
}

static struct container_request expect_facts(const struct request *r, struct arena *arena)
{
    struct container_request asked;
    struct err err = {0};
    cr_assert_eq(inspect_container(pack(&r->create, arena), arena, &asked, &err), 0, "%s",
                 err.text);
    return asked;
}

Test(inspect_container, reads_who_it_is)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    request_init(&r);
    r.create.pod_sandbox_id = bytes_of("5f0c");
    r.metadata.name = bytes_of("runner");
    r.metadata.attempt = 2;
    r.image.runtime_handler = bytes_of("gvisor");
    r.config.image = &r.image;
    r.pod_metadata.name = bytes_of("build-7");
    r.pod_metadata.namespace_ = bytes_of("agents");
    r.label.key = bytes_of("app");
    r.label.value = bytes_of("db");
    r.sandbox_config.n_labels = 1;
    struct container_request asked = expect_facts(&r, &arena);
    cr_expect(str_eq(asked.sandbox_id, STR("5f0c")));
    cr_expect(str_eq(asked.facts.name, STR("runner")));
    cr_expect_eq(asked.facts.attempt, 2);
    cr_expect(str_eq(asked.image_handler, STR("gvisor")));
    cr_expect(str_eq(asked.pod.name, STR("build-7")));
    cr_expect(str_eq(asked.pod.namespace, STR("agents")));
    cr_expect(str_eq(asked.pod.handler, STR("")));
    const struct str *app = label_set_find(&asked.pod.labels, STR("app"), label_hash(STR("app")));
    cr_expect(app && str_eq(*app, STR("db")));
}

static void expect_nothing(const struct container_facts *facts)
{
    cr_expect(facts->name.data && facts->name.len == 0);
    cr_expect_not(facts->host_network || facts->host_pid || facts->host_ipc || facts->privileged ||
                  facts->user_namespace || facts->selinux);
    cr_expect_eq(facts->device_count, 0);
    cr_expect_null(facts->recursive_read_only.data);
    cr_expect_null(facts->bidirectional.data);
}

Test(inspect_container, knows_what_is_not_there)
{
    OWNED_ARENA struct arena arena = {0};
    static const struct str requests[] = {STR(""), STR("\x12\x00"), STR("\x12\x02\x7a\x00\x1a\x00"),
                                          STR("\x12\x04\x7a\x02\x12\x00"),
                                          STR("\x12\x04\x12\x00\x42\x00")};
    for (size_t i = 0; i < COUNT(requests) - 1; i++) {
        struct container_request asked;
        cr_assert_eq(inspect_container(requests[i], &arena, &asked, NULL), 0);
        cr_expect(asked.sandbox_id.data && asked.image_handler.data && asked.pod.name.data);
        cr_expect_eq(asked.sandbox_id.len + asked.image_handler.len + asked.pod.name.len, 0);
        expect_nothing(&asked.facts);
    }
    struct container_request asked; /* an empty Device is a device all the same */
    cr_assert_eq(inspect_container(requests[COUNT(requests) - 1], &arena, &asked, NULL), 0);
    cr_assert_eq(asked.facts.device_count, 1);
    cr_expect(asked.facts.devices[0].data && asked.facts.devices[0].len == 0);
}

Test(inspect_container, reads_each_namespace)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    request_init(&r);
    for (int network = 0; network < 5; network++) {
        for (int pid = 0; pid < 5; pid++) {
            for (int ipc = 0; ipc < 5; ipc++) {
                r.namespaces.network = network;
                r.namespaces.pid = pid;
                r.namespaces.ipc = ipc;
                struct container_facts facts = expect_facts(&r, &arena).facts;
                cr_expect_eq(facts.host_network, network == CRI__NAMESPACE_MODE__NODE);
                cr_expect_eq(facts.host_pid, pid == CRI__NAMESPACE_MODE__NODE);
                cr_expect_eq(facts.host_ipc, ipc == CRI__NAMESPACE_MODE__NODE);
            }
        }
    }
}

Test(inspect_container, reads_privilege_selinux_and_user_namespaces)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    request_init(&r);
    r.security.selinux_options = &r.selinux_option;
    r.namespaces.userns_options = &r.userns;
    r.userns.mode = CRI__NAMESPACE_MODE__NODE;
    struct container_facts facts = expect_facts(&r, &arena).facts;
    expect_nothing(&facts);
    r.security.privileged = 1;
    r.selinux_option.level = bytes_of("s0:c1");
    r.userns.mode = CRI__NAMESPACE_MODE__POD;
    facts = expect_facts(&r, &arena).facts;
    cr_expect(facts.privileged && facts.selinux && facts.user_namespace);
}

Test(inspect_container, tells_the_first_mount_of_each_kind)
{
    OWNED_ARENA struct arena arena = {0};
    struct request r;
    request_init(&r);
    r.config.n_mounts = 3;
    r.mount_items[0].container_path = bytes_of("/a");
    r.mount_items[0].propagation = CRI__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
    r.mount_items[1].container_path = bytes_of("/b");
    r.mount_items[2].container_path = bytes_of("/c");
    struct container_facts facts = expect_facts(&r, &arena).facts;
    expect_nothing(&facts);
    r.mount_items[1].recursive_read_only = r.mount_items[2].recursive_read_only = 1;
    r.mount_items[2].propagation = CRI__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL;
    facts = expect_facts(&r, &arena).facts;
    cr_expect(str_eq(facts.recursive_read_only, STR("/b")));
    cr_expect(str_eq(facts.bidirectional, STR("/c")));
}

Test(inspect_container, takes_an_unknown_propagation_for_the_strongest)
{
    OWNED_ARENA struct arena arena = {0};
    static const int unknown[] = {3, 7, INT32_MAX, -1};
    struct request r;
    request_init(&r);
    r.config.n_mounts = 1;
    for (size_t i = 0; i < COUNT(unknown); i++) {
        r.mount_items[0].propagation = unknown[i];
        struct container_facts facts = expect_facts(&r, &arena).facts;
        cr_expect(facts.bidirectional.data && facts.bidirectional.len == 0, "%d", unknown[i]);
    }
}

static void expect_devices(const struct container_facts *facts, const char *const *devices,
                           size_t count)
{
    cr_assert_eq(facts->device_count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect(str_eq(facts->devices[i], str_of(devices[i])), "device %zu is %.*s", i,
                  STR_FMT(facts->devices[i]));
}

Test(inspect_container, gathers_devices_from_where_containerd_does)
{
    OWNED_ARENA struct arena arena = {0};
    static const char *const devices[] = {
        "/dev/fuse", "/dev/kvm", "nvidia.com/gpu=0", "vendor.example/nic=a", "vendor.example/nic=b",
    };
    struct request r;
    request_init(&r);
    r.config.n_devices = 2;
    r.device_items[0].host_path = bytes_of("/dev/fuse");
    r.device_items[0].container_path = bytes_of("/dev/other");
    r.device_items[1].container_path = bytes_of("/dev/kvm");
    r.config.n_cdi_devices = 1;
    r.cdi_items[0].name = bytes_of("nvidia.com/gpu=0");
    r.config.n_annotations = 2;
    r.annotation_items[0].key = bytes_of("cdi.k8s.io/nic_plugin");
    r.annotation_items[0].value = bytes_of("vendor.example/nic=a,vendor.example/nic=b");
    r.annotation_items[1].key = bytes_of("cdi.k8s.io.example/x");
    r.annotation_items[1].value = bytes_of("vendor.example/nic=c");
    r.label.key = bytes_of("cdi.k8s.io/pod");
    r.label.value = bytes_of("vendor.example/nic=d");
    r.sandbox_config.annotations = &r.labels; /* the pod's do not count */
    r.sandbox_config.n_annotations = 1;
    struct container_facts facts = expect_facts(&r, &arena).facts;
    expect_devices(&facts, devices, COUNT(devices));
}

Test(inspect_container, splits_names_at_each_comma)
{
    OWNED_ARENA struct arena arena = {0};
    static const struct {
        const char *value;
        const char *names[4];
        size_t count;
    } cases[] = {
        {"", {""}, 1},
        {"a", {"a"}, 1},
        {",", {"", ""}, 2},
        {"a,,b,", {"a", "", "b", ""}, 4},
    };
    struct request r;
    request_init(&r);
    r.config.n_annotations = 1;
    r.annotation_items[0].key = bytes_of("cdi.k8s.io/");
    for (size_t i = 0; i < COUNT(cases); i++) {
        r.annotation_items[0].value = bytes_of(cases[i].value);
        struct container_facts facts = expect_facts(&r, &arena).facts;
        expect_devices(&facts, cases[i].names, cases[i].count);
    }
}

Test(inspect_container, refuses_what_two_decoders_could_read_differently)
{
    static const struct {
        struct str request;
        const char *error;
    } cases[] = {
        {STR("\x0a\x01x\x0a\x01y"), "field pod_sandbox_id: stands twice (byte 3)"},
        {STR("\x12\x00\x12\x00"), "field config: stands twice (byte 2)"},
        {STR("\x12\x04\x7a\x00\x7a\x00"), "field config.linux: stands twice (byte 4)"},
        {STR("\x12\x06\x3a\x04\x40\x01\x40\x00"),
         "field config.mounts.recursive_read_only: stands twice (byte 6)"},
        {STR("\x12\x04\x3a\x02\x40\x02"),
         "field config.mounts.recursive_read_only: 2 is out of its range (byte 4)"},
        {STR("\x12\x08\x3a\x06\x28\x82\x80\x80\x80\x10"),
         "field config.mounts.propagation: 4294967298 is out of its range (byte 4)"},
        {STR("\x12\x07\x42\x05\x12\x03/\0d"),
         "field config.devices.host_path: a NUL in a string (byte 7)"},
        {STR("\x12\x06\x8a\x01\x03\x0a\x01\xff"),
         "field config.CDI_devices.name: a string that is not UTF-8 (byte 7)"},
        {STR("\x12\x02\x38\x00"), "field config.mounts: wire type 0, not 2 (byte 2)"},
        {STR("\x12\x02\x23\x24"), "field config: wire type 3 is not allowed (byte 2)"},
        {STR("\x12\x0a\x52\x03\x0a\x01k\x52\x03\x0a\x01k"),
         "field config.annotations: key \"k\" stands twice"},
        {STR("\x1a\x0a\x32\x03\x0a\x01k\x32\x03\x0a\x01k"),
         "field sandbox_config.labels: key \"k\" stands twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_ARENA struct arena arena = {0};
        struct container_request asked;
        struct err err = {0};
        cr_expect_eq(inspect_container(cases[i].request, &arena, &asked, &err), -1);
        cr_expect_str_eq(err.text, cases[i].error);
    }
}

/* env, args and host paths are not the gate's: any bytes, and none of them in an error. */
Test(inspect_container, leaves_alone_what_it_does_not_judge)
{
    OWNED_ARENA struct arena arena = {0};
    struct container_request asked;
    struct err err = {0};
    struct str odd = STR("\x12\x13\x32\x08\x0a\x01T\x12\x03\x00\xff\xfe\x22\x01\xff\x3a\x04\x12\x02"
                         "\xff\x00");
    cr_expect_eq(inspect_container(odd, &arena, &asked, &err), 0, "%s", err.text);
    struct str broken = STR("\x12\x0a\x32\x05\x12\x03key\x3a\x7f\x00");
    cr_expect_eq(inspect_container(broken, &arena, &asked, &err), -1);
    cr_expect_null(strstr(err.text, "key"), "%s", err.text);
}

Test(inspect_container, refuses_more_than_16_mib)
{
    OWNED_ARENA struct arena arena = {0};
    struct container_request asked;
    struct err err = {0};
    struct str large = {.data = calloc(1, METHOD_REQUEST_MAX + 1), .len = METHOD_REQUEST_MAX + 1};
    cr_expect_eq(inspect_container(large, &arena, &asked, &err), -1);
    cr_expect_str_eq(err.text, "request: 16777217 bytes, more than 16777216");
    free((char *)large.data);
}

Test(inspect_container, reads_the_containers_of_a_restore)
{
    OWNED_ARENA struct arena arena = {0};
    struct request first, second;
    Cri__RestorePodRequest restore = CRI__RESTORE_POD_REQUEST__INIT;
    Cri__ContainerConfig *configs[] = {&first.config, &second.config};
    struct pod_facts pod;
    struct inspect_span span;
    request_init(&first);
    request_init(&second);
    first.metadata.name = bytes_of("one");
    second.metadata.name = bytes_of("two");
    second.security.privileged = 1;
    second.config.n_devices = 1;
    second.device_items[0].host_path = bytes_of("/dev/kvm");
    restore.container_configs = configs;
    restore.n_container_configs = 2;
    struct str request = pack(&restore, &arena);
    cr_assert_eq(inspect_pod(INSPECT_RESTORE_POD, request, &arena, &pod, &span, NULL), 0);
    cr_assert_eq(pod.container_count, 2);
    cr_expect(str_eq(pod.containers[0].name, STR("one")));
    cr_expect_not(pod.containers[0].privileged);
    cr_expect(str_eq(pod.containers[1].name, STR("two")));
    cr_expect(pod.containers[1].privileged);
    cr_assert_eq(pod.containers[1].device_count, 1);
    cr_expect(str_eq(pod.containers[1].devices[0], STR("/dev/kvm")));

    struct err err = {0};
    request = STR("\x2a\x0a\x52\x03\x0a\x01k\x52\x03\x0a\x01k");
    cr_expect_eq(inspect_pod(INSPECT_RESTORE_POD, request, &arena, &pod, &span, &err), -1);
    cr_expect_str_eq(err.text, "field container_configs.annotations: key \"k\" stands twice");
    request = STR("\x2a\x04\x7a\x00\x7a\x00");
    cr_expect_eq(inspect_pod(INSPECT_RESTORE_POD, request, &arena, &pod, &span, &err), -1);
    cr_expect_str_eq(err.text, "field container_configs.linux: stands twice (byte 4)");
}

Test(inspect_container, puts_a_sandbox_in_the_place_of_the_other)
{
    OWNED_ARENA struct arena arena = {0};
    struct err err = {0};
    struct str got;
    cr_assert_eq(inspect_container_put_sandbox(STR("\x1a\x00\x0a\x01"
                                                   "5\x12\x00"),
                                               STR("5f0c"), &arena, &got, &err),
                 0);
    cr_expect(str_eq(got, STR("\x1a\x00\x0a\x04"
                              "5f0c\x12\x00")));
    cr_assert_eq(inspect_container_put_sandbox(STR("\x0a\x00"), STR("5f0c"), &arena, &got, &err),
                 0);
    cr_expect(str_eq(got, STR("\x0a\x04"
                              "5f0c")));
    cr_expect_eq(inspect_container_put_sandbox(STR("\x1a\x00"), STR("5f0c"), &arena, &got, &err),
                 -1);
    cr_expect_str_eq(err.text, "request: no pod_sandbox_id to replace");
}

Test(inspect_container, reads_the_container_id_of_a_reply)
{
    cr_expect(str_eq(inspect_container_id(STR("\x0a\x02id\x78\x01")), STR("id")));
    cr_expect(str_eq(inspect_container_id(STR("\x0a\x02i")), STR("")));
}

static void randomize(struct request *r, struct arena *arena)
{
    r->config.n_mounts = below(4);
    r->config.n_devices = below(4);
    r->config.n_cdi_devices = below(3);
    r->security.privileged = (int)below(2);
    r->namespaces.pid = below(4);
    for (size_t i = 0; i < COUNT(r->mounts); i++) {
        r->mount_items[i].recursive_read_only = (int)below(2);
        r->mount_items[i].propagation = below(3);
        add_unknown(&r->mount_items[i].base, arena);
        add_unknown(&r->device_items[i].base, arena);
    }
    add_unknown(&r->config.base, arena);
    add_unknown(&r->security.base, arena);
    add_unknown(&r->create.base, arena);
}

static void expect_counts(const struct container_facts *facts, const Cri__ContainerConfig *config)
{
    bool recursive = false, bidirectional = false;
    for (size_t i = 0; i < config->n_mounts; i++) {
        recursive |= config->mounts[i]->recursive_read_only;
        bidirectional |= config->mounts[i]->propagation > 1;
    }
    cr_assert_eq(facts->device_count, config->n_devices + config->n_cdi_devices);
    cr_assert_eq(facts->recursive_read_only.data != NULL, recursive);
    cr_assert_eq(facts->bidirectional.data != NULL, bidirectional);
    cr_assert_eq(facts->privileged, config->linux->security_context->privileged);
    cr_assert_eq(facts->host_pid, config->linux->security_context->namespace_options->pid ==
                                      CRI__NAMESPACE_MODE__NODE);
}

/* As made, and then with one bit flipped: taken or refused, what is taken protobuf-c takes too. */
Test(inspect_container, reads_what_is_made_at_random)
{
    size_t taken = 0, refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        OWNED_ARENA struct arena arena = {0};
        struct request r;
        struct container_request asked;
        request_init(&r);
        randomize(&r, &arena);
        struct container_facts facts = expect_facts(&r, &arena).facts;
        expect_counts(&facts, &r.config);
        struct str flipped = pack(&r.create, &arena);
        ((char *)flipped.data)[below((uint32_t)flipped.len)] ^= (char)(1u << below(8));
        if (inspect_container(flipped, &arena, &asked, NULL) < 0) {
            refused++;
            continue;
        }
        taken++;
        Cri__CreateContainerRequest *decoded =
            cri__create_container_request__unpack(NULL, flipped.len, (const uint8_t *)flipped.data);
        cr_assert_not_null(decoded, "round %d", round);
        cri__create_container_request__free_unpacked(decoded, NULL);
    }
    cr_expect(taken > ROUNDS / 20 && refused > ROUNDS / 20, "%zu taken, %zu refused", taken,
              refused);
}
