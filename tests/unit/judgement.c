/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision to its consequence: action, code, words, and which handler is put in. */
#include <criterion/criterion.h>

#include "gate/judgement.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* runc (default), runsc alias gvisor that cannot hostNetwork; pods named "bad" are refused, pods
 * named "agent" run under runsc. */
static struct policy *make_policy(enum policy_mode mode)
{
    static const struct str gvisor = {"gvisor", 6}, bad = {"bad", 3}, agent = {"agent", 5};
    const struct runtime_spec runtimes[] = {
        {.handler = STR("runc"), .isolation = ISOLATION_HOST_KERNEL, .is_default = true},
        {.handler = STR("runsc"),
         .aliases = &gvisor,
         .alias_count = 1,
         .isolation = ISOLATION_SANDBOX,
         .cannot = ABILITY_HOST_NETWORK},
    };
    const struct rule_spec rules[] = {
        {.name = STR("no-bad"),
         .match = {.names = {&bad, 1}},
         .action = {.kind = ACTION_REFUSE, .text = STR("not this one")}},
        {.name = STR("agents"),
         .match = {.names = {&agent, 1}},
         .action = {.kind = ACTION_RUN_HANDLER, .text = STR("runsc")}},
    };
    const struct policy_spec spec = {
        .name = STR("test"),
        .sha256 = "0123456789abcdef",
        .mode = mode,
        .runtimes = runtimes,
        .runtime_count = COUNT(runtimes),
        .rules = rules,
        .rule_count = COUNT(rules),
        .otherwise = {.kind = ACTION_RUN_REQUESTED},
    };
    struct policy *policy = NULL;
    struct err err;
    cr_assert_eq(policy_compile(&spec, NULL, NULL, &policy, &err), 0, "%s", err.text);
    return policy;
}

static struct pod_facts pod(const char *name, const char *handler)
{
    return (struct pod_facts){
        .namespace = STR("ns"), .name = str_of(name), .uid = STR("u"), .handler = str_of(handler)};
}

static struct judgement judge(const struct policy *policy, struct pod_facts facts)
{
    struct judgement judgement = {.policy = policy};
    judgement_of_pod(&judgement, &facts, NULL);
    return judgement;
}

Test(judgement, allows_what_names_its_runtime)
{
    OWNED(own_policy) struct policy *policy = make_policy(POLICY_ENFORCE);
    struct judgement judgement = judge(policy, pod("web", "runc"));
    cr_assert_eq(judgement.action, AUDIT_ALLOW);
    cr_assert_not(judgement.refused);
    cr_assert_null(judgement_replaces_handler(&judgement));
}

Test(judgement, puts_the_runtimes_own_name_in)
{
    OWNED(own_policy) struct policy *policy = make_policy(POLICY_ENFORCE);
    static const char *const asked[][3] = {
        {"web", "", "runc"}, {"web", "gvisor", "runsc"}, {"agent", "", "runsc"}};
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct judgement judgement = judge(policy, pod(asked[i][0], asked[i][1]));
        cr_assert_eq(judgement.action, AUDIT_MODIFY);
        const struct policy_runtime *runtime = judgement_replaces_handler(&judgement);
        cr_assert_not_null(runtime);
        cr_assert(str_eq(runtime->handler, str_of(asked[i][2])));
    }
}

Test(judgement, refuses_with_the_reasons_code)
{
    OWNED(own_policy) struct policy *policy = make_policy(POLICY_ENFORCE);
    struct pod_facts on_host = pod("web", "runsc");
    on_host.host_network = true;
    const struct {
        struct pod_facts pod;
        grpc_status_code code;
        const char *words;
    } cases[] = {
        {pod("bad", ""), GRPC_STATUS_PERMISSION_DENIED,
         "crigate: pod ns/bad refused: not this one (rule no-bad, policy test 01234567)"},
        {pod("web", "kata"), GRPC_STATUS_INVALID_ARGUMENT, "\"kata\" is not declared"},
        {on_host, GRPC_STATUS_FAILED_PRECONDITION, "hostNetwork"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judgement judgement = judge(policy, cases[i].pod);
        cr_assert(judgement.refused);
        cr_assert_eq(judgement.action, AUDIT_REFUSE);
        cr_assert_eq(judgement.code, cases[i].code);
        cr_assert_not_null(strstr(judgement.message, cases[i].words), "%s", judgement.message);
    }
}

Test(judgement, only_observes_in_mode_observe)
{
    OWNED(own_policy) struct policy *policy = make_policy(POLICY_OBSERVE);
    struct judgement refused = judge(policy, pod("bad", "")),
                     moved = judge(policy, pod("agent", ""));
    cr_assert_eq(refused.action, AUDIT_WOULD_REFUSE);
    cr_assert_eq(moved.action, AUDIT_WOULD_MODIFY);
    cr_assert(!refused.refused && !moved.refused);
    cr_assert_null(judgement_replaces_handler(&refused));
    cr_assert_null(judgement_replaces_handler(&moved), "the call goes on as it came");
}

Test(judgement, refuses_malformed_and_unrecorded_calls_in_every_mode)
{
    OWNED(own_policy) struct policy *policy = make_policy(POLICY_OBSERVE);
    struct err cause;
    err_set(&cause, "field config: cut short");
    struct judgement malformed = {.policy = policy};
    judgement_malformed(&malformed, &cause);
    cr_assert(malformed.refused && malformed.code == GRPC_STATUS_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(malformed.message, "config: cut short"));

    struct judgement unrecorded = judge(policy, pod("web", "runc"));
    err_set(&cause, "audit log /x: No space left on device");
    judgement_audit_failed(&unrecorded, &cause);
    cr_assert(unrecorded.refused && unrecorded.code == GRPC_STATUS_UNAVAILABLE);
    cr_assert_not_null(strstr(unrecorded.message, "No space left"));
}
