/* SPDX-License-Identifier: Apache-2.0 */
/* Payload bytes go through untouched, from none to the largest. */
#include <string.h>

#include "fake.h"
#include "memory.h"
#include "scene.h"

#define MIB ((size_t)1024 * 1024)

/* `size` bytes that repeat the pattern; the caller frees them. */
static unsigned char *patterned(size_t size)
{
    unsigned char block[FAKE_PATTERN_LEN];
    fake_pattern(block);
    unsigned char *bytes = must_calloc(size, 1);
    for (size_t at = 0; at < size; at += FAKE_PATTERN_LEN)
        memcpy(bytes + at, block, size - at < FAKE_PATTERN_LEN ? size - at : FAKE_PATTERN_LEN);
    return bytes;
}

static void expect_bytes(grpc_slice got, const unsigned char *want, size_t size)
{
    cr_assert_eq(GRPC_SLICE_LENGTH(got), size, "%zu bytes, not %zu", GRPC_SLICE_LENGTH(got), size);
    cr_assert_eq(memcmp(GRPC_SLICE_START_PTR(got), want, size), 0, "other bytes");
}

static void expect_echo(struct scene *scene, size_t size)
{
    unsigned char *bytes = patterned(size);
    grpc_slice reply;
    cr_assert_eq(
        call_unary(&scene->client, SERVICE "Status", "fake-echo: 1\n", bytes, size, &reply),
        GRPC_STATUS_OK);
    expect_bytes(reply, bytes, size);
    grpc_slice_unref(reply);
    free(bytes);
}

BOTH(echoes_no_byte)
{
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, SERVICE "Version", "fake-echo: 1\n", NULL, NO_DEADLINE);
    rpc_send(&rpc, "", 0);
    rpc_half_close(&rpc);
    grpc_slice reply;
    cr_assert(rpc_receive(&rpc, &reply), "a message of no bytes is a message");
    cr_assert_eq(GRPC_SLICE_LENGTH(reply), 0);
    grpc_slice_unref(reply);
    cr_assert(!rpc_receive(&rpc, &reply));
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
}

BOTH(echoes_one_byte)
{
    expect_echo(scene, 1);
}

BOTH(echoes_sizes_around_a_frame)
{
    for (size_t size = 16384 - 8; size <= 16384 + 8; size++)
        expect_echo(scene, size);
}

BOTH(takes_a_request_of_15_mib)
{
    unsigned char *bytes = patterned(15 * MIB);
    grpc_slice reply;
    cr_assert_eq(call_unary(&scene->client, SERVICE "ExecSync", "fake-reply-size: 3\n", bytes,
                            15 * MIB, &reply),
                 GRPC_STATUS_OK);
    expect_bytes(reply, bytes, 3);
    grpc_slice_unref(reply);
    grpc_slice last = scene_last(scene, SERVICE "ExecSync");
    expect_bytes(last, bytes, 15 * MIB);
    grpc_slice_unref(last);
    free(bytes);
}

BOTH(gives_a_reply_of_64_mib)
{
    unsigned char *bytes = patterned(64 * MIB);
    grpc_slice reply;
    cr_assert_eq(call_unary(&scene->client, SERVICE "ListContainers", "fake-reply-size: 67108864\n",
                            "", 0, &reply),
                 GRPC_STATUS_OK);
    expect_bytes(reply, bytes, 64 * MIB);
    grpc_slice_unref(reply);
    free(bytes);
}

BOTH(lists_500_containers)
{
    grpc_slice reply, again;
    cr_assert_eq(call_unary(&scene->client, SERVICE "ListContainers", "", "", 0, &reply),
                 GRPC_STATUS_OK);
    cr_assert_eq(call_unary(&scene->witness, SERVICE "ListContainers", "", "", 0, &again),
                 GRPC_STATUS_OK);
    cr_assert_gt(GRPC_SLICE_LENGTH(reply), 200 * 1000);
    cr_assert(grpc_slice_eq(reply, again));
    grpc_slice_unref(reply);
    grpc_slice_unref(again);
}
