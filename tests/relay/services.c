/* SPDX-License-Identifier: Apache-2.0 */
/* Which services go through: CRI's four and health, methods known or not; nothing else. */
#include <stdio.h>
#include <string.h>

#include "scene.h"

static const char *const services[] = {
    "/runtime.v1.RuntimeService/",       "/runtime.v1.ImageService/",
    "/runtime.v1alpha2.RuntimeService/", "/runtime.v1alpha2.ImageService/",
    "/grpc.health.v1.Health/",
};

static void expect_echo(struct scene *scene, const char *service, const char *name)
{
    char method[128];
    grpc_slice reply;
    snprintf(method, sizeof(method), "%s%s", service, name);
    cr_assert_eq(call_unary(&scene->client, method, "fake-echo: 1\n", "bytes", 5, &reply),
                 GRPC_STATUS_OK, "%s", method);
    cr_assert_eq(grpc_slice_str_cmp(reply, "bytes"), 0, "%s", method);
    grpc_slice_unref(reply);
}

BOTH(serves_known_and_unknown_methods)
{
    static const char *const names[] = {"Status", "Check",         "InventedLater",
                                        "x",      "runPodSandbox", "RunPodSandbox2"};
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
        for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
            expect_echo(scene, services[i], names[j]);
    }
}

GATE(refuses_other_services)
{
    static const char *const methods[] = {
        "/containerd.services.containers.v1.Containers/List",
        "/containerd.services.tasks.v1.Tasks/Create",
        "/containerd.runtime.sandbox.v1.Sandbox/CreateSandbox",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/grpc.health.v1.Healthy/Check",
        "/runtime.v1.RuntimeService/RunPodSandbox/x",
        "/runtime.v1.RuntimeService//RunPodSandbox",
        "//runtime.v1.RuntimeService/RunPodSandbox",
        "/./runtime.v1.RuntimeService/RunPodSandbox",
        "/runtime.v1.runtimeservice/RunPodSandbox",
        "/runtime.v1.RuntimeService%2fRunPodSandbox",
        "/runtime.v1.RuntimeServices/RunPodSandbox",
        "/runtime.v1.RuntimeService",
        "/runtime.v2.RuntimeService/RunPodSandbox",
        "/RuntimeService/RunPodSandbox",
        "/",
        "//",
    };
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        cr_assert_eq(call_unary(&scene->client, methods[i], "fake-echo: 1\n", "x", 1, NULL),
                     GRPC_STATUS_UNIMPLEMENTED, "%s", methods[i]);
        cr_assert_eq(scene_saw(scene, methods[i], "calls"), 0, "%s went through", methods[i]);
    }
    scene_wait_audit(scene, "service.refused", "containerd.services.containers.v1.Containers");
    scene_wait_audit(scene, "service.refused", "serviceNotAllowed");
}
