/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: what a verdict tells, what people read about it, and the names of runtimes. */
#include <criterion/criterion.h>

#include "policy/policy.h"

static const struct str aliases[] = {{"gvisor", 6}, {"sandboxed", 9}};
static const struct str listed[] = {{"/dev/nvidia*", 12}};
static const struct runtime_spec runtimes[] = {
    {.handler = {"runsc", 5},
     .aliases = aliases,
     .alias_count = 2,
     .isolation = ISOLATION_SANDBOX,
     .cannot = ABILITY_HOST_PID | ABILITY_DEVICES | ABILITY_RECURSIVE_READ_ONLY,
     .devices = listed,
     .device_count = 1},
    {.handler = {"runc", 4}, .is_default = true},
};

static struct policy *compile(void)
{
    struct policy_spec spec = {.name = STR("agent-node"),
                               .sha256 = "3f9a1c2b00000000",
                               .runtimes = runtimes,
                               .runtime_count = 2,
                               .otherwise = {.kind = ACTION_RUN_REQUESTED}};
    struct policy *policy = NULL;
    struct err err = {""};
    cr_assert_eq(policy_compile(&spec, NULL, NULL, &policy, &err), 0, "%s", err.text);
    return policy;
}

static const struct pod_facts pod = {.namespace = {"agents", 6}, .name = {"build-7", 7}};

Test(containers, a_verdict_tells_the_runtime_the_container_and_the_device)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct str devices[] = {STR("/dev/nvidia0"), STR("/dev/fuse")};
    struct container_facts container = {.name = STR("main"), .devices = devices, .device_count = 2};
    struct decision decision;
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    const struct verdict *verdict = &decision.verdict;
    cr_assert_eq(verdict->action, VERDICT_REFUSE);
    cr_assert_eq(verdict->reason, REASON_INCOMPATIBLE);
    cr_assert_eq(verdict->lacking, ABILITY_DEVICES);
    cr_assert_eq(verdict->container, &container);
    cr_assert_eq(verdict->device.data, devices[1].data);
    cr_assert(str_eq(verdict->effective->handler, STR("runsc")));
    cr_assert_eq(verdict->effective, verdict->requested);
    cr_assert_null(verdict->rule);

    container.device_count = 1;
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    cr_assert_eq(verdict->action, VERDICT_RUN);
    cr_assert_eq(verdict->reason, REASON_NONE);
    cr_assert(!verdict->container && !verdict->device.data && !verdict->modifies);
    policy_decide_container(policy, STR("kata"), &pod, &container, NULL, &decision);
    cr_assert_eq(verdict->reason, REASON_UNKNOWN_RUNTIME);
    cr_assert(!verdict->effective && !verdict->requested);
}

Test(containers, judges_one_of_which_nothing_is_known)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct pod_facts nobody = {0};
    struct container_facts nothing = {0};
    struct decision decision;
    policy_decide_container(policy, (struct str){0}, &nobody, &nothing, NULL, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    cr_assert(str_eq(decision.verdict.effective->handler, STR("runc")));
    /* An empty name that has no bytes at all is a device that cannot be listed. */
    nothing.devices = &(struct str){0};
    nothing.device_count = 1;
    policy_decide_container(policy, STR("runsc"), &nobody, &nothing, NULL, &decision);
    cr_assert_eq(decision.verdict.lacking, ABILITY_DEVICES);
    char text[512];
    verdict_container_message(policy, &nobody, &nothing, &decision.verdict, text, sizeof(text));
    cr_assert(strstr(text, "with the device \"\"; remove"), "%s", text);
}

Test(containers, foreign_bytes_cannot_forge_a_message)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct str device = STR("/dev/\"x\"\n\x1b[2J\xe2\x80\xae");
    struct container_facts container = {
        .name = STR("main refused:\r\x07"), .devices = &device, .device_count = 1};
    struct decision decision;
    char text[1024];
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    verdict_container_message(policy, &pod, &container, &decision.verdict, text, sizeof(text));
    cr_assert_str_eq(text, "crigate: container agents/build-7/main refused:\\x0d\\x07 refused: "
                           "runtime \"runsc\" cannot do devices, which the container asks for with "
                           "the device \"/dev/\\\"x\\\"\\x0a\\x1b[2J\\xe2\\x80\\xae\"; remove that "
                           "from the pod, run it under another runtime, or list the device in the "
                           "runtime's `devices` (policy agent-node 3f9a1c2b)");
    container = (struct container_facts){.name = STR("c"), .recursive_read_only = STR("/\"\n")};
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    verdict_container_message(policy, &pod, &container, &decision.verdict, text, sizeof(text));
    cr_assert(strstr(text, "recursiveReadOnly at \"/\\\"\\x0a\"; remove"), "%s", text);
    policy_decide_container(policy, STR("k\"\n\0"), &pod, &container, NULL, &decision);
    verdict_container_message(policy, &pod, &container, &decision.verdict, text, sizeof(text));
    cr_assert(strstr(text, "runs under handler \"k\\\"\\x0a\\x00\", which the policy"), "%s", text);
}

Test(containers, a_restored_pod_names_its_container)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct container_facts containers[] = {{.name = STR("one")},
                                           {.name = STR("t\"w\no"), .host_pid = true}};
    struct pod_facts restored = pod;
    restored.handler = STR("runsc");
    restored.containers = containers;
    restored.container_count = 2;
    struct decision decision;
    char text[512];
    policy_decide(policy, &restored, NULL, &decision);
    cr_assert_eq(decision.verdict.container, &containers[1]);
    verdict_message(policy, &restored, &decision.verdict, text, sizeof(text));
    cr_assert_str_eq(text, "crigate: pod agents/build-7 refused: runtime \"runsc\" cannot do "
                           "hostPID, which its container \"t\\\"w\\x0ao\" asks for with "
                           "spec.hostPID: true; remove that from the pod, or run it under another "
                           "runtime (rule otherwise, policy agent-node 3f9a1c2b)");
}

/* Names are cut, so that what happened and where it is written both stand in the message. */
Test(containers, long_names_leave_room_for_the_reason)
{
    static char long_text[5000];
    memset(long_text, 'x', sizeof(long_text));
    struct str name = {long_text, sizeof(long_text)};
    OWNED(own_policy) struct policy *policy = compile();
    struct pod_facts long_pod = {.namespace = name, .name = name};
    struct container_facts container = {.name = name, .devices = &name, .device_count = 1};
    struct decision decision;
    char text[2048];
    policy_decide_container(policy, STR("runsc"), &long_pod, &container, NULL, &decision);
    size_t len = verdict_container_message(policy, &long_pod, &container, &decision.verdict, text,
                                           sizeof(text));
    cr_assert_eq(len, strlen(text));
    cr_assert(strstr(text, "cannot do devices"));
    cr_assert(strstr(text, "is neither (policy agent-node 3f9a1c2b)"), "%s", text);
}

Test(containers, every_size_of_buffer_is_safe)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct container_facts container = {.name = STR("m\xc3\xa9\x01"), .host_pid = true};
    struct decision decision;
    char text[512];
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    for (size_t size = 0; size < sizeof(text); size++) {
        memset(text, '#', sizeof(text));
        size_t len =
            verdict_container_message(policy, &pod, &container, &decision.verdict, text, size);
        cr_assert(size == 0 ? text[0] == '#' : (len < size && text[len] == '\0'));
        cr_assert_eq(text[size], '#');
    }
    container.host_pid = false;
    policy_decide_container(policy, STR("runsc"), &pod, &container, NULL, &decision);
    cr_assert_eq(
        verdict_container_message(policy, &pod, &container, &decision.verdict, text, sizeof(text)),
        0);
    cr_assert_str_eq(text, "");
}

Test(containers, a_sandbox_that_containerd_does_not_tell_of)
{
    OWNED(own_policy) struct policy *policy = compile();
    struct container_facts container = {.name = STR("main")};
    struct verdict verdict = {.reason = REASON_SANDBOX_UNKNOWN};
    char text[512];
    verdict_container_message(policy, &pod, &container, &verdict, text, sizeof(text));
    cr_assert_str_eq(text, "crigate: container agents/build-7/main refused: containerd did not "
                           "tell the runtime of its sandbox; the kubelet tries again by itself "
                           "(policy agent-node 3f9a1c2b)");
}

Test(containers, the_names_that_a_kubelet_may_ask_by)
{
    static const char *const names[] = {"runsc", "gvisor", "sandboxed", "runc", ""};
    static const char *const means[] = {"runsc", "runsc", "runsc", "runc", "runc"};
    OWNED(own_policy) struct policy *policy = compile();
    cr_assert_eq(policy_handler_count(policy), 5);
    for (size_t i = 0; i < 5; i++) {
        struct policy_handler handler = policy_handler_at(policy, i);
        cr_expect(str_eq(handler.name, str_of(names[i])), "%zu", i);
        cr_expect(str_eq(handler.runtime->handler, str_of(means[i])), "%zu", i);
        cr_expect_eq(handler.runtime, policy_resolve(policy, handler.name));
    }
    cr_expect_null(policy_resolve(policy, STR("kata")));
}
