/* SPDX-License-Identifier: Apache-2.0 */
/* How calls end early: deadlines, cancellation from either side, connections that break. */
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define SOON_NS 1000000000ull
#define METHOD SERVICE "ExecSync"
#define STREAM SERVICE "GetContainerEvents"

/* The deadline in ms that the fake was told; -1: none. */
static long deadline_seen(struct scene *scene, int timeout_ms)
{
    struct rpc rpc;
    grpc_slice reply;
    rpc_start(&rpc, &scene->client, METHOD, "fake-report: 1\n", NULL, timeout_ms);
    rpc_send(&rpc, "", 0);
    rpc_half_close(&rpc);
    cr_assert(rpc_receive(&rpc, &reply));
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    char *text = grpc_slice_to_c_string(reply);
    grpc_slice_unref(reply);
    rpc_free(&rpc);
    const char *at = strstr(text, "deadline-ms ");
    cr_assert_not_null(at);
    at += strlen("deadline-ms ");
    long seen = strncmp(at, "none", 4) == 0 ? -1 : strtol(at, NULL, 10);
    gpr_free(text);
    return seen;
}

BOTH(passes_deadlines)
{
    static const int timeouts[] = {3000, 30000, 240000};
    cr_assert_eq(deadline_seen(scene, NO_DEADLINE), -1);
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(*timeouts); i++) {
        long seen = deadline_seen(scene, timeouts[i]);
        printf("deadline of %d ms: %ld ms left at containerd\n", timeouts[i], seen);
        /* gRPC rounds a long timeout up on the wire, by as much as 1 % */
        long most = timeouts[i] + timeouts[i] / 100 * (scene->gate ? 2 : 1) + 50;
        cr_assert(seen <= most && seen >= timeouts[i] - 2000, "%ld", seen);
    }
}

BOTH(ends_at_the_deadline)
{
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, METHOD, "fake-hang: 1\n", NULL, 300);
    rpc_send(&rpc, "", 0);
    rpc_half_close(&rpc);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_DEADLINE_EXCEEDED);
    rpc_free(&rpc);
    scene_wait_saw(scene, METHOD, "cancelled", 1);
}

BOTH(passes_deadline_exceeded_from_containerd)
{
    struct rpc rpc;
    cr_assert_eq(rpc_unary(&rpc, &scene->client, METHOD,
                           "fake-status: 4\nfake-message: timed out in the shim\n", "", 0, NULL),
                 GRPC_STATUS_DEADLINE_EXCEEDED);
    cr_assert_eq(grpc_slice_str_cmp(rpc.message, "timed out in the shim"), 0);
    rpc_free(&rpc);
}

/* Starts a call that the fake lets hang, and waits until it is there. */
static void start_hanging(struct scene *scene, struct rpc *rpc, const char *method,
                          const char *headers)
{
    rpc_start(rpc, &scene->client, method, headers, NULL, NO_DEADLINE);
    rpc_send(rpc, "", 0);
    scene_wait_saw(scene, method, "requests", 1);
}

static void expect_cancelled_since(struct scene *scene, const char *method, uint64_t start)
{
    scene_wait_saw(scene, method, "cancelled", 1);
    uint64_t took = scene_saw(scene, method, "cancelled-at-ns") - start;
    printf("containerd saw the cancellation after %" PRIu64 " us\n", took / 1000);
    cr_assert_lt(took, SOON_NS);
    cr_assert_eq(scene_saw(scene, method, "open"), 0);
}

BOTH(cancels_upstream)
{
    struct rpc rpc;
    start_hanging(scene, &rpc, METHOD, "fake-hang: 1\n");
    uint64_t start = now_ns();
    grpc_call_cancel(rpc.call, NULL);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_CANCELLED);
    expect_cancelled_since(scene, METHOD, start);
    rpc_free(&rpc);
}

BOTH(cancels_upstream_after_half_close)
{
    struct rpc rpc;
    start_hanging(scene, &rpc, STREAM, "fake-hang: 1\nfake-early: 1\n");
    rpc_half_close(&rpc);
    rpc_wait_initial(&rpc);
    uint64_t start = now_ns();
    grpc_call_cancel(rpc.call, NULL);
    expect_cancelled_since(scene, STREAM, start);
    rpc_free(&rpc);
}

BOTH(cancels_upstream_in_mid_stream)
{
    struct rpc rpc;
    grpc_slice message;
    start_hanging(scene, &rpc, STREAM, "fake-stream: 100000000x1000\n");
    for (int i = 0; i < 100; i++) {
        cr_assert(rpc_receive(&rpc, &message));
        grpc_slice_unref(message);
    }
    uint64_t start = now_ns();
    grpc_call_cancel(rpc.call, NULL);
    expect_cancelled_since(scene, STREAM, start);
    rpc_free(&rpc);
}

BOTH(cancels_upstream_when_the_client_is_gone)
{
    struct client lost = {0};
    int fd = client_open_fd(&lost, scene_socket(scene));
    struct rpc rpc;
    rpc_start(&rpc, &lost, METHOD, "fake-hang: 1\n", NULL, NO_DEADLINE);
    rpc_send(&rpc, "", 0);
    scene_wait_saw(scene, METHOD, "requests", 1);
    uint64_t start = now_ns();
    client_break_fd(fd);
    expect_cancelled_since(scene, METHOD, start);
    cr_assert_neq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    client_close(&lost);
}

/* A broken stream must not reach containerd as one that its client has ended. */
BOTH(tells_a_broken_stream_from_an_ended_one)
{
    enum { ROUNDS = 20 };
    for (int i = 1; i <= ROUNDS; i++) {
        struct client lost = {0};
        int fd = client_open_fd(&lost, scene_socket(scene));
        struct rpc rpc;
        rpc_start(&rpc, &lost, SERVICE "NotKnownYet", "fake-collect: 1\n", NULL, NO_DEADLINE);
        rpc_send(&rpc, "x", 1);
        scene_wait_saw(scene, SERVICE "NotKnownYet", "requests", i);
        client_break_fd(fd);
        scene_wait_saw(scene, SERVICE "NotKnownYet", "cancelled", i);
        cr_assert_neq(rpc_finish(&rpc), GRPC_STATUS_OK);
        rpc_free(&rpc);
        client_close(&lost);
    }
    cr_assert_eq(scene_saw(scene, SERVICE "NotKnownYet", "ended"), 0);
    struct rpc rpc;
    grpc_slice reply;
    rpc_start(&rpc, &scene->client, SERVICE "NotKnownYet", "fake-collect: 1\n", NULL, 10000);
    rpc_send(&rpc, "x", 1);
    rpc_half_close(&rpc);
    if (rpc_receive(&rpc, &reply))
        grpc_slice_unref(reply);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    cr_assert_eq(scene_saw(scene, SERVICE "NotKnownYet", "ended"), 1);
}

BOTH(passes_an_abort)
{
    struct rpc rpc;
    grpc_slice message;
    rpc_start(&rpc, &scene->client, STREAM, "fake-stream: 3x100\nfake-abort: 1\n", NULL,
              NO_DEADLINE);
    rpc_send(&rpc, "", 0);
    for (int i = 0; i < 3; i++) {
        cr_assert(rpc_receive(&rpc, &message));
        grpc_slice_unref(message);
    }
    cr_assert(!rpc_receive(&rpc, &message));
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_CANCELLED);
    rpc_free(&rpc);
}

BOTH(tells_when_containerd_dies)
{
    struct rpc rpc;
    start_hanging(scene, &rpc, METHOD, "fake-hang: 1\n");
    uint64_t start = now_ns();
    scene_kill_fake(scene);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_UNAVAILABLE);
    cr_assert_lt(now_ns() - start, 5 * SOON_NS);
    rpc_free(&rpc);
}
