/* SPDX-License-Identifier: Apache-2.0 */
/* containerd goes away and comes back; the gate is told to stop; nobody calls. */
#include <dirent.h>
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "scene.h"

#define SECOND_NS 1000000000ull

static grpc_status_code ask_version(struct scene *scene)
{
    return call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL);
}

static void expect_away(struct scene *scene)
{
    struct rpc rpc;
    uint64_t start = now_ns();
    cr_assert_eq(rpc_unary(&rpc, &scene->client, SERVICE "Version", "", "", 0, NULL),
                 GRPC_STATUS_UNAVAILABLE);
    uint64_t took = now_ns() - start;
    char *message = grpc_slice_to_c_string(rpc.message);
    printf("containerd away: %" PRIu64 " us, %s\n", took / 1000, message);
    if (scene->gate)
        cr_assert(strstr(message, scene->fake_socket), "the socket is not named: %s", message);
    cr_assert_lt(took, 5 * SECOND_NS);
    gpr_free(message);
    rpc_free(&rpc);
}

static void expect_back(struct scene *scene)
{
    scene_start_fake(scene);
    uint64_t start = now_ns();
    while (ask_version(scene) != GRPC_STATUS_OK) {
        cr_assert_lt(now_ns() - start, 10 * SECOND_NS, "no call works again");
        client_linger(&scene->client, 5);
    }
    printf("containerd back: a call worked after %" PRIu64 " ms\n", (now_ns() - start) / 1000000);
}

BOTH(survives_containerd_going_and_coming)
{
    cr_assert_eq(ask_version(scene), GRPC_STATUS_OK);
    for (int i = 0; i < 3; i++) {
        scene_kill_fake(scene);
        expect_away(scene);
        expect_away(scene);
        expect_back(scene);
    }
}

BOTH(starts_before_containerd)
{
    scene_kill_fake(scene);
    expect_away(scene);
    expect_back(scene);
}

static void start_running(struct scene *scene, struct rpc *rpc, const char *headers)
{
    rpc_start(rpc, &scene->client, SERVICE "ExecSync", headers, NULL, NO_DEADLINE);
    rpc_send(rpc, "", 0);
    rpc_half_close(rpc);
    scene_wait_saw(scene, SERVICE "ExecSync", "requests", 1);
}

static void expect_exit_0(struct scene *scene)
{
    int status = scene_wait_gate(scene);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "ended with %#x", status);
}

GATE(finishes_running_calls_at_sigterm)
{
    struct rpc rpc;
    grpc_slice reply;
    start_running(scene, &rpc, "fake-delay-ms: 3000\nfake-reply-size: 10\n");
    scene_term_gate(scene);
    grpc_status_code code;
    while ((code = ask_version(scene)) == GRPC_STATUS_OK)
        cr_assert(!rpc_ended(&rpc, 10), "new calls are still served");
    cr_assert_eq(code, GRPC_STATUS_UNAVAILABLE);
    cr_assert(rpc_receive(&rpc, &reply), "the running call was cut");
    cr_assert_eq(GRPC_SLICE_LENGTH(reply), 10);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    grpc_slice_unref(reply);
    rpc_free(&rpc);
    expect_exit_0(scene);
}

GATE(cuts_calls_that_do_not_end_after_sigterm)
{
    struct rpc rpc;
    start_running(scene, &rpc, "fake-hang: 1\n");
    uint64_t start = now_ns();
    scene_term_gate(scene);
    cr_assert_neq(rpc_finish(&rpc), GRPC_STATUS_OK);
    expect_exit_0(scene);
    printf("a hanging call held the end up for %" PRIu64 " ms\n", (now_ns() - start) / 1000000);
    cr_assert_lt(now_ns() - start, 30 * SECOND_NS);
    scene_wait_saw(scene, SERVICE "ExecSync", "cancelled", 1);
    rpc_free(&rpc);
}

/* What containerd still says of their calls comes back to a gate that has no connection left. */
GATE(stops_while_the_clients_go)
{
    enum { CALLS = 50 };
    struct client lost = {0};
    struct rpc rpcs[CALLS];
    int fd = client_open_fd(&lost, scene->gate_socket);
    for (int i = 0; i < CALLS; i++) {
        const char *method = i % 2 ? SERVICE "ExecSync" : SERVICE "GetContainerEvents";
        rpc_start(&rpcs[i], &lost, method, "fake-hang: 1\n", NULL, NO_DEADLINE);
        rpc_send(&rpcs[i], "", 0);
    }
    scene_wait_saw(scene, SERVICE "ExecSync", "requests", CALLS / 2);
    scene_wait_saw(scene, SERVICE "GetContainerEvents", "requests", CALLS / 2);
    scene_term_gate(scene);
    client_break_fd(fd);
    expect_exit_0(scene);
    for (int i = 0; i < CALLS; i++)
        rpc_free(&rpcs[i]);
    client_close(&lost);
}

/* How often the gate's threads have gone to sleep so far. */
static uint64_t sleeps(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    uint64_t sum = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.')
            sum += scene_proc(atoi(entry->d_name), "voluntary_ctxt_switches");
    }
    closedir(dir);
    return sum;
}

/* The one test that lets time pass: what is counted is what happens while nothing does. */
GATE(sleeps_while_nobody_calls)
{
    uint64_t fewest = UINT64_MAX;
    cr_assert_eq(ask_version(scene), GRPC_STATUS_OK);
    for (int i = 0; i < 3; i++) {
        uint64_t before = sleeps(scene->gate_pid);
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
        uint64_t woke = sleeps(scene->gate_pid) - before;
        printf("%" PRIu64 " wake-ups in 2 s\n", woke);
        fewest = woke < fewest ? woke : fewest;
    }
    cr_assert_leq(fewest, 10);
}
