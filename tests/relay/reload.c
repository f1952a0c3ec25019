/* SPDX-License-Identifier: Apache-2.0 */
/* Policy and labels change while the gate serves: no call fails for it, and each record names what
 * was in force. */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"
#include "scene.h"

#define RUN SERVICE "RunPodSandbox"

#define RELOADS 1000
#define CALLS_A_RELOAD 5
#define CALL_NS (1000000000ull / 500)
#define GROWTH_MAX_KIB 2048

/* A sanitizer's own memory would be measured; the gate may be built with another than this test. */
static bool measures(void)
{
#ifdef __SANITIZE_ADDRESS__
    return false;
#else
    return getenv("TSAN_OPTIONS") == NULL;
#endif
}

static const char *const unlucky[] = {"alpha", "beta"};

/* --- files --------------------------------------------------------------------------------- */

static const char *in(const struct scene *scene, const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", scene->dir, name);
    return path;
}

static void write_file(const struct scene *scene, const char *name, const char *text)
{
    FILE *out = fopen(in(scene, name), "we");
    cr_assert_not_null(out, "%s", in(scene, name));
    fputs(text, out);
    cr_assert_eq(fclose(out), 0);
}

static void replace_file(const struct scene *scene, const char *name, const char *text)
{
    write_file(scene, ".new", text);
    cr_assert_eq(rename(in(scene, ".new"), in(scene, name)), 0);
}

/* A policy of its own for each version; pods whose name begins with `refused` may not run. */
static void write_policy(char text[1024], int version, const char *refused)
{
    snprintf(text, 1024,
             "# version %d\n"
             "apiVersion: crigate/v1\n"
             "kind: RuntimePolicy\n"
             "metadata: {name: relay}\n"
             "mode: enforce\n"
             "runtimes:\n"
             "- {handler: runc, isolation: hostKernel, default: true}\n"
             "- {handler: runsc, isolation: sandbox}\n"
             "rules:\n"
             "- name: refused-names\n"
             "  match: {names: [\"%s*\"]}\n"
             "  refuse: not by this name\n"
             "- name: gvisor-nodes\n"
             "  match:\n"
             "    names: [\"by-label*\"]\n"
             "    node: {matchLabels: {agenttier.io/runtime: gvisor}}\n"
             "  run: runsc\n"
             "otherwise: {run: requested}\n",
             version, refused);
}

static void hash(const char *text, char hex[65])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), digest);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* --- calls --------------------------------------------------------------------------------- */

static grpc_status_code run_pod(struct scene *scene, const char *name)
{
    grpc_slice request = message_pod(name, "");
    grpc_status_code code = call_unary(&scene->client, RUN, "", GRPC_SLICE_START_PTR(request),
                                       GRPC_SLICE_LENGTH(request), NULL);
    grpc_slice_unref(request);
    return code;
}

/* The next call is judged by the policy that the log says is in force. */
static void expect_refused(struct scene *scene, const char *refused, const char *runs)
{
    cr_assert_eq(run_pod(scene, refused), GRPC_STATUS_PERMISSION_DENIED, "%s runs", refused);
    cr_assert_eq(run_pod(scene, runs), GRPC_STATUS_OK, "%s does not run", runs);
}

static void call_once(struct scene *scene, int number)
{
    static const char *const methods[] = {SERVICE "Version", SERVICE "ListContainers"};
    if (number % 2 == 0) {
        cr_assert_eq(call_unary(&scene->client, methods[number / 2 % 2], "", "", 0, NULL),
                     GRPC_STATUS_OK);
        return;
    }
    grpc_status_code code = run_pod(scene, number % 3 ? unlucky[number / 2 % 2] : "plain");
    cr_assert(code == GRPC_STATUS_OK || (number % 3 && code == GRPC_STATUS_PERMISSION_DENIED),
              "call %d: code %d", number, code);
}

static void sleep_until(uint64_t ns)
{
    uint64_t now = now_ns();
    if (now < ns)
        nanosleep(&(struct timespec){.tv_sec = (time_t)((ns - now) / 1000000000),
                                     .tv_nsec = (long)((ns - now) % 1000000000)},
                  NULL);
}

/* --- the audit log ------------------------------------------------------------------------- */

struct replay {
    const char (*written)[65]; /* the hashes of what the file held */
    char in_force[65];
    int loaded, decided, refused;
};

static const char *text_of(json_t *record, const char *object, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(record, object), key));
    return text ? text : "";
}

/* -1: no file held it. */
static int version_of(const struct replay *replay, const char *sha256)
{
    for (int i = 0; i < RELOADS; i++) {
        if (strcmp(replay->written[i], sha256) == 0)
            return i;
    }
    return -1;
}

static void replay_loaded(struct replay *replay, json_t *record)
{
    const char *sha256 = text_of(record, "policy", "sha256");
    if (replay->in_force[0]) { /* the first is the scene's own */
        cr_assert_geq(version_of(replay, sha256), 0, "a policy that no file held: %s", sha256);
        cr_assert_str_eq(text_of(record, "previous", "sha256"), replay->in_force);
        replay->loaded++;
    }
    strcpy(replay->in_force, sha256);
}

/* By what the log says is in force, and as that policy says. */
static void replay_decided(struct replay *replay, json_t *record)
{
    const char *sha256 = text_of(record, "policy", "sha256"),
               *name = text_of(record, "pod", "name");
    cr_assert_str_eq(sha256, replay->in_force, "judged by another policy than the one in force");
    bool refused = strcmp(text_of(record, "decision", "action"), "refuse") == 0;
    int version = version_of(replay, sha256);
    if (version >= 0)
        cr_assert_eq(refused, strcmp(name, unlucky[version % 2]) == 0, "%s by version %d", name,
                     version);
    replay->decided++;
    replay->refused += refused;
}

static void replay_log(const struct scene *scene, struct replay *replay)
{
    char line[16384];
    FILE *log = fopen(scene->audit, "re");
    cr_assert_not_null(log);
    while (fgets(line, sizeof(line), log)) {
        json_t *record = json_loads(line, 0, NULL);
        const char *type = json_string_value(json_object_get(record, "type"));
        const char *stage = json_string_value(json_object_get(record, "stage"));
        cr_assert(record && type, "%s", line);
        if (strcmp(type, "policy.loaded") == 0)
            replay_loaded(replay, record);
        else if (strcmp(type, "pod.decision") == 0 && strcmp(stage, "decided") == 0)
            replay_decided(replay, record);
        json_decref(record);
    }
    fclose(log);
}

/* --- tests --------------------------------------------------------------------------------- */

GATE(reloads_a_thousand_times_under_load)
{
    static char written[RELOADS][65];
    char text[1024];
    uint64_t start = now_ns(), resident = 0;
    int calls = 0;
    for (int version = 0; version < RELOADS; version++) {
        write_policy(text, version, unlucky[version % 2]);
        hash(text, written[version]);
        replace_file(scene, "policy.yaml", text);
        for (int i = 0; i < CALLS_A_RELOAD; i++) {
            call_once(scene, calls++);
            sleep_until(start + (uint64_t)calls * CALL_NS);
        }
        if (version == RELOADS / 10)
            resident = scene_proc(scene->gate_pid, "VmRSS");
    }
    uint64_t took = now_ns() - start, grown = scene_proc(scene->gate_pid, "VmRSS") - resident;
    scene_wait_audit(scene, "policy.loaded", written[RELOADS - 1]);
    struct replay replay = {.written = written};
    replay_log(scene, &replay);
    printf("%d reloads taken of %d, %d calls in %" PRIu64 " ms, %d pods judged, %d refused, "
           "resident %+" PRId64 " KiB\n",
           replay.loaded, RELOADS, calls, took / 1000000, replay.decided, replay.refused,
           (int64_t)grown);
    cr_assert_geq(replay.loaded, RELOADS / 4);
    cr_assert_geq(replay.decided, calls / 4);
    cr_assert_geq(replay.refused, 1);
    if (measures())
        cr_assert_lt((int64_t)grown, GROWTH_MAX_KIB);
}

/* The gate's standard error goes to a file from now on. */
static void restart_with_log(struct scene *scene)
{
    scene_term_gate(scene);
    scene_wait_gate(scene);
    int before = dup(STDERR_FILENO);
    int log = open(in(scene, "gate.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(log, STDERR_FILENO);
    scene_start_gate(scene);
    dup2(before, STDERR_FILENO);
    close(before);
    close(log);
}

static int count_in(const char *path, const char *words)
{
    char line[16384];
    int count = 0;
    FILE *log = fopen(path, "re");
    if (!log)
        return 0;
    while (fgets(line, sizeof(line), log))
        count += strstr(line, words) != NULL;
    fclose(log);
    return count;
}

static void wait_for(const char *path, const char *words, int count)
{
    for (uint64_t end = now_ns() + 30000000000ull; count_in(path, words) < count;) {
        cr_assert_lt(now_ns(), end, "%s: never %d times: %s", path, count, words);
        sleep_until(now_ns() + 5000000);
    }
}

static void wait_log(const struct scene *scene, const char *words, int count)
{
    wait_for(in(scene, "gate.log"), words, count);
}

GATE(keeps_the_policy_when_the_new_one_is_bad)
{
    char text[1024], place[256];
    restart_with_log(scene);
    write_policy(text, 1, "alpha");
    replace_file(scene, "policy.yaml", text);
    wait_log(scene, "is in force, in place of", 1);
    expect_refused(scene, "alpha", "beta");

    snprintf(place, sizeof(place), "policy not taken: %s:5:1: ", in(scene, "policy.yaml"));
    write_policy(text, 2, "beta");
    memcpy(strstr(text, "mode:"), "made:", 5);
    replace_file(scene, "policy.yaml", text);
    wait_log(scene, place, 1);
    scene_wait_audit(scene, "policy.rejected", ":5:1: ");
    expect_refused(scene, "alpha", "beta");

    kill(scene->gate_pid, SIGHUP);
    wait_log(scene, place, 2);
    unlink(in(scene, "policy.yaml"));
    wait_log(scene, "policy not taken: ", 3);
    expect_refused(scene, "alpha", "beta");

    write_policy(text, 3, "beta");
    write_file(scene, "policy.yaml", text);
    wait_log(scene, "is in force, in place of", 2);
    expect_refused(scene, "beta", "alpha");
    kill(scene->gate_pid, SIGHUP);
    wait_log(scene, "is unchanged", 1);
    cr_assert_eq(count_in(scene->audit, "policy.rejected"), 3, "one was told twice");
}

/* What the kubelet does with a mounted ConfigMap: pkg/volume/util/atomic_writer.go. */
static void mount_config_map(struct scene *scene, int version, const char *policy,
                             const char *labels)
{
    char name[64], path[128];
    snprintf(name, sizeof(name), "..2026_11_23_10_00_%02d", version);
    cr_assert_eq(mkdir(in(scene, name), 0755), 0);
    snprintf(path, sizeof(path), "%s/policy.yaml", name);
    write_file(scene, path, policy);
    snprintf(path, sizeof(path), "%s/labels", name);
    write_file(scene, path, labels);
    cr_assert_eq(symlink(name, in(scene, "..data_tmp")), 0);
    cr_assert_eq(rename(in(scene, "..data_tmp"), in(scene, "..data")), 0);
}

static void link_into_config_map(struct scene *scene, const char *name)
{
    char target[64];
    snprintf(target, sizeof(target), "..data/%s", name);
    cr_assert_eq(symlink(target, in(scene, ".link")), 0);
    cr_assert_eq(rename(in(scene, ".link"), in(scene, name)), 0);
}

static void expect_handler(struct scene *scene, const char *handler)
{
    cr_assert_eq(run_pod(scene, "by-label"), GRPC_STATUS_OK);
    grpc_slice last = scene_last(scene, RUN);
    cr_assert_eq(memcmp(GRPC_SLICE_END_PTR(last) - strlen(handler), handler, strlen(handler)), 0,
                 "not under %s", handler);
    grpc_slice_unref(last);
}

GATE(follows_a_mounted_config_map)
{
    char policy[1024], sha256[65];
    write_policy(policy, 0, "alpha");
    hash(policy, sha256);
    mount_config_map(scene, 0, policy, "agenttier.io/runtime=gvisor\n");
    link_into_config_map(scene, "policy.yaml");
    link_into_config_map(scene, "labels");
    scene_wait_audit(scene, "policy.loaded", sha256);
    expect_refused(scene, "alpha", "beta");
    expect_handler(scene, "runsc");
    for (int version = 1; version < 10; version++) {
        write_policy(policy, version, unlucky[version % 2]);
        hash(policy, sha256);
        mount_config_map(scene, version, policy,
                         version % 2 ? "x=y\n" : "agenttier.io/runtime=gvisor\n");
        scene_wait_audit(scene, "policy.loaded", sha256);
        wait_for(scene->audit, "node.labels", version);
        expect_refused(scene, unlucky[version % 2], unlucky[(version + 1) % 2]);
        expect_handler(scene, version % 2 ? "runc" : "runsc");
    }
    scene_wait_audit(scene, "node.labels",
                     "{\"key\":\"agenttier.io/runtime\",\"before\":\"gvisor\",\"after\":null}");
}

GATE(follows_the_label_file)
{
    char policy[1024], place[256];
    restart_with_log(scene);
    write_policy(policy, 0, "alpha");
    replace_file(scene, "policy.yaml", policy);
    wait_log(scene, "is in force, in place of", 1);
    expect_handler(scene, "runsc");
    write_file(scene, "labels", "agenttier.io/runtime=runc\n");
    wait_log(scene, "node labels, from file: agenttier.io/runtime: gvisor → runc", 1);
    expect_handler(scene, "runc");

    write_file(scene, "labels", "agenttier.io/runtime=gvisor\nwrong\n");
    snprintf(place, sizeof(place), "node labels not taken: %s:2:1: ", in(scene, "labels"));
    wait_log(scene, place, 1);
    expect_handler(scene, "runc");
    write_file(scene, "labels", "agenttier.io/runtime=runc\n");
    wait_log(scene, "is right again", 1);

    unlink(in(scene, "labels"));
    scene_wait_audit(scene, "node.labels", "{\"known\":false");
    cr_assert_eq(run_pod(scene, "by-label"), GRPC_STATUS_UNAVAILABLE, "nobody knows the labels");
    cr_assert_eq(run_pod(scene, "beta"), GRPC_STATUS_OK, "it does not depend on labels");

    replace_file(scene, "labels", "agenttier.io/runtime=gvisor\n");
    wait_log(scene, "node labels: known now, from file", 1);
    expect_handler(scene, "runsc");
    replace_file(scene, "labels", "agenttier.io/runtime=gvisor\n");
    kill(scene->gate_pid, SIGHUP);
    wait_log(scene, "is read again", 1);
    cr_assert_eq(count_in(scene->audit, "node.labels"), 3, "no change was told as one");
}

GATE(lives_through_hangups_and_ends_once)
{
    for (int i = 0; i < 100; i++)
        kill(scene->gate_pid, SIGHUP);
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    for (int i = 0; i < 10; i++)
        kill(scene->gate_pid, i % 2 ? SIGINT : SIGTERM);
}
