/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast records are formatted and made durable: `bench-audit [DIRECTORY]`. The directory, by
 * default the current one, decides which disk is measured.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/record.h"

#define FORMATS 100000
#define OUTSTANDING_MAX 64

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* What a pod that a rule moves to gVisor leaves. */
static const struct pod_facts pod = {
    .namespace = {"agents", 6},
    .name = {"warm-pool-python-6c9f7d9b5-x2x7k", 32},
    .uid = {"0a51b1f4-6f3d-4a0e-9c55-1de2b7f3a001", 36},
};
static const struct audit_input inputs[] = {
    {INPUT_POD_LABEL, {"agenttier.io/managed", 20}, {"true", 4}},
    {INPUT_NODE_LABEL, {"agenttier.io/runtime", 20}, {"gvisor", 6}},
};
static const struct audit_peer peer = {.uid = 0, .pid = 812};

static struct audit_event typical_event(const struct policy *policy)
{
    return (struct audit_event){
        .type = "pod.decision",
        .stage = "completed",
        .request_id = 1729,
        .peer = &peer,
        .method = STR("/runtime.v1.RuntimeService/RunPodSandbox"),
        .pod = &pod,
        .has_handler = true,
        .handler_effective = STR("runsc"),
        .action = AUDIT_MODIFY,
        .reason = REASON_RULE,
        .rule = STR("agents-in-gvisor"),
        .inputs = inputs,
        .input_count = 2,
        .policy = policy,
        .result = {.given = true,
                   .code = 0,
                   .sandbox_id =
                       STR("5f3c0ffee5f3c0ffee5f3c0ffee5f3c0ffee5f3c0ffee5f3c0ffee5f3c0ffee0"),
                   .duration_us = 812345},
    };
}

static int measure_format(const char *name, const struct audit_event *event, unsigned rounds)
{
    struct record_origin origin = {
        .node = STR("node-1"),
        .instance = "00112233445566778899aabbccddeeff",
    };
    char line[RECORD_BODY_MAX];
    struct timespec now;
    struct err err;
    int len = 0;
    uint64_t start = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        len = record_body(&origin, &now, event, line, &err);
        if (len < 0)
            return -1;
    }
    double us = (double)(now_ns() - start) / rounds / 1000;
    printf("format, %-8s %5d bytes  %8.2f us a record\n", name, len, us);
    return 0;
}

/* The most work that one record can make: every text huge, more inputs than fit. */
static int measure_worst_format(struct audit_event event)
{
    static struct audit_input many[1000];
    OWNED_MEM char *huge = malloc(1 << 20);
    if (!huge)
        return -1;
    memset(huge, 0xff, 1 << 20);
    struct str text = {huge, 1 << 20};
    for (size_t i = 0; i < 1000; i++)
        many[i] = (struct audit_input){INPUT_ANNOTATION, {huge, i + 1}, text};
    event.rule = event.message = event.handler_requested = event.method = text;
    event.inputs = many;
    event.input_count = 1000;
    return measure_format("worst", &event, FORMATS / 100);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t room = PTHREAD_COND_INITIALIZER;
static unsigned in_flight, failures;
static uint64_t *latencies;
static size_t latency_count;

static void note(void *cookie, const struct err *error)
{
    uint64_t *handed_over = cookie;
    uint64_t now = now_ns();
    pthread_mutex_lock(&lock);
    latencies[latency_count++] = now - *handed_over;
    failures += error != NULL;
    in_flight--;
    pthread_cond_signal(&room);
    pthread_mutex_unlock(&lock);
}

static void wait_until_at_most(unsigned most)
{
    pthread_mutex_lock(&lock);
    while (in_flight > most)
        pthread_cond_wait(&room, &lock);
    pthread_mutex_unlock(&lock);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static int measure_commit(struct audit *audit, const struct audit_event *event, unsigned most,
                          unsigned records)
{
    OWNED_MEM uint64_t *starts = calloc(records, sizeof(*starts));
    OWNED_MEM uint64_t *taken = calloc(records, sizeof(*taken));
    if (!starts || !taken)
        return -1;
    latencies = taken;
    latency_count = failures = 0;
    uint64_t start = now_ns();
    for (unsigned i = 0; i < records; i++) {
        wait_until_at_most(most - 1);
        pthread_mutex_lock(&lock);
        in_flight++;
        pthread_mutex_unlock(&lock);
        starts[i] = now_ns();
        if (audit_record(audit, event, note, &starts[i], NULL) != AUDIT_QUEUED)
            return -1;
    }
    wait_until_at_most(0);
    double seconds = (double)(now_ns() - start) / 1e9;
    qsort(taken, records, sizeof(*taken), compare);
    printf("durable, %2u outstanding  %8.0f records/s  p50 %6.0f us  p99 %6.0f us\n", most,
           records / seconds, (double)taken[records / 2] / 1000,
           (double)taken[records - 1 - records / 100] / 1000);
    return failures ? -1 : 0;
}

static struct policy *make_policy(struct err *err)
{
    static const struct runtime_spec runc = {.handler = {"runc", 4}, .is_default = true};
    struct policy_spec spec = {
        .name = STR("agent-node"),
        .sha256 = "3f9a1c2b3f9a1c2b3f9a1c2b3f9a1c2b3f9a1c2b3f9a1c2b3f9a1c2b3f9a1c2b",
        .runtimes = &runc,
        .runtime_count = 1,
        .otherwise = {.kind = ACTION_RUN_REQUESTED},
    };
    struct policy *policy = NULL;
    return policy_compile(&spec, NULL, NULL, &policy, err) == 0 ? policy : NULL;
}

static int run(const char *path, struct err *err)
{
    OWNED(own_policy) struct policy *policy = make_policy(err);
    OWNED(own_audit) struct audit *audit = NULL;
    if (!policy ||
        audit_open(
            &(struct audit_options){.path = path, .node = STR("node-1"), .owner = -1, .group = -1},
            &audit, err) < 0)
        return -1;
    struct audit_event event = typical_event(policy);
    if (measure_format("typical", &event, FORMATS) < 0 || measure_worst_format(event) < 0)
        return err_set(err, "a record could not be formatted");
    if (measure_commit(audit, &event, 1, 3000) < 0 ||
        measure_commit(audit, &event, OUTSTANDING_MAX, 60000) < 0)
        return err_set(err, "records could not be written to %s", path);
    return 0;
}

int main(int argc, char **argv)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/bench-audit-%d.jsonl", argc > 1 ? argv[1] : ".", getpid());
    struct err err;
    int result = run(path, &err);
    unlink(path);
    if (result < 0)
        fprintf(stderr, "bench-audit: %s\n", err.text);
    return result < 0;
}
