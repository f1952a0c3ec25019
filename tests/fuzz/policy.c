/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a policy: refused with findings that stand in the text, or compiled into a policy
 * that decides. The same bytes go through the reader of Pod manifests. */
#include <stdlib.h>

#include "config/pod_manifest.h"
#include "config/policy_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

static void check_findings(const struct diags *diags, struct str text)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        REQUIRE(diag->message[0] != '\0');
        REQUIRE((diag->at.line == 0) == (diag->line == NULL));
        REQUIRE(diag->at.line <= text.len + 1 && diag->at.column <= text.len + 1);
        REQUIRE(!diag->line || diag->caret <= strlen(diag->line));
        for (const char *byte = diag->line; byte && *byte; byte++)
            REQUIRE((unsigned char)*byte >= 0x20 && *byte != 0x7f);
    }
}

static void decide_container(const struct policy *policy, const struct pod_facts *pod)
{
    struct str devices[] = {STR("/dev/nvidia0"), STR("nvidia.com/gpu=0"), STR("/dev/../mem")};
    struct container_facts container = {.name = STR("c"), .devices = devices, .device_count = 3};
    struct decision decision;
    char text[1024];
    for (size_t i = 0; i < policy_handler_count(policy); i++) {
        struct policy_handler handler = policy_handler_at(policy, i);
        policy_decide_container(policy, handler.name, pod, &container, NULL, &decision);
        REQUIRE((verdict_container_message(policy, pod, &container, &decision.verdict, text,
                                           sizeof(text)) == 0) ==
                (decision.verdict.action == VERDICT_RUN));
    }
}

static void decide(const struct policy *policy)
{
    struct label label = {.key = STR("app"), .value = STR("web")};
    struct pod_facts pod = {
        .namespace = STR("default"), .name = STR("web"), .uid = STR(""), .handler = STR("")};
    struct str twice;
    struct decision decision;
    char text[1024];
    REQUIRE(label_set_make(&label, 1, &pod.labels, &twice) == 0);
    policy_decide(policy, &pod, NULL, &decision);
    policy_decide(policy, &pod, &pod.labels, &decision);
    verdict_message(policy, &pod, &decision.verdict, text, sizeof(text));
    decide_container(policy, &pod);
    for (size_t i = 0; i < policy_rule_count(policy); i++)
        policy_explain_rule(policy, i, &pod, &pod.labels, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.data = (const char *)data, .len = size};
    OWNED_DIAGS struct diags policy_diags = {0}, pod_diags = {0};
    OWNED(own_policy) struct policy *policy = NULL;
    OWNED(pod_manifest_free) struct pod_manifest pod = {0};
    if (policy_file_parse("policy.yaml", text, &policy_diags, &policy) == 0)
        decide(policy);
    else
        REQUIRE(diags_failed(&policy_diags) && !policy);
    int rc = pod_manifest_parse("pod.yaml", text, &pod_diags, &pod);
    REQUIRE((rc == 0) != diags_failed(&pod_diags));
    check_findings(&policy_diags, text);
    check_findings(&pod_diags, text);
    return 0;
}
