/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends the processes of a relay test, and asks what they saw. */
#include "scene.h"

#include <errno.h>
#include <ftw.h>
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define READY_MS 30000

static const char policy[] =
    "apiVersion: crigate/v1\n"
    "kind: RuntimePolicy\n"
    "metadata: {name: relay}\n"
    "mode: %s\n"
    "runtimes:\n"
    "- handler: runc\n"
    "  isolation: hostKernel\n"
    "  default: true\n"
    "- handler: runsc\n"
    "  aliases: [gvisor]\n"
    "  isolation: sandbox\n"
    "  cannot: [hostNetwork, hostPID, hostIPC, devices, recursiveReadOnly]\n"
    "rules:\n"
    "- name: no-forbidden-pods\n"
    "  match: {names: [\"forbidden*\"]}\n"
    "  refuse: this name is forbidden\n"
    "otherwise: {run: requested}\n";

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
}

static const char *program(const char *variable)
{
    const char *path = getenv(variable);
    cr_assert_not_null(path, "%s is not set: run the tests with meson", variable);
    return path;
}

static void write_file(const struct scene *scene, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

void scene_start_fake(struct scene *scene)
{
    scene->fake_pid = process_start_fake(program("FAKE_CONTAINERD"), scene->fake_socket, -1);
    cr_assert_gt(scene->fake_pid, 0, "no fake containerd");
}

void scene_kill_fake(struct scene *scene)
{
    process_kill(scene->fake_pid);
    scene->fake_pid = 0;
    unlink(scene->fake_socket);
}

static void write_settings(struct scene *scene)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "listen: %s\n"
             "upstream: %s\n"
             "policy: %s/policy.yaml\n"
             "peers: {uids: [%u]}\n"
             "node:\n"
             "  name: relay-node\n"
             "  labels: {file: %s/labels}\n"
             "audit: {file: %s}\n",
             scene->gate_socket, scene->fake_socket, scene->dir, getuid(), scene->dir,
             scene->audit);
    write_file(scene, "crigate.yaml", text);
    snprintf(text, sizeof(text), policy, scene->observe ? "observe" : "enforce");
    write_file(scene, "policy.yaml", text);
    write_file(scene, "labels", "agenttier.io/runtime=gvisor\n");
}

static void ask_for_version(struct scene *scene)
{
    struct client client;
    client_open(&client, scene->gate_socket);
    cr_assert_eq(call_unary(&client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    client_close(&client);
}

void scene_start_gate(struct scene *scene)
{
    char config[128];
    snprintf(config, sizeof(config), "%s/crigate.yaml", scene->dir);
    char *argv[] = {(char *)program("CRIGATE"), (char *)"serve", (char *)"--config", config, NULL};
    scene->gate_pid =
        scene->held ? process_start_with_socket(argv, scene->socket) : process_start(argv, -1, -1);
    cr_assert_gt(scene->gate_pid, 0);
    if (scene->held) /* the socket listens anyway: the first answer tells */
        ask_for_version(scene);
    for (uint64_t end = now_ns() + READY_MS * 1000000ull; !process_listens(scene->gate_socket);) {
        cr_assert_eq(waitpid(scene->gate_pid, NULL, WNOHANG), 0, "the gate ended at its start");
        cr_assert_lt(now_ns(), end, "the gate does not listen");
        nap();
    }
}

void scene_term_gate(struct scene *scene)
{
    cr_assert_eq(kill(scene->gate_pid, SIGTERM), 0);
}

int scene_wait_gate(struct scene *scene)
{
    int status = -1;
    cr_assert_eq(waitpid(scene->gate_pid, &status, 0), scene->gate_pid);
    scene->gate_pid = 0;
    return status;
}

pid_t scene_peer(const struct scene *scene)
{
    return scene->gate ? scene->gate_pid : scene->fake_pid;
}

const char *scene_socket(const struct scene *scene)
{
    return scene->gate ? scene->gate_socket : scene->fake_socket;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void scene_allow_audit(const struct scene *scene)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/log", scene->dir);
    cr_assert_eq(mkdir(path, 0700), 0);
}

static void hold_socket(struct scene *scene)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, scene->gate_socket, sizeof(address.sun_path) - 1);
    scene->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(scene->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(scene->socket, SOMAXCONN), 0);
}

static void set_up(struct scene *scene)
{
    strcpy(scene->dir, "/tmp/crigate-relay-XXXXXX");
    cr_assert_not_null(mkdtemp(scene->dir));
    snprintf(scene->fake_socket, sizeof(scene->fake_socket), "%s/containerd.sock", scene->dir);
    snprintf(scene->gate_socket, sizeof(scene->gate_socket), "%s/crigate.sock", scene->dir);
    snprintf(scene->audit, sizeof(scene->audit), "%s/log/here/audit.jsonl", scene->dir);
    if (!scene->no_audit)
        scene_allow_audit(scene);
    scene_start_fake(scene);
    if (scene->held)
        hold_socket(scene);
    grpc_init();
    if (scene->gate) {
        write_settings(scene);
        scene_start_gate(scene);
    }
    client_open(&scene->client, scene_socket(scene));
    client_open(&scene->witness, scene->fake_socket);
}

/* For tests/audit/validate, where the environment has a directory for it. */
static void keep_records(const struct scene *scene)
{
    const char *to = getenv("CRIGATE_TEST_RECORDS");
    if (!to || !scene->gate)
        return;
    char command[4096];
    int length = snprintf(command, sizeof(command),
                          "for f in %s/log/audit*.jsonl; do [ ! -e \"$f\" ] || "
                          "cp \"$f\" \"$CRIGATE_TEST_RECORDS/%s-${f##*/}\" || exit; done",
                          scene->dir, strrchr(scene->dir, '/') + 1);
    cr_assert_lt((size_t)length, sizeof(command));
    cr_expect_eq(system(command), 0, "the audit records cannot be kept in %s", to);
}

static void tear_down(struct scene *scene)
{
    client_close(&scene->client);
    client_close(&scene->witness);
    grpc_shutdown();
    if (scene->gate_pid > 0) {
        scene_term_gate(scene);
        int status = scene_wait_gate(scene);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the gate ended with %#x", status);
    }
    if (scene->fake_pid > 0)
        scene_kill_fake(scene);
    if (scene->held)
        close(scene->socket);
    keep_records(scene);
    nftw(scene->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void play_in(struct scene *scene, scene_fn *play)
{
    set_up(scene);
    play(scene);
    tear_down(scene);
}

void scene_play(scene_fn *play, bool gate)
{
    play_in(&(struct scene){.gate = gate}, play);
}

void scene_play_without_audit(scene_fn *play)
{
    play_in(&(struct scene){.gate = true, .no_audit = true}, play);
}

void scene_play_held(scene_fn *play)
{
    play_in(&(struct scene){.gate = true, .held = true}, play);
}

void scene_play_observing(scene_fn *play)
{
    play_in(&(struct scene){.gate = true, .observe = true}, play);
}

static void tell_fake(struct scene *scene, const char *method, const char *text)
{
    cr_assert_eq(call_unary(&scene->witness, method, "", text, strlen(text), NULL), GRPC_STATUS_OK);
}

void scene_set_sandboxes(struct scene *scene, const char *lines)
{
    tell_fake(scene, "/fake.Fake/Sandboxes", lines);
}

void scene_steer(struct scene *scene, const char *method, const char *headers)
{
    char text[512];
    snprintf(text, sizeof(text), "%s\n%s", method, headers);
    tell_fake(scene, "/fake.Fake/Steer", text);
}

uint64_t scene_saw(struct scene *scene, const char *method, const char *word)
{
    grpc_slice reply;
    cr_assert_eq(call_unary(&scene->witness, "/fake.Fake/Saw", "", method, strlen(method), &reply),
                 GRPC_STATUS_OK);
    char *text = grpc_slice_to_c_string(reply), line[64];
    grpc_slice_unref(reply);
    snprintf(line, sizeof(line), "%s ", word);
    const char *at = strstr(text, line);
    cr_assert_not_null(at, "no %s in: %s", word, text);
    uint64_t value = strtoull(at + strlen(line), NULL, 10);
    gpr_free(text);
    return value;
}

void scene_wait_saw(struct scene *scene, const char *method, const char *word, uint64_t least)
{
    for (uint64_t end = now_ns() + READY_MS * 1000000ull; scene_saw(scene, method, word) < least;) {
        cr_assert_lt(now_ns(), end, "%s: %s stays below %" PRIu64, method, word, least);
        nap();
    }
}

grpc_slice scene_last(struct scene *scene, const char *method)
{
    grpc_slice reply;
    cr_assert_eq(call_unary(&scene->witness, "/fake.Fake/Last", "", method, strlen(method), &reply),
                 GRPC_STATUS_OK);
    return reply;
}

static bool audit_has(const struct scene *scene, const char *word, const char *other)
{
    FILE *file = fopen(scene->audit, "re");
    if (!file)
        return false;
    bool found = false;
    char line[16384];
    while (!found && fgets(line, sizeof(line), file))
        found = strstr(line, word) && strstr(line, other);
    fclose(file);
    return found;
}

void scene_wait_audit(const struct scene *scene, const char *word, const char *other)
{
    for (uint64_t end = now_ns() + READY_MS * 1000000ull; !audit_has(scene, word, other);) {
        cr_assert_lt(now_ns(), end, "no audit record with %s and %s", word, other);
        nap();
    }
}

uint64_t scene_proc(pid_t pid, const char *word)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    size_t len = strlen(word);
    uint64_t value = UINT64_MAX;
    while (value == UINT64_MAX && fgets(line, sizeof(line), file)) {
        if (strncmp(line, word, len) == 0 && line[len] == ':')
            value = strtoull(line + len + 1, NULL, 10);
    }
    fclose(file);
    cr_assert_neq(value, UINT64_MAX, "no %s in %s", word, path);
    return value;
}
