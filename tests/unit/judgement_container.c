/* SPDX-License-Identifier: Apache-2.0 */
/* Containers and image handlers: from a verdict to what the gate does, in which words. */
#include <criterion/criterion.h>

#include "config/policy_file.h"
#include "gate/judgement.h"

#define POLICY(mode)                                                                       \
    "{apiVersion: crigate/v1, kind: RuntimePolicy, metadata: {name: p}, mode: " mode ", "  \
    "runtimes: [{handler: runc, isolation: hostKernel, default: true}, {handler: runsc, "  \
    "aliases: [gvisor], isolation: sandbox, cannot: [privileged]}], rules: [{name: held, " \
    "match: {annotationKeys: ['held']}, refuse: not while it is held}], "                  \
    "otherwise: {run: requested}}"

static struct policy *policy_of(const char *text)
{
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    int result = policy_file_parse("policy", str_of(text), &diags, &policy);
    diags_print(&diags, stderr);
    cr_assert_eq(result, 0);
    return policy;
}

static const struct container_facts plain = {.name = {"main", 4}};
static const struct container_facts privileged = {.name = {"main", 4}, .privileged = true};

static struct judgement taken(const struct policy *policy, const struct container_facts *container)
{
    struct pod_facts pod = {
        .namespace = STR("ns"), .name = STR("web"), .uid = STR("u"), .handler = STR("")};
    struct judgement judgement = {.policy = policy, .of_container = true};
    judgement_takes_container(&judgement, STR("1f"), &pod, container);
    return judgement;
}

static struct judgement judge(const struct policy *policy, const char *handler,
                              const struct container_facts *container, const char *image_handler)
{
    struct judgement judgement = taken(policy, container);
    judgement_of_container(&judgement, str_of(handler), str_of(image_handler), NULL);
    return judgement;
}

Test(judgement_container, allows_what_its_runtime_can_do)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    static const char *const handlers[][2] = {{"runsc", ""}, {"runsc", "runsc"}, {"", "runc"}};
    for (size_t i = 0; i < 3; i++) {
        struct judgement judgement = judge(policy, handlers[i][0], &plain, handlers[i][1]);
        cr_expect_eq(judgement.action, AUDIT_ALLOW);
        cr_expect_not(judgement.refused);
        cr_expect_eq(judgement.image_handler.len, 0);
        cr_expect_str_empty(judgement.message);
    }
}

Test(judgement_container, refuses_with_the_reasons_code)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    struct judgement incompatible = judge(policy, "runsc", &privileged, ""),
                     undeclared = judge(policy, "kata", &plain, "");
    cr_expect(incompatible.refused && incompatible.code == GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(incompatible.action, AUDIT_REFUSE);
    cr_expect(strstr(incompatible.message, "crigate: container ns/web/main refused: "), "%s",
              incompatible.message);
    cr_expect(undeclared.refused && undeclared.code == GRPC_STATUS_INVALID_ARGUMENT);
}

Test(judgement_container, follows_the_names_of_image_handlers)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    struct judgement renamed = judge(policy, "runsc", &plain, "gvisor"),
                     unknown = judge(policy, "runsc", &plain, "runcs"),
                     both = judge(policy, "runsc", &privileged, "gvisor");
    cr_expect_eq(renamed.action, AUDIT_MODIFY);
    cr_expect(str_eq(renamed.image_handler, STR("runsc")));
    cr_expect(unknown.refused && unknown.code == GRPC_STATUS_INVALID_ARGUMENT);
    cr_expect_eq(unknown.decision.verdict.reason, REASON_UNKNOWN_RUNTIME);
    cr_expect(strstr(unknown.message, "did you mean"), "%s", unknown.message);
    cr_expect(both.refused && both.code == GRPC_STATUS_FAILED_PRECONDITION);
}

Test(judgement_container, only_observes_in_mode_observe)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("observe"));
    struct judgement refused = judge(policy, "runsc", &privileged, ""),
                     renamed = judge(policy, "runsc", &plain, "gvisor"),
                     unknown = judge(policy, "runsc", &plain, "runcs"),
                     lost = taken(policy, &plain);
    judgement_sandbox_unknown(&lost, GRPC_STATUS_UNAVAILABLE, STR("away"));
    cr_expect_eq(refused.action, AUDIT_WOULD_REFUSE);
    cr_expect_eq(renamed.action, AUDIT_WOULD_MODIFY);
    cr_expect_eq(unknown.action, AUDIT_WOULD_REFUSE);
    cr_expect_eq(lost.action, AUDIT_WOULD_REFUSE);
    cr_expect(!refused.refused && !renamed.refused && !unknown.refused && !lost.refused);
    cr_expect_eq(renamed.image_handler.len, 0, "the call goes on as it came");
}

Test(judgement_container, tells_why_the_sandbox_is_not_known)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    static const struct {
        grpc_status_code told, code;
    } cases[] = {
        {GRPC_STATUS_NOT_FOUND, GRPC_STATUS_NOT_FOUND},
        {GRPC_STATUS_DEADLINE_EXCEEDED, GRPC_STATUS_DEADLINE_EXCEEDED},
        {GRPC_STATUS_CANCELLED, GRPC_STATUS_CANCELLED},
        {GRPC_STATUS_UNAVAILABLE, GRPC_STATUS_UNAVAILABLE},
        {GRPC_STATUS_INTERNAL, GRPC_STATUS_UNAVAILABLE},
        {GRPC_STATUS_OK, GRPC_STATUS_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct judgement judgement = taken(policy, &plain);
        judgement_sandbox_unknown(&judgement, cases[i].told, STR("its\nown words"));
        cr_expect(judgement.refused);
        cr_expect_eq(judgement.code, cases[i].code);
        cr_expect_eq(judgement.decision.verdict.reason, REASON_SANDBOX_UNKNOWN);
        cr_expect(strstr(judgement.message, "its\\x0aown words"), "%s", judgement.message);
    }
}

/* Nothing that a long message pushes out makes room for more than there is. */
Test(judgement_container, cuts_what_containerd_says)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    char text[5000];
    memset(text, 'x', sizeof(text));
    static const grpc_status_code codes[] = {GRPC_STATUS_NOT_FOUND, GRPC_STATUS_INTERNAL};
    for (size_t i = 0; i < 2; i++) {
        struct judgement judgement = taken(policy, &plain);
        judgement_sandbox_unknown(&judgement, codes[i], (struct str){text, sizeof(text)});
        cr_expect_lt(strlen(judgement.message), sizeof(judgement.message));
    }
}

Test(judgement_image, tells_the_fate_of_a_name)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    struct str name;
    cr_expect_eq(judgement_image_fate(policy, STR(""), &name), IMAGE_AS_IT_CAME);
    cr_expect_eq(judgement_image_fate(policy, STR("runsc"), &name), IMAGE_AS_IT_CAME);
    cr_expect_eq(judgement_image_fate(policy, STR("kata"), &name), IMAGE_REFUSED);
    cr_expect_eq(judgement_image_fate(policy, STR("gvisor"), &name), IMAGE_RENAMED);
    cr_expect(str_eq(name, STR("runsc")));
}

Test(judgement_image, says_what_to_do)
{
    OWNED(own_policy) struct policy *policy = policy_of(POLICY("enforce"));
    char text[1200];
    judgement_image_message(policy, STR("runcs"), text, sizeof(text));
    cr_expect(strstr(text, "crigate: image refused: its runtime handler \"runcs\" is not declared"),
              "%s", text);
    cr_expect(strstr(text, "(policy p "), "%s", text);
}
