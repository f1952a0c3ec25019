/* SPDX-License-Identifier: Apache-2.0 */
/* How long the facts of a message take, from a usual pod of 1 KiB to the worst of 16 MiB, with the
 * allocations and the memory. Exit 1 when a usual pod or container takes longer, or more
 * allocations, than its row allows. */
#include <malloc.h>
#include <time.h>

#include "gate/inspect.h"
#include "gate/inspect_container.h"
#include "gate/inspect_image.h"
#include "gate/inspect_sandboxes.h"
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
static void put_pod_config(struct message *request, uint32_t number)
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
    put(request, number, str_of_message(&config));
}

static void make_usual(struct message *request)
{
    put_pod_config(request, 1);
    put(request, 2, STR("runsc"));
}

static void put_mount(struct message *config, unsigned i)
{
    unsigned char buf[512];
    char path[128];
    struct message mount = {.bytes = buf, .size = sizeof(buf)};
    snprintf(path, sizeof(path), "/var/run/build/volume-%u", i);
    put(&mount, 1, str_of(path));
    snprintf(path, sizeof(path),
             "/var/lib/kubelet/pods/4c2a9b1e-6d55-4f0e-8f0a-6d2f3b9f7c11/volumes/volume-%u", i);
    put(&mount, 2, str_of(path));
    memcpy(mount.bytes + mount.len, "\x18\x01\x28\x01", 4); /* read-only, from the host */
    mount.len += 4;
    put(config, 7, str_of_message(&mount));
}

/* A container of that pod: 10 KB, most of them 80 variables; 12 mounts, a device. */
static void make_container(struct message *request)
{
    unsigned char buf[16384];
    char name[64], value[128];
    struct message config = {.bytes = buf, .size = sizeof(buf)};
    put(request, 1, STR("5f0c0b8e7a1d4c3f9e2b6a5d8c7f0e1b2a3d4c5f6e7b8a9d0c1f2e3b4a5d6c7f"));
    put(&config, 1, STR("\x0a\x06runner"));
    put(&config, 2, STR("\x0a\x1fregistry.example.org/build:2.14"));
    put(&config, 3, STR("/usr/bin/build-runner"));
    for (unsigned i = 0; i < 80; i++) {
        snprintf(name, sizeof(name), "BUILD_RUNNER_SERVICE_PORT_%u", i);
        snprintf(value, sizeof(value), "tcp://10.96.%u.17:8443/a/longer/value/as/they/are", i);
        put_pair(&config, 6, name, value);
    }
    for (unsigned i = 0; i < 12; i++)
        put_mount(&config, i);
    put(&config, 8, STR("\x0a\x09/dev/fuse\x12\x09/dev/fuse\x1a\x03rwm"));
    for (unsigned i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "io.kubernetes.container.annotation-%u", i);
        put_pair(&config, 9, name, "label");
        put_pair(&config, 10, name, "annotation");
    }
    put(&config, 15, STR("\x12\x0a\x10\x00\x1a\x06\x08\x00\x10\x01\x18\x00"));
    put(request, 2, str_of_message(&config));
    put_pod_config(request, 3);
}

/* 10,000 sandboxes, each with its labels and annotations. */
static void make_list(struct message *reply)
{
    unsigned char buf[4096];
    char id[65];
    for (unsigned i = 0; i < 10000; i++) {
        struct message item = {.bytes = buf, .size = sizeof(buf)};
        snprintf(id, sizeof(id), "%064x", i);
        put(&item, 1, str_of(id));
        for (unsigned k = 0; k < 9; k++) {
            put_pair(&item, 5, "app.kubernetes.io/instance", "build-runner-eu-1");
            put_pair(&item, 6, "kubectl.kubernetes.io/restartedAt", "2026-07-14T09:31:20+02:00");
        }
        put(&item, 7, STR("runsc"));
        put(reply, 1, str_of_message(&item));
    }
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

typedef int work_fn(struct str message, struct err *err);

static int read_pod(struct str request, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct pod_facts pod;
    struct inspect_span span;
    return inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &pod, &span, err);
}

static int read_container(struct str request, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct container_request asked;
    return inspect_container(request, &arena, &asked, err);
}

static int find_image(struct str request, struct err *err)
{
    struct str handler;
    return inspect_image(IMAGE_IN_CONTAINER, request, &handler, err);
}

static void count_sandbox(void *cookie, struct str id, struct str handler)
{
    *(size_t *)cookie += id.len + handler.len;
}

static int read_list(struct str reply, struct err *err)
{
    size_t seen = 0;
    return inspect_sandbox_list(reply, count_sandbox, &seen, err);
}

/* Nanoseconds of CPU a call, of the round that other work on the machine disturbed least. */
static double measure(work_fn *work, struct str message, size_t rounds, size_t calls,
                      struct err *err)
{
    double best = 0;
    for (size_t round = 0; round < rounds; round++) {
        uint64_t start = cpu_ns();
        for (size_t i = 0; i < calls; i++) {
            *err = (struct err){0};
            allocations = allocated = 0;
            int ignored = work(message, err);
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
    static const struct row {
        const char *name;
        void (*make)(struct message *message);
        work_fn *work;
        size_t rounds, calls;
        double most_ns; /* 0: no limit */
        size_t most_allocations;
    } rows[] = {
        {"usual pod", make_usual, read_pod, ROUNDS, CALLS, 3000, 2},
        {"usual container", make_container, read_container, ROUNDS, CALLS / 10, 20000, 3},
        {"its image handler", make_container, find_image, ROUNDS, CALLS / 10, 3000, 0},
        {"10,000 sandboxes", make_list, read_list, 3, 3, 0, 0},
        {"most labels", make_labels, read_pod, 3, 3, 0, 0},
        {"most unknown fields", make_unknown, read_pod, 3, 3, 0, 0},
        {"too many fields", make_too_many, read_pod, 3, 3, 0, 0},
        {"longest string", make_long, read_pod, 3, 3, 0, 0},
    };
    bool good = true;
    for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
        struct message message = {.bytes = malloc(METHOD_REQUEST_MAX), .size = METHOD_REQUEST_MAX};
        struct err err;
        if (!message.bytes)
            return 2;
        row->make(&message);
        double ns = measure(row->work, str_of_message(&message), row->rounds, row->calls, &err);
        printf("%-20s %9zu bytes %13.0f ns %4zu allocations %10zu bytes  %s\n", row->name,
               message.len, ns, allocations, allocated, err.text);
        if (row->most_ns > 0)
            good &= ns <= row->most_ns && allocations <= row->most_allocations && !err.text[0];
        free(message.bytes);
    }
    return good ? 0 : 1;
}
