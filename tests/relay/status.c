/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes, messages and details go through untouched. */
#include <stdio.h>
#include <string.h>

#include "fake.h"
#include "memory.h"
#include "scene.h"

BOTH(passes_every_code)
{
    for (int code = 0; code <= 16; code++) {
        char headers[128], text[64];
        snprintf(text, sizeof(text), "containerd says %d", code);
        snprintf(headers, sizeof(headers), "fake-status: %d\nfake-message: %s\n", code, text);
        struct rpc rpc;
        cr_assert_eq(
            rpc_unary(&rpc, &scene->client, SERVICE "StopPodSandbox", headers, "", 0, NULL),
            (grpc_status_code)code);
        cr_assert_eq(grpc_slice_str_cmp(rpc.message, text), 0, "code %d: another message", code);
        rpc_free(&rpc);
    }
}

static void expect_message_of(struct scene *scene, size_t size)
{
    char headers[128];
    snprintf(headers, sizeof(headers), "fake-status: 2\nfake-message-size: %zu\n", size);
    struct rpc rpc;
    cr_assert_eq(rpc_unary(&rpc, &scene->client, SERVICE "Status", headers, "x", 1, NULL),
                 GRPC_STATUS_UNKNOWN);
    char *want = must_calloc(size, 1);
    fake_message(want, size);
    cr_assert_eq(GRPC_SLICE_LENGTH(rpc.message), size, "a message of %zu bytes, not %zu",
                 GRPC_SLICE_LENGTH(rpc.message), size);
    cr_assert_eq(memcmp(GRPC_SLICE_START_PTR(rpc.message), want, size), 0);
    free(want);
    rpc_free(&rpc);
}

BOTH(passes_status_messages_of_any_size)
{
    static const size_t sizes[] = {1, 40, 9000, 64 * 1024, 200 * 1024};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        expect_message_of(scene, sizes[i]);
}

BOTH(passes_status_details)
{
    char details[4096];
    for (size_t i = 0; i < sizeof(details); i++)
        details[i] = (char)i;
    const struct header more[] = {{"fake-details-bin", details, sizeof(details)}, {0}};
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, SERVICE "Status", "fake-status: 9\n", more, NO_DEADLINE);
    rpc_send(&rpc, "x", 1);
    rpc_half_close(&rpc);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_FAILED_PRECONDITION);
    cr_assert_eq(metadata_count(&rpc.trailing, "grpc-status-details-bin", details, sizeof(details)),
                 1);
    rpc_free(&rpc);
}

BOTH(passes_a_reply_and_then_an_error)
{
    struct rpc rpc;
    grpc_slice reply;
    cr_assert_eq(rpc_unary(&rpc, &scene->client, SERVICE "Status",
                           "fake-reply-size: 100\nfake-status: 13\nfake-message: broke\n", "", 0,
                           &reply),
                 GRPC_STATUS_INTERNAL);
    cr_assert_eq(GRPC_SLICE_LENGTH(reply), 100);
    cr_assert_eq(grpc_slice_str_cmp(rpc.message, "broke"), 0);
    grpc_slice_unref(reply);
    rpc_free(&rpc);
}
