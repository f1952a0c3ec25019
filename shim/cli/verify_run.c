/* SPDX-License-Identifier: Apache-2.0 */
/* One probe: RunPodSandbox, PodSandboxStatus, CreateContainer, StartContainer, ExecSync; then
 * everything that carries the label is stopped and removed, whatever became of the calls. */
#include "cli/verify_run.h"

#include <time.h>

#include "cli/verify_call.h"
#include "cli/verify_stop.h"
#include "gate/inspect.h"
#include "gate/inspect_sandboxes.h"
#include "gate/wire.h"

#define LABEL "crigate/probe"
#define RUN_MS \
    60000 /* containerd may have to fetch its pause image, and a network plugin to wait */
#define CALL_MS 20000
#define EXEC_S 15
#define TRIES 3U
#define SWEEP_MS 10000
#define NAP_MS 100

/* Where containerd's runtimes make their cgroups themselves, "/" leaves no directory above the
 * pod's own; where systemd does, they want a slice. */
#define CGROUP_PARENT "/"
#define SYSTEMD_PARENT "system.slice"
/* runc, libcontainer/specconv/spec_linux.go; gVisor, runsc/cgroup/systemd.go */
#define WANTS_SYSTEMD "slice:prefix:name"

/* A probe in the middle of its calls. */
struct probe {
    const struct probe_setup *setup;
    struct probe_pod pod;
    const char *handler;
    struct arena *arena;
    struct probe_result *result;
    const char *sandbox, *container; /* their ids; NULL before they are known */
};

struct probe_pod probe_pod_first(const struct probe_setup *setup, const char *name)
{
    return (struct probe_pod){.name = name,
                              .namespace = VERIFY_NAMESPACE,
                              .uid = setup->uid,
                              .label = LABEL,
                              .cgroup_parent = CGROUP_PARENT};
}

/* --- the calls of one probe ------------------------------------------------------------------ */

static int fail(struct probe *probe, const char *step, struct str why)
{
    probe->result->step = step;
    probe->result->trouble = why.len ? why : STR("no reason given");
    return -1;
}

static int call(struct probe *probe, const char *path, struct str request, int timeout_ms,
                struct str *reply)
{
    const char *step = strrchr(path, '/') + 1;
    if (verify_stop_asked())
        return fail(probe, step, STR("stopped by a signal"));
    struct answer answer = verify_call(probe->setup->gate, path, request, timeout_ms, probe->arena);
    if (answer.code == GRPC_STATUS_OK) {
        *reply = answer.reply;
        return 0;
    }
    probe->result->code = answer.code;
    return fail(probe, step, answer.message);
}

/* Ids go back into requests as C strings. */
static int keep_id(struct probe *probe, const char *step, struct str reply, const char **id)
{
    struct wire_field field;
    if (!wire_find(reply, 1, &field) || !wire_is_bytes(&field, 1) || field.bytes.len == 0 ||
        memchr(field.bytes.data, '\0', field.bytes.len))
        return fail(probe, step, STR("the answer has no id"));
    struct str copy = arena_str(probe->arena, field.bytes);
    if (!copy.data)
        return fail(probe, step, STR("memory is out"));
    *id = copy.data;
    return 0;
}

static int start_sandbox(struct probe *probe)
{
    struct str reply, id;
    struct str request = verify_run_request(&probe->pod, probe->handler, probe->arena);
    if (call(probe, VERIFY_RUNTIME "RunPodSandbox", request, RUN_MS, &reply) < 0 ||
        keep_id(probe, "RunPodSandbox", reply, &probe->sandbox) < 0)
        return -1;
    request = inspect_sandbox_request(str_of(probe->sandbox), probe->arena);
    if (call(probe, VERIFY_RUNTIME "PodSandboxStatus", request, CALL_MS, &reply) < 0)
        return -1;
    struct err err = {0};
    if (inspect_sandbox_status(reply, &id, &probe->result->handler, &err) < 0)
        return fail(probe, "PodSandboxStatus", STR("the answer is broken"));
    if (!str_eq(id, str_of(probe->sandbox)))
        return fail(probe, "PodSandboxStatus", STR("it answered about another sandbox"));
    return 0;
}

static int start_container(struct probe *probe)
{
    struct str reply;
    struct str request = verify_create_request(&probe->pod, probe->sandbox, probe->setup->image,
                                               probe->setup->keep, probe->arena);
    if (call(probe, VERIFY_RUNTIME "CreateContainer", request, CALL_MS, &reply) < 0 ||
        keep_id(probe, "CreateContainer", reply, &probe->container) < 0)
        return -1;
    request = verify_start_request(probe->container, probe->arena);
    return call(probe, VERIFY_RUNTIME "StartContainer", request, CALL_MS, &reply);
}

static struct str bytes_at(struct str reply, uint32_t number)
{
    struct wire_field field;
    return wire_find(reply, number, &field) && wire_is_bytes(&field, number) ? field.bytes
                                                                             : STR("");
}

/* ExecSyncResponse: stdout 1, stderr 2, exit_code 3, which is absent when it is 0. */
static int ask_container(struct probe *probe)
{
    struct wire_field exit_code;
    struct str reply;
    struct str request =
        verify_exec_request(probe->container, probe->setup->ask, EXEC_S, probe->arena);
    if (call(probe, VERIFY_RUNTIME "ExecSync", request, CALL_MS, &reply) < 0)
        return -1;
    if (wire_find(reply, 3, &exit_code)) {
        struct str said = bytes_at(reply, 2);
        return fail(probe, "ExecSync", said.len ? said : STR("the probe failed in silence"));
    }
    probe->result->output = bytes_at(reply, 1);
    return 0;
}

static void run_once(struct probe *probe)
{
    bool ran =
        start_sandbox(probe) == 0 && start_container(probe) == 0 && ask_container(probe) == 0;
    if (ran)
        probe->result->end = PROBE_ANSWERED;
    else if (!probe->sandbox && probe_refuses(probe->result))
        probe->result->end = PROBE_REFUSED;
    else
        probe->result->end = PROBE_FAILED;
}

/* --- removing -------------------------------------------------------------------------------- */

/* Both signs must be there: another pod is never touched, whoever made it. */
static bool is_ours(const struct sandbox_facts *facts)
{
    return str_eq(facts->pod.namespace, STR(VERIFY_NAMESPACE)) &&
           label_set_find(&facts->pod.labels, STR(LABEL), label_hash(STR(LABEL)));
}

/* The CRI: stopping kills the containers, removing removes them; both succeed where it was done
 * before. */
static int remove_sandbox(const char *gate, struct str id, struct arena *arena, struct err *err)
{
    static const char *const paths[] = {VERIFY_RUNTIME "StopPodSandbox",
                                        VERIFY_RUNTIME "RemovePodSandbox"};
    struct str request = inspect_sandbox_request(id, arena);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct answer answer = verify_call(gate, paths[i], request, RUN_MS, arena);
        if (answer.code != GRPC_STATUS_OK && answer.code != GRPC_STATUS_NOT_FOUND)
            return err_set(err,
                           "the probe's pod sandbox %.*s is left behind (%.*s): run this again, "
                           "which removes it, or `crictl rmp -f %.*s`",
                           STR_FMT(id), STR_FMT(answer.message), STR_FMT(id));
    }
    return 0;
}

/* Once over the list. `*left` counts those of ours that could not be removed; `err` then tells of
 * one. */
static int sweep(const char *gate, size_t *removed, size_t *left, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct sandbox_facts *list = NULL;
    size_t count = 0;
    *left = 0;
    struct answer answer =
        verify_call(gate, VERIFY_RUNTIME "ListPodSandbox", STR(""), CALL_MS, &arena);
    if (answer.code != GRPC_STATUS_OK)
        return err_set(err, "containerd's sandboxes cannot be listed through the gate: %.*s",
                       STR_FMT(answer.message));
    if (inspect_sandboxes(answer.reply, &arena, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!is_ours(&list[i]))
            continue;
        if (remove_sandbox(gate, list[i].id, &arena, err) < 0)
            ++*left;
        else
            ++*removed;
    }
    return 0;
}

/* A kubelet that removes the same pod at the same time makes containerd fail for both of them, for
 * a moment. */
int probe_sweep(const char *gate, size_t *removed, struct err *err)
{
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    *removed = 0;
    for (int waited = 0;; waited += NAP_MS) {
        size_t left;
        if (sweep(gate, removed, &left, err) < 0)
            return -1;
        if (left == 0)
            return 0;
        if (waited >= SWEEP_MS)
            return -1;
        nanosleep(&nap, NULL);
    }
}

/* --- several tries ---------------------------------------------------------------------------- */

static bool wants_systemd(struct str why)
{
    return memmem(why.data, why.len, WANTS_SYSTEMD, sizeof(WANTS_SYSTEMD) - 1) != NULL;
}

/* Whether another pod may fare better. A sandbox that started and then failed its container may
 * have been taken away: a kubelet removes pods that it does not know. */
static bool is_worth_a_try(struct probe *probe)
{
    const struct probe_result *result = probe->result;
    if (result->end != PROBE_FAILED || verify_stop_asked())
        return false;
    if (wants_systemd(result->trouble)) {
        probe->pod.cgroup_parent = SYSTEMD_PARENT;
        return true;
    }
    return probe->sandbox && result->code != GRPC_STATUS_DEADLINE_EXCEEDED;
}

int probe_run(const struct probe_setup *setup, const char *name, const char *handler,
              struct arena *arena, struct probe_result *result, struct err *err)
{
    struct probe probe = {.setup = setup,
                          .pod = probe_pod_first(setup, name),
                          .handler = handler,
                          .arena = arena,
                          .result = result};
    do {
        size_t removed;
        *result = (struct probe_result){.handler = STR(""), .output = STR(""), .trouble = STR("")};
        probe.sandbox = probe.container = NULL;
        run_once(&probe);
        if (probe_sweep(setup->gate, &removed, err) < 0)
            return -1;
    } while (++probe.pod.attempt < TRIES && is_worth_a_try(&probe));
    return 0;
}
