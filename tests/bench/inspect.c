/* SPDX-License-Identifier: Apache-2.0 */
/* How long the facts of a request take, from a usual one of 1 KiB to the worst of 16 MiB, with
 * the allocations and the memory. Exit 1 when the usual one takes over 3 us or 2 allocations. */
#include <malloc.h>
#include <time.h>

#include "gate/inspect.h"
#include "gate/wire.h"

#define ROUNDS 21
#define CALLS 20000

/* The linker sends the gate's calls here (-Wl,--wrap); protobuf-c's go to the arena. */
static size_t allocations, allocated;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    allocated += count * size;
    return __real_calloc(count, size);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A message being written; room is checked once, by the caller's sizes. */
struct message {
    unsigned char *bytes;
    size_t len, size;
};

static void put(struct message *message, uint32_t number, struct str value)
{
    size_t wrote =
        wire_put_bytes(number, value, message->bytes + message->len, message->size - message->len);
    if (!wrote) {
        fprintf(stderr, "bench: a message over %zu bytes\n", message->size);
        exit(2);
    }
    message->len += wrote;
}

static struct str str_of_message(const struct message *message)
{
    return (struct str){.data = (const char *)message->bytes, .len = message->len};
}

static void put_pair(struct message *config, uint32_t number, const char *key, const char *value)
{
    unsigned char buf[512];
    struct message pair = {.bytes = buf, .size = sizeof(buf)};
    put(&pair, 1, str_of(key));
    put(&pair, 2, str_of(value));
    put(config, number, str_of_message(&pair));
}

/* What a kubelet sends for a pod of a Deployment: 9 labels, 7 annotations. */
static void make_usual(struct message *request)
{
    static const char *const labels[][2] = {
        {"app.kubernetes.io/name", "build-runner"},
        {"app.kubernetes.io/instance", "build-runner-eu-1"},
        {"app.kubernetes.io/version", "2.14.3"},
        {"agenttier.io/managed", "true"},
        {"agenttier.io/template", "python-3-12"},
        {"pod-template-hash", "6f5d8c7b94"},
        {"io.kubernetes.pod.name", "build-runner-6f5d8c7b94-x2xkq"},
        {"io.kubernetes.pod.namespace", "agents"},
        {"io.kubernetes.pod.uid", "4c2a9b1e-6d55-4f0e-8f0a-6d2f3b9f7c11"},
    };
    static const char *const annotations[][2] = {
        {"kubernetes.io/config.seen", "2026-07-14T09:31:22.518382651Z"},
        {"kubernetes.io/config.source", "api"},
        {"prometheus.io/scrape", "true"},
        {"prometheus.io/port", "9102"},
        {"checksum/config", "8d3f0f6f3e0c5f1ad1a6f6be6f2c4f25b6f3ad51b8e1e8a0d7c7d6c1f0b4a9e2"},
        {"cni.example.org/addresses", "[{\"ip\":\"10.42.3.17/24\",\"dev\":\"eth0\"}]"},
        {"kubectl.kubernetes.io/restartedAt", "2026-07-14T09:31:20+02:00"},
    };
    unsigned char buf[4096], inner[256];
    struct message config = {.bytes = buf, .size = sizeof(buf)};
    struct message metadata = {.bytes = inner, .size = sizeof(inner)};
    put(&metadata, 1, STR("build-runner-6f5d8c7b94-x2xkq"));
    put(&metadata, 2, STR("4c2a9b1e-6d55-4f0e-8f0a-6d2f3b9f7c11"));
    put(&metadata, 3, STR("agents"));
    put(&config, 1, str_of_message(&metadata));
    put(&config, 2, STR("build-runner-6f5d8c7b94-x2xkq"));
    put(&config, 3, STR("/var/log/pods/agents_build-runner-6f5d8c7b94-x2xkq_4c2a9b1e"));
    put(&config, 4, STR("\012\01210.96.0.10\022\027agents.svc.cluster.local"));
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        put_pair(&config, 6, labels[i][0], labels[i][1]);
    for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++)
        put_pair(&config, 7, annotations[i][0], annotations[i][1]);
    put(&config, 8, STR("\x0a\x10/kubepods/pod-4c\x12\x08\x0a\x02\x08\x00\x22\x02\x08\x02"));
    put(request, 1, str_of_message(&config));
    put(request, 2, STR("runsc"));
}

/* Three fields each: as many as are allowed. */
static void make_labels(struct message *request)
{
    struct message config = {.bytes = malloc(METHOD_REQUEST_MAX), .size = METHOD_REQUEST_MAX};
    char key[16];
    for (unsigned i = 0; config.bytes && i < (WIRE_FIELDS_MAX - 1) / 3; i++) {
        snprintf(key, sizeof(key), "%x", i);
        put_pair(&config, 6, key, "");
    }
    put(request, 1, str_of_message(&config));
    free(config.bytes);
}

static void make_unknown(struct message *request)
{
    for (unsigned i = 0; i < WIRE_FIELDS_MAX; i++)
        put(request, 15, STR(""));
}

static void make_too_many(struct message *request)
{
    while (request->size - request->len > 2)
        put(request, 15, STR(""));
}

/* One string that fills the request. */
static void make_long(struct message *request)
{
    struct str value = {.data = malloc(METHOD_REQUEST_MAX), .len = METHOD_REQUEST_MAX - 16};
    if (value.data)
        memset((char *)value.data, 'v', value.len);
    put(request, 2, value);
    free((char *)value.data);
}

/* Nanoseconds of CPU a call, of the round that other work on the machine disturbed least. */
static double measure(struct str request, size_t rounds, size_t calls, struct err *err)
{
    double best = 0;
    for (size_t round = 0; round < rounds; round++) {
        uint64_t start = cpu_ns();
        for (size_t i = 0; i < calls; i++) {
            OWNED_ARENA struct arena arena = {0};
            struct pod_facts pod;
            struct inspect_span span;
            *err = (struct err){0};
            allocations = allocated = 0;
            int ignored = inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &pod, &span, err);
            (void)ignored;
        }
        double ns = (double)(cpu_ns() - start) / (double)calls;
        if (round == 0 || ns < best)
            best = ns;
    }
    return best;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*make)(struct message *request);
        size_t rounds, calls;
    } rows[] = {
        {"usual", make_usual, ROUNDS, CALLS},        {"most labels", make_labels, 3, 3},
        {"most unknown fields", make_unknown, 3, 3}, {"too many fields", make_too_many, 3, 3},
        {"longest string", make_long, 3, 3},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message request = {.bytes = malloc(METHOD_REQUEST_MAX), .size = METHOD_REQUEST_MAX};
        struct err err;
        if (!request.bytes)
            return 2;
        rows[i].make(&request);
        double ns = measure(str_of_message(&request), rows[i].rounds, rows[i].calls, &err);
        printf("%-22s %9zu bytes %13.0f ns %4zu allocations %10zu bytes  %s\n", rows[i].name,
               request.len, ns, allocations, allocated, err.text);
        if (i == 0)
            good = ns <= 3000 && allocations <= 2 && !err.text[0];
        free(request.bytes);
    }
    return good ? 0 : 1;
}
