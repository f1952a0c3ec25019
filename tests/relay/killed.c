/* SPDX-License-Identifier: Apache-2.0 */
/* The gate is killed under load, again and again: what went on is on record, and the log is whole.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "messages.h"
#include "process.h"
#include "scene.h"

#define RUN SERVICE "RunPodSandbox"
#define KILLS 100
#define CLIENTS 4
#define LIFE_MS 60 /* of a gate under load, at most */
#define PODS_MAX 1000000
#define NAME_PREFIX "killed-"
#define NAME_DIGITS 7

struct caller {
    const struct scene *scene;
    unsigned *next_pod; /* shared */
    unsigned answered;
    pthread_t thread;
};

/* Runs pods until the gate is gone. */
static void *call_until_gone(void *cookie)
{
    struct caller *caller = cookie;
    struct client client;
    grpc_status_code code = GRPC_STATUS_OK;
    client_open(&client, caller->scene->gate_socket);
    while (code == GRPC_STATUS_OK) {
        unsigned number = __atomic_fetch_add(caller->next_pod, 1, __ATOMIC_RELAXED);
        char name[sizeof(NAME_PREFIX) + NAME_DIGITS];
        snprintf(name, sizeof(name), NAME_PREFIX "%0*u", NAME_DIGITS, number % PODS_MAX);
        grpc_slice pod = message_pod(name, "runsc");
        code =
            call_unary(&client, RUN, "", GRPC_SLICE_START_PTR(pod), GRPC_SLICE_LENGTH(pod), NULL);
        grpc_slice_unref(pod);
        caller->answered += code == GRPC_STATUS_OK;
    }
    client_close(&client);
    return NULL;
}

/* A life of the gate: load, and SIGKILL at a moment of chance. Returns how many pods ran. */
static unsigned live_and_die(struct scene *scene, unsigned *next_pod, unsigned life_us)
{
    struct caller callers[CLIENTS];
    unsigned answered = 0;
    for (int i = 0; i < CLIENTS; i++) {
        callers[i] = (struct caller){.scene = scene, .next_pod = next_pod};
        cr_assert_eq(pthread_create(&callers[i].thread, NULL, call_until_gone, &callers[i]), 0);
    }
    nanosleep(&(struct timespec){.tv_nsec = (long)life_us * 1000}, NULL);
    process_kill(scene->gate_pid);
    scene->gate_pid = 0;
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(callers[i].thread, NULL);
        answered += callers[i].answered;
    }
    return answered;
}

/* The number of the first pod that is named in the text, and `*text` behind it; -1 at its end. */
static long next_name(const char **text, const char *end)
{
    const size_t prefix = sizeof(NAME_PREFIX) - 1;
    const char *at = memmem(*text, (size_t)(end - *text), NAME_PREFIX, prefix);
    char digits[NAME_DIGITS + 1] = "";
    if (!at || (size_t)(end - at) < prefix + NAME_DIGITS)
        return -1;
    memcpy(digits, at + prefix, NAME_DIGITS);
    *text = at + prefix + NAME_DIGITS;
    return strtol(digits, NULL, 10);
}

static void read_decided(const struct scene *scene, bool *decided)
{
    char line[16384];
    FILE *file = fopen(scene->audit, "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) {
        const char *text = line;
        if (!strstr(line, "\"pod.decision\"") || !strstr(line, "\"decided\""))
            continue;
        long number = next_name(&text, line + strlen(line));
        cr_assert_geq(number, 0, "a decision on no pod of ours: %s", line);
        decided[number] = true;
    }
    fclose(file);
}

/* How many pods containerd was asked for. */
static unsigned check_decided(struct scene *scene, const bool *decided)
{
    grpc_slice kept;
    unsigned count = 0;
    cr_assert_eq(call_unary(&scene->witness, "/fake.Fake/Kept", "", RUN, sizeof(RUN) - 1, &kept),
                 GRPC_STATUS_OK);
    const char *text = (const char *)GRPC_SLICE_START_PTR(kept);
    const char *end = text + GRPC_SLICE_LENGTH(kept);
    for (long number; (number = next_name(&text, end)) >= 0; count++)
        cr_expect(decided[number], "pod %ld went on without a record", number);
    grpc_slice_unref(kept);
    return count;
}

/* What `crigate audit verify` exits with. */
static int verify(const struct scene *scene)
{
    char *argv[] = {getenv("CRIGATE"), (char *)"audit", (char *)"verify", (char *)scene->audit,
                    NULL};
    int status = -1;
    pid_t pid = process_start(argv, -1, -1);
    cr_assert_gt(pid, 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

GATE(killed_a_hundred_times)
{
    unsigned seed, next_pod = 0, answered = 0;
    cr_assert_eq(getrandom(&seed, sizeof(seed), 0), (ssize_t)sizeof(seed));
    cr_log_info("seed %u", seed);
    cr_assert_eq(call_unary(&scene->witness, "/fake.Fake/Keep", "", RUN, sizeof(RUN) - 1, NULL),
                 GRPC_STATUS_OK);
    for (int i = 0; i < KILLS; i++) {
        /* on a busy machine a life is too short for a pod */
        unsigned most_us = LIFE_MS * 1000 * (answered <= (unsigned)i ? 8 : 1);
        answered += live_and_die(scene, &next_pod, (unsigned)rand_r(&seed) % most_us);
        scene_start_gate(scene);
    }
    cr_assert_leq(next_pod, PODS_MAX);
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    bool *decided = calloc(PODS_MAX, sizeof(*decided));
    cr_assert_not_null(decided);
    read_decided(scene, decided);
    unsigned asked = check_decided(scene, decided);
    cr_expect_geq(asked, answered);
    cr_expect_gt(answered, KILLS, "too little load to tell: %u pods", answered);
    cr_log_info("%u pods ran, containerd was asked for %u", answered, asked);
    cr_expect_eq(verify(scene), 0, "the chain is broken");
    free(decided);
}
