/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of methods. Names from the CRI's api.proto, runtime.v1 and runtime.v1alpha2: every RPC
 * that picks or names a runtime has a kind of its own, server-streaming ones are left out and go in
 * full duplex.
 */
#include "gate/method.h"

#define RUNTIME(version, name, kind)                      \
    {                                                     \
        "/runtime." version ".RuntimeService/" name, kind \
    }
#define IMAGE(version, name, kind)                      \
    {                                                   \
        "/runtime." version ".ImageService/" name, kind \
    }

#define METHODS_OF(version)                                                                      \
    RUNTIME(version, "RunPodSandbox", METHOD_RUN_POD_SANDBOX),                                   \
        RUNTIME(version, "RestorePod", METHOD_RESTORE_POD),                                      \
        RUNTIME(version, "Version", METHOD_UNARY), RUNTIME(version, "Status", METHOD_STATUS),    \
        RUNTIME(version, "RuntimeConfig", METHOD_UNARY),                                         \
        RUNTIME(version, "UpdateRuntimeConfig", METHOD_UNARY),                                   \
        RUNTIME(version, "StopPodSandbox", METHOD_UNARY),                                        \
        RUNTIME(version, "RemovePodSandbox", METHOD_REMOVE_POD_SANDBOX),                         \
        RUNTIME(version, "PodSandboxStatus", METHOD_UNARY),                                      \
        RUNTIME(version, "ListPodSandbox", METHOD_UNARY),                                        \
        RUNTIME(version, "PodSandboxStats", METHOD_UNARY),                                       \
        RUNTIME(version, "ListPodSandboxStats", METHOD_UNARY),                                   \
        RUNTIME(version, "ListPodSandboxMetrics", METHOD_UNARY),                                 \
        RUNTIME(version, "ListMetricDescriptors", METHOD_UNARY),                                 \
        RUNTIME(version, "UpdatePodSandboxResources", METHOD_UNARY),                             \
        RUNTIME(version, "CreateContainer", METHOD_CREATE_CONTAINER),                            \
        RUNTIME(version, "StartContainer", METHOD_UNARY),                                        \
        RUNTIME(version, "StopContainer", METHOD_UNARY),                                         \
        RUNTIME(version, "RemoveContainer", METHOD_UNARY),                                       \
        RUNTIME(version, "ListContainers", METHOD_UNARY),                                        \
        RUNTIME(version, "ContainerStatus", METHOD_UNARY),                                       \
        RUNTIME(version, "ContainerStats", METHOD_UNARY),                                        \
        RUNTIME(version, "ListContainerStats", METHOD_UNARY),                                    \
        RUNTIME(version, "UpdateContainerResources", METHOD_UNARY),                              \
        RUNTIME(version, "ReopenContainerLog", METHOD_UNARY),                                    \
        RUNTIME(version, "CheckpointContainer", METHOD_UNARY),                                   \
        RUNTIME(version, "ExecSync", METHOD_UNARY), RUNTIME(version, "Exec", METHOD_UNARY),      \
        RUNTIME(version, "Attach", METHOD_UNARY), RUNTIME(version, "PortForward", METHOD_UNARY), \
        IMAGE(version, "ListImages", METHOD_LIST_IMAGES),                                        \
        IMAGE(version, "ImageStatus", METHOD_IMAGE), IMAGE(version, "PullImage", METHOD_IMAGE),  \
        IMAGE(version, "RemoveImage", METHOD_IMAGE), IMAGE(version, "ImageFsInfo", METHOD_UNARY)

static const struct method methods[] = {METHODS_OF("v1"), METHODS_OF("v1alpha2")};

/* With both slashes, so that no other service begins alike. */
static const char *const services[] = {
    "/runtime.v1.RuntimeService/",       "/runtime.v1.ImageService/",
    "/runtime.v1alpha2.RuntimeService/", "/runtime.v1alpha2.ImageService/",
    "/grpc.health.v1.Health/",
};

const struct method *method_table(size_t *count)
{
    *count = sizeof(methods) / sizeof(methods[0]);
    return methods;
}

enum method_kind method_classify(struct str path)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (str_eq(path, str_of(methods[i].path)))
            return methods[i].kind;
    }
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        struct str service = str_of(services[i]);
        /* grpc-go splits at the last slash: another one would name another service. */
        if (str_starts(path, service) &&
            !memchr(path.data + service.len, '/', path.len - service.len))
            return METHOD_DUPLEX;
    }
    return METHOD_FOREIGN;
}
