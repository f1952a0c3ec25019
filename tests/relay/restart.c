/* SPDX-License-Identifier: Apache-2.0 */
/* Another gate takes the place of one that ends, at a socket that somebody holds: a client notices
 * a wait at most. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "messages.h"
#include "process.h"
#include "scene.h"

#define RESTARTS 50
#define CLIENTS 8
#define PAUSE_MS 40      /* of a client between two calls: 200 calls/s of all */
#define CALLS_BETWEEN 20 /* two restarts, at least */
#define PATIENCE_NS 30000000000ull

struct load {
    const struct scene *scene;
    bool over;           /* shared with the clients, as are the counts */
    unsigned calls;      /* that have begun */
    unsigned failed;     /* of these */
    unsigned needlessly; /* of these, while no gate was killed */
    unsigned kills_begun, kills_done;
    struct caller {
        struct load *load;
        uint64_t longest_ns;
        pthread_t thread;
    } callers[CLIENTS];
};

/* Three questions, then a pod. */
static grpc_status_code call_once(struct client *client, unsigned number)
{
    bool is_pod = number % 4 == 0;
    grpc_slice request = is_pod ? message_pod("restarted", "runsc") : grpc_empty_slice();
    struct rpc rpc;
    grpc_status_code code =
        rpc_unary(&rpc, client, is_pod ? SERVICE "RunPodSandbox" : SERVICE "Version", "",
                  GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request), NULL);
    if (code != GRPC_STATUS_OK)
        fprintf(stderr, "call %u ends with code %d: %.*s\n", number, (int)code,
                (int)GRPC_SLICE_LENGTH(rpc.message), (char *)GRPC_SLICE_START_PTR(rpc.message));
    rpc_free(&rpc);
    grpc_slice_unref(request);
    return code;
}

static void count_failure(struct load *load, unsigned kills_before)
{
    __atomic_fetch_add(&load->failed, 1, __ATOMIC_RELAXED);
    if (kills_before == __atomic_load_n(&load->kills_begun, __ATOMIC_SEQ_CST))
        __atomic_fetch_add(&load->needlessly, 1, __ATOMIC_RELAXED);
}

static void *call_in_turns(void *cookie)
{
    struct caller *caller = cookie;
    struct load *load = caller->load;
    struct client client;
    client_open_retrying(&client, load->scene->gate_socket);
    while (!__atomic_load_n(&load->over, __ATOMIC_RELAXED)) {
        unsigned kills = __atomic_load_n(&load->kills_done, __ATOMIC_SEQ_CST);
        uint64_t start = now_ns();
        grpc_status_code code =
            call_once(&client, __atomic_fetch_add(&load->calls, 1, __ATOMIC_RELAXED));
        uint64_t took = now_ns() - start;
        if (took > caller->longest_ns)
            caller->longest_ns = took;
        if (code != GRPC_STATUS_OK)
            count_failure(load, kills);
        client_linger(&client, PAUSE_MS);
    }
    client_close(&client);
    return NULL;
}

static void load_start(struct load *load, const struct scene *scene)
{
    *load = (struct load){.scene = scene};
    for (int i = 0; i < CLIENTS; i++) {
        load->callers[i].load = load;
        cr_assert_eq(
            pthread_create(&load->callers[i].thread, NULL, call_in_turns, &load->callers[i]), 0);
    }
}

/* Returns the longest wait of any call. */
static uint64_t load_stop(struct load *load)
{
    uint64_t longest = 0;
    __atomic_store_n(&load->over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(load->callers[i].thread, NULL);
        if (load->callers[i].longest_ns > longest)
            longest = load->callers[i].longest_ns;
    }
    return longest;
}

static void wait_for_calls(struct load *load, unsigned more)
{
    unsigned until = __atomic_load_n(&load->calls, __ATOMIC_RELAXED) + more;
    for (uint64_t end = now_ns() + PATIENCE_NS;
         __atomic_load_n(&load->calls, __ATOMIC_RELAXED) < until;) {
        cr_assert_lt(now_ns(), end, "no calls end");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void stop_gate(struct scene *scene)
{
    scene_term_gate(scene);
    int status = scene_wait_gate(scene);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the gate ended with %#x", status);
}

GATE_HELD(restarted_fifty_times_under_load)
{
    struct load load;
    load_start(&load, scene);
    for (int i = 0; i < RESTARTS; i++) {
        wait_for_calls(&load, CALLS_BETWEEN);
        stop_gate(scene);
        scene_start_gate(scene);
    }
    wait_for_calls(&load, CALLS_BETWEEN);
    uint64_t longest = load_stop(&load);
    printf("%d restarts: %u calls, %u failed, longest wait %" PRIu64 " ms\n", RESTARTS, load.calls,
           load.failed, longest / 1000000);
    cr_assert_eq(load.failed, 0);
    cr_assert_lt(longest, 10000000000ull);
}

GATE_HELD(killed_it_loses_only_what_is_under_way)
{
    enum { KILLS = 10 };
    struct load load;
    load_start(&load, scene);
    for (int i = 0; i < KILLS; i++) {
        wait_for_calls(&load, CALLS_BETWEEN);
        __atomic_fetch_add(&load.kills_begun, 1, __ATOMIC_SEQ_CST);
        process_kill(scene->gate_pid);
        __atomic_fetch_add(&load.kills_done, 1, __ATOMIC_SEQ_CST);
        scene_start_gate(scene);
    }
    wait_for_calls(&load, CALLS_BETWEEN);
    uint64_t longest = load_stop(&load);
    printf("%d kills: %u calls, %u failed, longest wait %" PRIu64 " ms\n", KILLS, load.calls,
           load.failed, longest / 1000000);
    cr_assert_eq(load.needlessly, 0);
}

/* While a long call is let end, nobody waits for it. */
GATE_HELD(serves_while_a_long_call_ends)
{
    struct rpc rpc;
    struct client other;
    rpc_start(&rpc, &scene->client, SERVICE "ExecSync", "fake-delay-ms: 3000\nfake-echo: 1\n", NULL,
              NO_DEADLINE);
    rpc_send(&rpc, "long", 4);
    rpc_half_close(&rpc);
    scene_wait_saw(scene, SERVICE "ExecSync", "requests", 1);
    scene_term_gate(scene);
    client_open(&other, scene->gate_socket);
    uint64_t end = now_ns() + 2000000000ull;
    while (now_ns() < end) {
        uint64_t start = now_ns();
        cr_assert_eq(call_unary(&other, SERVICE "Version", "fake-echo: 1\n", "v", 1, NULL),
                     GRPC_STATUS_OK);
        cr_assert_lt(now_ns() - start, 1000000000ull);
        client_linger(&other, PAUSE_MS);
    }
    cr_assert_eq(waitpid(scene->gate_pid, NULL, WNOHANG), 0, "the gate ended before its call");
    grpc_slice reply;
    cr_assert(rpc_receive(&rpc, &reply));
    grpc_slice_unref(reply);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_start_gate(scene);
    cr_assert_eq(call_unary(&other, SERVICE "Version", "fake-echo: 1\n", "v", 1, NULL),
                 GRPC_STATUS_OK);
    client_close(&other);
}

/* The socket file is its holder's. */
GATE_HELD(leaves_the_socket_file)
{
    stop_gate(scene);
    cr_assert(process_listens(scene->gate_socket));
    scene_start_gate(scene);
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "fake-echo: 1\n", "v", 1, NULL),
                 GRPC_STATUS_OK);
}
