/* SPDX-License-Identifier: Apache-2.0 */
/* What a method's path means: which services pass, what is judged, and paths that only look right.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "gate/method.h"

static enum method_kind kind_of(const char *path)
{
    return method_classify(str_of(path));
}

Test(method, judges_what_picks_a_runtime_in_both_versions)
{
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/RunPodSandbox"), METHOD_RUN_POD_SANDBOX);
    cr_assert_eq(kind_of("/runtime.v1alpha2.RuntimeService/RunPodSandbox"), METHOD_RUN_POD_SANDBOX);
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/RestorePod"), METHOD_RESTORE_POD);
    cr_assert_eq(kind_of("/runtime.v1alpha2.RuntimeService/RestorePod"), METHOD_RESTORE_POD);
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/CreateContainer"), METHOD_CREATE_CONTAINER);
    cr_assert_eq(kind_of("/runtime.v1alpha2.RuntimeService/CreateContainer"),
                 METHOD_CREATE_CONTAINER);
}

Test(method, knows_where_runtimes_are_named)
{
    static const char *const versions[] = {"v1", "v1alpha2"};
    static const struct {
        const char *name;
        enum method_kind kind;
    } methods[] = {
        {"RuntimeService/Status", METHOD_STATUS},
        {"RuntimeService/RemovePodSandbox", METHOD_REMOVE_POD_SANDBOX},
        {"ImageService/PullImage", METHOD_IMAGE},
        {"ImageService/ImageStatus", METHOD_IMAGE},
        {"ImageService/RemoveImage", METHOD_IMAGE},
        {"ImageService/ListImages", METHOD_LIST_IMAGES},
    };
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof(methods) / sizeof(methods[0]); j++) {
            char path[128];
            snprintf(path, sizeof(path), "/runtime.%s.%s", versions[i], methods[j].name);
            cr_assert_eq(kind_of(path), methods[j].kind, "%s", path);
        }
    }
}

Test(method, knows_unary_methods_and_relays_the_rest_in_full_duplex)
{
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/Version"), METHOD_UNARY);
    cr_assert_eq(kind_of("/runtime.v1alpha2.ImageService/ImageFsInfo"), METHOD_UNARY);
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/GetContainerEvents"), METHOD_DUPLEX);
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/NotKnownYet"), METHOD_DUPLEX);
    cr_assert_eq(kind_of("/grpc.health.v1.Health/Watch"), METHOD_DUPLEX);
}

Test(method, lets_no_other_service_pass)
{
    static const char *const foreign[] = {
        "",
        "/",
        "/containerd.services.containers.v1.Containers/List",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/runtime.v2.RuntimeService/RunPodSandbox",
        "/runtime.v1.RuntimeServiceX/Version",
        "/Runtime.v1.RuntimeService/Version",
        "/runtime.v1.RuntimeService",
        "runtime.v1.RuntimeService/RunPodSandbox",
        "//runtime.v1.RuntimeService/RunPodSandbox",
        "/runtime.v1.RuntimeService/x/RunPodSandbox",
        "/runtime.v1.RuntimeService//RunPodSandbox",
    };
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        cr_assert_eq(kind_of(foreign[i]), METHOD_FOREIGN, "%s passes", foreign[i]);
}

/* grpc-go compares the method's name byte by byte, so these are other methods, which containerd
 * does not have. */
Test(method, does_not_take_a_neighbour_for_a_judged_method)
{
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/runPodSandbox"), METHOD_DUPLEX);
    cr_assert_eq(kind_of("/runtime.v1.RuntimeService/RunPodSandbox "), METHOD_DUPLEX);
    cr_assert_eq(method_classify((struct str){"/runtime.v1.RuntimeService/RunPodSandbox\0", 41}),
                 METHOD_DUPLEX);
}

Test(method, table_and_classification_agree)
{
    size_t count;
    const struct method *table = method_table(&count);
    cr_assert_gt(count, 60);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(kind_of(table[i].path), table[i].kind, "%s", table[i].path);
        cr_assert_neq(table[i].kind, METHOD_FOREIGN);
        cr_assert_neq(table[i].kind, METHOD_DUPLEX);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(table[i].path, table[j].path);
    }
}
