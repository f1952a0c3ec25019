/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CreateContainer: the facts are those that protobuf-c's own reading gives. */
#include "gate/inspect_container.h"

#include "gate/inspect_image.h"
#include "gate/method.h"
#include "inspect_fuzz.h"

static void check_mounts(const struct container_facts *facts, const Cri__ContainerConfig *config)
{
    const Cri__Mount *recursive = NULL, *bidirectional = NULL;
    for (size_t i = config->n_mounts; i-- > 0;) {
        if (config->mounts[i]->recursive_read_only)
            recursive = config->mounts[i];
        if (config->mounts[i]->propagation < 0 || config->mounts[i]->propagation > 1)
            bidirectional = config->mounts[i];
    }
    REQUIRE(!recursive == !facts->recursive_read_only.data);
    REQUIRE(!recursive || same(facts->recursive_read_only, recursive->container_path));
    REQUIRE(!bidirectional == !facts->bidirectional.data);
    REQUIRE(!bidirectional || same(facts->bidirectional, bidirectional->container_path));
}

static void check_devices(const struct container_facts *facts, const Cri__ContainerConfig *config)
{
    size_t own = config->n_devices, named = config->n_cdi_devices;
    REQUIRE(facts->device_count >= own + named);
    REQUIRE(config->n_annotations > 0 || facts->device_count == own + named);
    for (size_t i = 0; i < facts->device_count; i++)
        touch(facts->devices[i]);
    for (size_t i = 0; i < named; i++)
        REQUIRE(same(facts->devices[own + i], config->cdi_devices[i]->name));
}

static void check_facts(const struct container_request *asked, struct str request)
{
    static const Cri__ContainerConfig none = CRI__CONTAINER_CONFIG__INIT;
    Cri__CreateContainerRequest *create =
        cri__create_container_request__unpack(NULL, request.len, (const uint8_t *)request.data);
    REQUIRE(create && same(asked->sandbox_id, create->pod_sandbox_id));
    const Cri__ContainerConfig *config = create->config ? create->config : &none;
    if (config->metadata)
        REQUIRE(same(asked->facts.name, config->metadata->name));
    bool privileged = config->linux && config->linux->security_context &&
                      config->linux->security_context->privileged;
    REQUIRE(asked->facts.privileged == privileged);
    check_mounts(&asked->facts, config);
    check_devices(&asked->facts, config);
    cri__create_container_request__free_unpacked(create, NULL);
}

/* The way to the image that looks at nothing else finds what the whole reading finds. */
static void check_image(const struct container_request *asked, struct str request)
{
    struct str handler;
    REQUIRE(inspect_image(IMAGE_IN_CONTAINER, request, &handler, NULL) == 0);
    REQUIRE(str_eq(handler, asked->image_handler));
}

/* Another sandbox's id changes nothing else. */
static void check_whole_id(const struct container_request *asked, struct str request)
{
    OWNED_ARENA struct arena arena = {0};
    struct container_request again;
    struct str changed, back;
    if (inspect_container_put_sandbox(request, STR("5f0c"), &arena, &changed, NULL) < 0) {
        REQUIRE(asked->sandbox_id.len == 0);
        return;
    }
    if (changed.len > METHOD_REQUEST_MAX)
        return;
    REQUIRE(inspect_container(changed, &arena, &again, NULL) == 0);
    REQUIRE(str_eq(again.sandbox_id, STR("5f0c")));
    REQUIRE(str_eq(again.facts.name, asked->facts.name));
    REQUIRE(again.facts.device_count == asked->facts.device_count);
    REQUIRE(inspect_container_put_sandbox(changed, asked->sandbox_id, &arena, &back, NULL) == 0);
    REQUIRE(back.len <= request.len);
}

void fuzz_container(struct str message)
{
    OWNED_ARENA struct arena arena = {0};
    struct container_request asked;
    struct err err = {0};
    touch(inspect_container_id(message));
    int result = inspect_container(message, &arena, &asked, &err);
    check_error(result, err.text);
    touch(asked.sandbox_id);
    touch(asked.facts.name);
    touch(asked.pod.name);
    if (result < 0)
        return;
    check_facts(&asked, message);
    check_image(&asked, message);
    check_whole_id(&asked, message);
}
