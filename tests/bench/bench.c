/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark: the same calls to the same fake containerd, directly and through each proxy, in
 * short slots by turns, so that the machine's noise meets all alike. A number is the median of its
 * slots. At the end the gate judges as many pods as it can for five seconds.
 */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "disk.h"
#include "peer.h"
#include "process.h"

#define PEERS_MAX 8
#define ROUNDS_MAX 200
#define SLOT_MS 250
#define SUSTAINED_MS 5000

#define SERVICE "/runtime.v1.RuntimeService/"

/* The sandbox that containers are created in. */
#define SANDBOX_ID "5ac3ff0d0b0e4a6c8f3f2f0c7d1e9b8a5ac3ff0d0b0e4a6c8f3f2f0c7d1e9b8a"

#define RUN_POD SERVICE "RunPodSandbox"
#define SAME_BYTES SERVICE "UpdatePodSandbox" /* a pod's, and no business of the gate's */

enum request { REQUEST_EMPTY, REQUEST_SANDBOX, REQUEST_CONTAINER, REQUEST_COUNT };

static const struct row {
    const char *name;
    const char *method;
    enum request request;
    unsigned clients;
} rows[] = {
    {"small call, 1 client", SERVICE "Version", REQUEST_EMPTY, 1},
    {"small call, 16 clients", SERVICE "Version", REQUEST_EMPTY, 16},
    {"RunPodSandbox, 1 client", RUN_POD, REQUEST_SANDBOX, 1},
    {"RunPodSandbox, 16 clients", RUN_POD, REQUEST_SANDBOX, 16},
    {"CreateContainer, 1 client", SERVICE "CreateContainer", REQUEST_CONTAINER, 1},
    {"the same bytes, not judged", SAME_BYTES, REQUEST_SANDBOX, 1},
    {"ListContainers of 500", SERVICE "ListContainers", REQUEST_EMPTY, 1},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* The slots of one row and one peer. */
struct cell {
    double p50_us[ROUNDS_MAX], p99_us[ROUNDS_MAX], cpu_us[ROUNDS_MAX];
    uint64_t calls, failures;
};

struct bench {
    struct bench_paths paths;
    const char *json;
    unsigned rounds;
    const char *names[PEERS_MAX];
    struct peer peers[PEERS_MAX];
    struct cell cells[ROWS][PEERS_MAX];
    double sync_us[ROUNDS_MAX]; /* of the disk that the gate's audit file is on */
    size_t peer_count;
    pid_t fake;
    grpc_slice requests[REQUEST_COUNT];
};

static const struct argp_option options[] = {
    {"crigate", 'c', "PROGRAM", 0, "The gate", 0},
    {"fake", 'f', "PROGRAM", 0, "The fake containerd", 0},
    {"dir", 'd', "DIR", 0, "Sockets, settings and an audit file go there, on a disk", 0},
    {"memory", 'm', "DIR", 0, "An audit file goes there, on a tmpfs", 0},
    {"json", 'j', "FILE", 0, "Write the numbers there too", 0},
    {"rounds", 'r', "N", 0, "Slots for each number (default: 12)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct bench *bench = state->input;
    switch (key) {
    case 'c':
        bench->paths.crigate = arg;
        return 0;
    case 'f':
        bench->paths.fake = arg;
        return 0;
    case 'd':
        bench->paths.dir = arg;
        return 0;
    case 'm':
        bench->paths.memory = arg;
        return 0;
    case 'j':
        bench->json = arg;
        return 0;
    case 'r':
        bench->rounds = (unsigned)atoi(arg);
        if (bench->rounds < 1 || bench->rounds > ROUNDS_MAX)
            argp_error(state, "rounds: 1 to %d", ROUNDS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (bench->peer_count == PEERS_MAX)
            argp_error(state, "too many peers");
        bench->names[bench->peer_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!bench->paths.crigate || !bench->paths.fake || !bench->paths.dir ||
            !bench->paths.memory)
            argp_error(state, "--crigate, --fake, --dir and --memory are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    options,
    parse,
    "[PEER...]",
    "Measures calls to a fake containerd: direct, crigate, crigate-tmpfs (its audit file on a "
    "tmpfs), haproxy, nginx; or only the peers that are named.",
    NULL,
    NULL,
    NULL};

/* Appends an agent's pod, as the kubelet describes it, as a field. */
static void add_pod(struct bytes *out, unsigned field)
{
    struct bytes config = {0}, metadata = {0};
    bytes_text(&metadata, 1, "build-7");
    bytes_text(&metadata, 2, "6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&config, 1, &metadata);
    bytes_text(&config, 2, "build-7");
    bytes_text(&config, 3, "/var/log/pods/agents_build-7_6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    static const char *const labels[][2] = {{"agenttier.io/managed", "true"},
                                            {"agenttier.io/sandbox", "build-7"},
                                            {"io.kubernetes.pod.name", "build-7"},
                                            {"io.kubernetes.pod.namespace", "agents"}};
    for (size_t i = 0; i < 4; i++) {
        struct bytes label = {0};
        bytes_text(&label, 1, labels[i][0]);
        bytes_text(&label, 2, labels[i][1]);
        bytes_nest(&config, 6, &label);
    }
    bytes_nest(out, field, &config);
}

static grpc_slice sandbox_request(void)
{
    struct bytes out = {0};
    add_pod(&out, 1);
    bytes_text(&out, 2, "gvisor");
    return bytes_slice(&out);
}

/* A container with twenty variables and five mounts. */
static grpc_slice container_request(void)
{
    struct bytes out = {0}, config = {0}, metadata = {0}, image = {0};
    bytes_text(&out, 1, SANDBOX_ID);
    bytes_text(&metadata, 1, "main");
    bytes_nest(&config, 1, &metadata);
    bytes_text(&image, 1, "sha256:6f2c6f0e7a3f4f0e9d7c0c7d6a1f2b3c");
    bytes_nest(&config, 2, &image);
    for (size_t i = 0; i < 20; i++) {
        struct bytes variable = {0};
        bytes_text(&variable, 1, "SERVICE_PORT_8080_TCP_ADDR");
        bytes_text(&variable, 2, "tcp://10.96.0.1:8080");
        bytes_nest(&config, 6, &variable);
    }
    for (size_t i = 0; i < 5; i++) {
        struct bytes mount = {0};
        bytes_text(&mount, 1, "/var/run/secrets/kubernetes.io/serviceaccount");
        bytes_text(&mount, 2, "/var/lib/kubelet/pods/6f2c6f0e/volumes/token");
        bytes_number(&mount, 3, 1);
        bytes_nest(&config, 7, &mount);
    }
    bytes_nest(&out, 2, &config);
    add_pod(&out, 3);
    return bytes_slice(&out);
}

/* Ends the benchmark when a peer has ended: calls to nobody fail quickly. */
static void expect_running(const struct bench *bench, const struct peer *peer)
{
    int status;
    if (peer->pid == 0 || waitpid(peer->pid, &status, WNOHANG) == 0)
        return;
    fprintf(stderr, "\nbench: %s ended by itself, wait status %#x\n", peer->name, (unsigned)status);
    process_kill(bench->fake);
    exit(1); /* the other peers end with this process */
}

static void run_slot(struct bench *bench, size_t row, size_t peer, unsigned round)
{
    struct peer *at = &bench->peers[peer];
    struct cell *cell = &bench->cells[row][peer];
    uint64_t before = peer_cpu_ns(at);
    struct load_result result = load_run(&at->load, rows[row].clients, rows[row].method,
                                         bench->requests[rows[row].request], SLOT_MS);
    cell->p50_us[round] = result.p50_us;
    cell->p99_us[round] = result.p99_us;
    cell->cpu_us[round] = (double)(peer_cpu_ns(at) - before) / 1e3 / (double)result.calls;
    cell->calls += result.calls;
    cell->failures += result.failures;
    expect_running(bench, at);
}

/* The fake tells of one sandbox from now on. */
static void make_sandbox(const struct bench *bench)
{
    struct load load;
    grpc_slice sandbox = grpc_slice_from_static_string(SANDBOX_ID " runsc\n");
    load_open(&load, bench->paths.upstream);
    load_run(&load, 1, "/fake.Fake/Sandboxes", sandbox, 1);
    load_close(&load);
}

/* Every client has the next call under way as soon as one ends. */
static void run_sustained(struct bench *bench, size_t peer)
{
    struct peer *at = &bench->peers[peer];
    struct load_result result = load_run(&at->load, LOAD_CLIENTS_MAX, RUN_POD,
                                         bench->requests[REQUEST_SANDBOX], SUSTAINED_MS);
    at->sustained = (double)(result.calls - result.failures) * 1000 / SUSTAINED_MS;
    expect_running(bench, at);
}

/* The first round warms up and is written over. */
static void run_rounds(struct bench *bench)
{
    make_sandbox(bench);
    for (size_t i = 0; i < bench->peer_count; i++)
        load_open(&bench->peers[i].load, bench->peers[i].socket);
    for (unsigned turn = 0; turn <= bench->rounds; turn++) {
        for (size_t row = 0; row < ROWS; row++) {
            for (size_t peer = 0; peer < bench->peer_count; peer++)
                run_slot(bench, row, peer, turn ? turn - 1 : 0);
        }
        bench->sync_us[turn ? turn - 1 : 0] = disk_sync_us(bench->paths.dir);
        fprintf(stderr, "\rround %u of %u ", turn, bench->rounds);
    }
    for (size_t i = 0; i < bench->peer_count; i++)
        run_sustained(bench, i);
    for (size_t i = 0; i < bench->peer_count; i++)
        load_close(&bench->peers[i].load);
    fprintf(stderr, "\r                    \r");
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const double *values, unsigned count)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof(*values));
    qsort(sorted, count, sizeof(*sorted), by_value);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void print_row(const struct bench *bench, size_t row, json_t *out)
{
    double direct = 0;
    for (size_t i = 0; i < bench->peer_count; i++) {
        const struct cell *cell = &bench->cells[row][i];
        const char *name = bench->peers[i].name;
        double p50 = median(cell->p50_us, bench->rounds);
        double p99 = median(cell->p99_us, bench->rounds);
        double cpu = median(cell->cpu_us, bench->rounds);
        if (strcmp(name, "direct") == 0)
            direct = p50;
        printf("%-28s %-14s %9.0f %9.0f %9.0f %9.1f", i ? "" : rows[row].name, name, p50, p99,
               direct > 0 ? p50 - direct : 0, cpu);
        if (cell->failures)
            printf("  %" PRIu64 " of %" PRIu64 " calls failed", cell->failures, cell->calls);
        printf("\n");
        json_array_append_new(out, json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:I, s:I}", "row",
                                             rows[row].name, "peer", name, "clients",
                                             (int)rows[row].clients, "p50Us", p50, "p99Us", p99,
                                             "cpuUs", cpu, "calls", (json_int_t)cell->calls,
                                             "failures", (json_int_t)cell->failures));
    }
}

static double median_of(const struct bench *bench, const char *method, unsigned clients,
                        size_t peer)
{
    for (size_t row = 0; row < ROWS; row++) {
        if (strcmp(rows[row].method, method) == 0 && rows[row].clients == clients)
            return median(bench->cells[row][peer].p50_us, bench->rounds);
    }
    return 0;
}

/* What judging and recording add to a pod's call, against what the disk asks for one record. */
static json_t *print_pods(const struct bench *bench)
{
    json_t *out = json_object();
    double sync = median(bench->sync_us, bench->rounds);
    json_object_set_new(out, "fdatasyncUs", json_real(sync));
    printf("\nwrite and fdatasync of one record on this disk: %.0f us\n", sync);
    printf("%-28s %-14s %14s %9s\n", "RunPodSandbox", "", "us over relay", "calls/s");
    for (size_t i = 0; i < bench->peer_count; i++) {
        double added = median_of(bench, RUN_POD, 1, i) - median_of(bench, SAME_BYTES, 1, i);
        printf("%-28s %-14s %14.0f %9.0f\n", "", bench->peers[i].name, added,
               bench->peers[i].sustained);
        json_object_set_new(out, bench->peers[i].name,
                            json_pack("{s:f, s:f}", "overRelayUs", added, "callsPerSecond",
                                      bench->peers[i].sustained));
    }
    return out;
}

/* They stay in the gate's table: nothing removes them here. */
static uint64_t sandboxes_made(const struct bench *bench, size_t peer)
{
    uint64_t made = 0;
    for (size_t row = 0; row < ROWS; row++) {
        if (strcmp(rows[row].method, RUN_POD) == 0)
            made += bench->cells[row][peer].calls;
    }
    return made;
}

static int print_all(const struct bench *bench)
{
    json_t *numbers = json_array(), *memory = json_object();
    printf("%-28s %-14s %9s %9s %9s %9s\n", "us a call", "", "p50", "p99", "p50 added", "CPU");
    for (size_t row = 0; row < ROWS; row++)
        print_row(bench, row, numbers);
    for (size_t i = 0; i < bench->peer_count; i++) {
        uint64_t rss = peer_rss_kib(&bench->peers[i]);
        if (rss)
            printf("%-28s %-14s %9.1f  with %" PRIu64 " sandboxes made, none removed\n",
                   "resident memory, MiB", bench->peers[i].name, (double)rss / 1024,
                   sandboxes_made(bench, i));
        json_object_set_new(memory, bench->peers[i].name, json_integer((json_int_t)rss));
    }
    json_t *all =
        json_pack("{s:i, s:i, s:o, s:o, s:o}", "rounds", (int)bench->rounds, "slotMs", SLOT_MS,
                  "numbers", numbers, "pods", print_pods(bench), "rssKiB", memory);
    int failed = bench->json ? json_dump_file(all, bench->json, JSON_INDENT(1)) : 0;
    if (failed)
        fprintf(stderr, "bench: %s cannot be written\n", bench->json);
    json_decref(all);
    return failed ? 1 : 0;
}

/* Client and containerd share the first processor, each proxy has the second. */
static int bind_processors(void)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return -1;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    sched_setaffinity(0, sizeof(set), &set);
    return 1;
}

static bool start_all(struct bench *bench)
{
    int cpu = bind_processors();
    snprintf(bench->paths.upstream, sizeof(bench->paths.upstream), "%s/containerd.sock",
             bench->paths.dir);
    bench->fake = process_start_fake(bench->paths.fake, bench->paths.upstream, cpu < 0 ? -1 : 0);
    if (bench->fake < 0) {
        fprintf(stderr, "bench: %s does not start\n", bench->paths.fake);
        return false;
    }
    for (size_t i = 0; i < bench->peer_count; i++) {
        if (!peer_start(&bench->peers[i], bench->names[i], &bench->paths, cpu))
            return false;
    }
    return true;
}

static void stop_all(struct bench *bench)
{
    for (size_t i = 0; i < bench->peer_count; i++) {
        if (bench->peers[i].pid > 0)
            process_kill(bench->peers[i].pid);
    }
    if (bench->fake > 0)
        process_kill(bench->fake);
}

int main(int argc, char **argv)
{
    static struct bench bench = {.rounds = 12};
    static const char *const all[] = {"direct", "crigate", "crigate-tmpfs", "haproxy", "nginx"};
    argp_parse(&parser, argc, argv, 0, NULL, &bench);
    if (bench.peer_count == 0) {
        memcpy(bench.names, all, sizeof(all));
        bench.peer_count = sizeof(all) / sizeof(*all);
    }
    bench.requests[REQUEST_EMPTY] = grpc_empty_slice();
    bench.requests[REQUEST_SANDBOX] = sandbox_request();
    bench.requests[REQUEST_CONTAINER] = container_request();
    int failed = 1;
    if (start_all(&bench)) {
        grpc_init(); /* after the last fork */
        run_rounds(&bench);
        failed = print_all(&bench);
        grpc_shutdown();
    }
    stop_all(&bench);
    for (size_t i = 0; i < REQUEST_COUNT; i++)
        grpc_slice_unref(bench.requests[i]);
    return failed;
}
