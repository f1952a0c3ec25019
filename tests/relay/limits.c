/* SPDX-License-Identifier: Apache-2.0 */
/* What is bounded: the size of a request, memory under slow readers and under many calls. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "memory.h"
#include "scene.h"

#define MIB ((size_t)1024 * 1024)
#define REQUEST_MAX (16 * MIB)
#define CALLS 1000

/* AddressSanitizer's own memory would be measured. */
#ifdef __SANITIZE_ADDRESS__
static const bool measures = false;
#else
static const bool measures = true;
#endif

static grpc_status_code send_zeros(struct scene *scene, const char *method, size_t size)
{
    void *zeros = must_calloc(size, 1);
    grpc_status_code code =
        call_unary(&scene->client, method, "fake-reply-size: 1\n", zeros, size, NULL);
    free(zeros);
    return code;
}

BOTH(takes_a_request_of_16_mib)
{
    cr_assert_eq(send_zeros(scene, SERVICE "Status", REQUEST_MAX), GRPC_STATUS_OK);
}

GATE(refuses_a_request_over_16_mib_and_lives_on)
{
    struct rpc other;
    rpc_start(&other, &scene->client, SERVICE "ExecSync", "fake-hang: 1\n", NULL, NO_DEADLINE);
    rpc_send(&other, "", 0);
    scene_wait_saw(scene, SERVICE "ExecSync", "requests", 1);
    cr_assert_eq(send_zeros(scene, SERVICE "Status", REQUEST_MAX + 1),
                 GRPC_STATUS_RESOURCE_EXHAUSTED);
    cr_assert_eq(scene_saw(scene, SERVICE "Status", "requests"), 0);
    cr_assert_eq(send_zeros(scene, SERVICE "Status", 1), GRPC_STATUS_OK);
    cr_assert(!rpc_ended(&other, 0), "another call on the connection was ended");
    rpc_free(&other);
}

GATE(refuses_a_sandbox_over_16_mib)
{
    struct bytes request = {0}, config = {0}, metadata = {0};
    void *zeros = must_calloc(REQUEST_MAX, 1);
    bytes_text(&metadata, 1, "large");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&config, 1, &metadata);
    bytes_nest(&request, 1, &config);
    bytes_field(&request, 1000, zeros, REQUEST_MAX);
    cr_assert_eq(
        call_unary(&scene->client, SERVICE "RunPodSandbox", "", request.data, request.len, NULL),
        GRPC_STATUS_INVALID_ARGUMENT);
    cr_assert_eq(scene_saw(scene, SERVICE "RunPodSandbox", "calls"), 0);
    scene_wait_audit(scene, "RunPodSandbox", "malformed");
    cr_assert_eq(send_zeros(scene, SERVICE "Status", 1), GRPC_STATUS_OK);
    free(zeros);
    bytes_free(&request);
}

/* From now on VmHWM is the peak since now. */
static void forget_peak(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, "5", 1) == 1, "%s", path);
    close(fd);
}

/* Waits until the process has not grown for half a second; the stream then stands still. */
static void wait_until_still(pid_t pid)
{
    uint64_t size = 0, since = now_ns();
    while (now_ns() - since < 500 * 1000000ull) {
        uint64_t now = scene_proc(pid, "VmRSS");
        if (now != size)
            since = now_ns();
        size = now;
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
}

static void read_messages(struct rpc *rpc, int count, size_t size)
{
    grpc_slice message;
    for (int i = 0; i < count; i++) {
        cr_assert(rpc_receive(rpc, &message));
        cr_assert_eq(GRPC_SLICE_LENGTH(message), size);
        grpc_slice_unref(message);
    }
}

static void expect_growth(struct scene *scene, const char *what, uint64_t before)
{
    uint64_t peak = scene_proc(scene_peer(scene), "VmHWM");
    printf("%s: from %" PRIu64 " KiB to a peak of %" PRIu64 " KiB\n", what, before, peak);
    if (measures)
        cr_assert_leq(peak, before + 16 * 1024, "%s grew", what);
}

static void start_gigabyte(struct scene *scene, struct rpc *rpc)
{
    cr_assert_eq(send_zeros(scene, SERVICE "Status", 1), GRPC_STATUS_OK);
    forget_peak(scene_peer(scene));
    rpc_start(rpc, &scene->client, SERVICE "GetContainerEvents", "fake-stream: 4096x262144\n", NULL,
              NO_DEADLINE);
    rpc_send(rpc, "", 0);
    rpc_half_close(rpc);
}

BOTH(holds_back_a_stream_that_is_read_slowly)
{
    struct rpc rpc;
    uint64_t before = scene_proc(scene_peer(scene), "VmRSS");
    start_gigabyte(scene, &rpc);
    for (int i = 0; i < 4; i++) {
        wait_until_still(scene_peer(scene));
        read_messages(&rpc, 64, 262144);
    }
    expect_growth(scene, "a slow reader", before);
    rpc_free(&rpc);
}

BOTH(streams_a_gigabyte)
{
    struct rpc rpc;
    uint64_t before = scene_proc(scene_peer(scene), "VmRSS");
    start_gigabyte(scene, &rpc);
    read_messages(&rpc, 4096, 262144);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    expect_growth(scene, "a gigabyte", before);
    rpc_free(&rpc);
}

BOTH(answers_a_thousand_calls_at_once)
{
    struct rpc *rpcs = must_calloc(CALLS, sizeof(*rpcs));
    forget_peak(scene_peer(scene));
    for (int i = 0; i < CALLS; i++) {
        rpc_start(&rpcs[i], &scene->client, SERVICE "ContainerStatus", "fake-delay-ms: 1000\n",
                  NULL, NO_DEADLINE);
        rpc_send_start(&rpcs[i], "request", 7);
        rpc_half_close(&rpcs[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        grpc_slice reply;
        cr_assert(rpc_receive(&rpcs[i], &reply), "call %d has no reply", i);
        cr_assert_eq(rpc_finish(&rpcs[i]), GRPC_STATUS_OK, "call %d", i);
        grpc_slice_unref(reply);
        rpc_free(&rpcs[i]);
    }
    free(rpcs);
    uint64_t peak = scene_proc(scene_peer(scene), "VmHWM");
    printf("%d calls at once: a peak of %" PRIu64 " KiB\n", CALLS, peak);
    if (measures)
        cr_assert_leq(peak, 64 * 1024);
}
