/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: from the server, from the client, both at once; half-close; nothing piles up. */
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"
#include "scene.h"

#define UNKNOWN SERVICE "InventedLater"

static uint64_t index_of(grpc_slice message)
{
    uint64_t index = 0;
    cr_assert_geq(GRPC_SLICE_LENGTH(message), sizeof(index));
    for (size_t i = 0; i < sizeof(index); i++)
        index |= (uint64_t)GRPC_SLICE_START_PTR(message)[i] << (8 * i);
    return index;
}

/* Reads `count` messages of `size` bytes, in order. */
static void expect_stream(struct rpc *rpc, uint64_t count, size_t size)
{
    unsigned char block[FAKE_PATTERN_LEN];
    fake_pattern(block);
    for (uint64_t i = 0; i < count; i++) {
        grpc_slice message;
        cr_assert(rpc_receive(rpc, &message), "the stream ends at message %" PRIu64, i);
        cr_assert_eq(GRPC_SLICE_LENGTH(message), size);
        if (size >= sizeof(uint64_t)) {
            cr_assert_eq(index_of(message), i, "message %" PRIu64 " is out of order", i);
            size_t rest = size - 8 < FAKE_PATTERN_LEN ? size - 8 : FAKE_PATTERN_LEN;
            cr_assert_eq(memcmp(GRPC_SLICE_START_PTR(message) + 8, block, rest), 0);
        }
        grpc_slice_unref(message);
    }
}

static void expect_end(struct rpc *rpc, grpc_status_code code)
{
    grpc_slice message;
    cr_assert(!rpc_receive(rpc, &message), "a message too many");
    cr_assert_eq(rpc_finish(rpc), code);
    rpc_free(rpc);
}

static void start_stream(struct scene *scene, struct rpc *rpc, const char *headers)
{
    rpc_start(rpc, &scene->client, SERVICE "GetContainerEvents", headers, NULL, NO_DEADLINE);
    rpc_send(rpc, "", 0);
    rpc_half_close(rpc);
}

BOTH(streams_many_messages)
{
    struct rpc rpc;
    start_stream(scene, &rpc, "fake-stream: 10000x300\n");
    expect_stream(&rpc, 10000, 300);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(streams_large_messages)
{
    struct rpc rpc;
    start_stream(scene, &rpc, "fake-stream: 8x5000000\n");
    expect_stream(&rpc, 8, 5000000);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(streams_nothing)
{
    struct rpc rpc;
    start_stream(scene, &rpc, "fake-stream: 0x0\n");
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(streams_empty_messages)
{
    struct rpc rpc;
    start_stream(scene, &rpc, "fake-stream: 100x0\n");
    expect_stream(&rpc, 100, 0);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(ends_a_stream_with_an_error)
{
    struct rpc rpc;
    start_stream(scene, &rpc, "fake-stream: 10x10\nfake-status: 14\n");
    expect_stream(&rpc, 10, 10);
    expect_end(&rpc, GRPC_STATUS_UNAVAILABLE);
}

/* Sends and gets back `count` messages, one at a time. */
static void play_ping_pong(struct rpc *rpc, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        grpc_slice message;
        cr_assert(rpc_send(rpc, &i, sizeof(i)));
        cr_assert(rpc_receive(rpc, &message), "no answer before half-close");
        cr_assert(grpc_slice_buf_start_eq(message, &i, sizeof(i)));
        grpc_slice_unref(message);
    }
}

BOTH(talks_both_ways_before_and_after_half_close)
{
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, UNKNOWN, "fake-echo: 1\nfake-stream: 50x20\n", NULL,
              NO_DEADLINE);
    play_ping_pong(&rpc, 50);
    rpc_half_close(&rpc);
    expect_stream(&rpc, 50, 20);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(talks_both_ways_with_large_messages)
{
    static unsigned char block[FAKE_PATTERN_LEN * 16];
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, UNKNOWN, "fake-echo: 1\n", NULL, NO_DEADLINE);
    for (size_t i = 0; i < sizeof(block); i += FAKE_PATTERN_LEN)
        fake_pattern(block + i);
    for (int i = 0; i < 10; i++) {
        grpc_slice message;
        rpc_send_start(&rpc, block, sizeof(block));
        cr_assert(rpc_receive(&rpc, &message));
        cr_assert_eq(GRPC_SLICE_LENGTH(message), sizeof(block));
        cr_assert_eq(memcmp(GRPC_SLICE_START_PTR(message), block, sizeof(block)), 0);
        grpc_slice_unref(message);
    }
    rpc_half_close(&rpc);
    expect_end(&rpc, GRPC_STATUS_OK);
}

/* Sends `count` messages of 3 bytes, half-closes, and looks for `line` in the fake's report. */
static void expect_collected(struct scene *scene, int count, const char *line)
{
    struct rpc rpc;
    grpc_slice reply;
    rpc_start(&rpc, &scene->client, UNKNOWN, "fake-report: 1\n", NULL, NO_DEADLINE);
    for (int i = 0; i < count; i++)
        cr_assert(rpc_send(&rpc, "abc", 3));
    rpc_half_close(&rpc);
    cr_assert(rpc_receive(&rpc, &reply));
    char *text = grpc_slice_to_c_string(reply);
    cr_assert(strstr(text, line), "%s", text);
    gpr_free(text);
    grpc_slice_unref(reply);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(takes_a_stream_from_the_client)
{
    expect_collected(scene, 1000, "messages 1000\nbytes 3000\nhalf-closed 1\n");
}

BOTH(takes_a_half_close_without_a_message)
{
    expect_collected(scene, 0, "messages 0\nbytes 0\nhalf-closed 1\n");
}

BOTH(answers_before_half_close)
{
    struct rpc rpc;
    grpc_slice reply;
    rpc_start(&rpc, &scene->client, UNKNOWN, "fake-reply-size: 10\n", NULL, NO_DEADLINE);
    cr_assert(rpc_send(&rpc, "x", 1));
    cr_assert(rpc_receive(&rpc, &reply), "the answer does not wait for a half-close");
    cr_assert_eq(GRPC_SLICE_LENGTH(reply), 10);
    grpc_slice_unref(reply);
    expect_end(&rpc, GRPC_STATUS_OK);
}

BOTH(holds_back_a_client_that_nobody_reads)
{
    static const unsigned char block[65536];
    const size_t most = 32 * 1024 * 1024;
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, UNKNOWN, "fake-hang: 1\n", NULL, NO_DEADLINE);
    size_t sent = 0;
    bool taken = true;
    for (; taken && sent < most; sent += sizeof(block)) {
        rpc_send_start(&rpc, block, sizeof(block));
        taken = rpc_sent_within(&rpc, 1000);
    }
    printf("%zu KiB taken for a containerd that does not read\n", sent / 1024);
    cr_assert_lt(sent, most, "the messages pile up");
    rpc_free(&rpc);
}
