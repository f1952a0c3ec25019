/* SPDX-License-Identifier: Apache-2.0 */
/* What a judged call's record says: no input and no observing rule is left out in silence. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "config/policy_file.h"
#include "gate/judgement.h"

#define HEAD                                                              \
    "{apiVersion: crigate/v1, kind: RuntimePolicy, metadata: {name: p}, " \
    "runtimes: [{handler: runc, isolation: hostKernel, default: true}, "  \
    "{handler: untrusted, isolation: sandbox}], otherwise: {run: requested}, "
#define RULE(name, rest) "{name: " name ", match: {annotationKeys: ['*']}, " rest "}"

static struct policy *policy_of(const char *text)
{
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    int result = policy_file_parse("policy", str_of(text), &diags, &policy);
    diags_print(&diags, stderr);
    cr_assert_eq(result, 0);
    return policy;
}

static json_t *written(const struct judgement *judgement)
{
    char path[] = "/tmp/crigate-judgement-XXXXXX";
    close(mkstemp(path));
    struct audit *audit;
    struct err err;
    cr_assert_eq(
        audit_open(
            &(struct audit_options){.path = path, .node = STR("node"), .owner = -1, .group = -1},
            &audit, &err),
        0, "%s", err.text);
    cr_assert_eq(judgement_record_decided(judgement, audit, NULL, NULL, &err), AUDIT_QUEUED);
    audit_close(audit);
    OWNED_FILE FILE *file = fopen(path, "re");
    json_decref(json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)); /* segment.open */
    json_t *root = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
    unlink(path);
    cr_assert_not_null(root);
    return root;
}

/* The record of the decision on a pod with so many annotations, the caller's. */
static json_t *record_of(const char *text, size_t annotations, bool untrusted)
{
    static struct label items[200];
    static char keys[200][16];
    OWNED(own_policy) struct policy *policy = policy_of(text);
    struct pod_facts pod = {.namespace = STR("ns"),
                            .name = STR("x"),
                            .uid = STR("u"),
                            .handler = STR(""),
                            .untrusted = untrusted};
    struct str twice;
    for (size_t i = 0; i < annotations; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k-%zu", i);
        items[i] = (struct label){.key = str_of(keys[i]), .value = STR("v")};
    }
    cr_assert_eq(label_set_make(items, annotations, &pod.annotations, &twice), 0);
    struct judgement judgement = {.policy = policy, .request_id = 1, .method = STR("/m")};
    judgement_of_pod(&judgement, &pod, NULL);
    return written(&judgement);
}

static size_t number(json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

Test(judgement_record, counts_the_inputs_that_it_leaves_out)
{
    json_t *root = record_of(HEAD "rules: [" RULE("r", "refuse: 'no'") "]}", 150, false);
    json_t *inputs = json_object_get(root, "inputs");
    size_t kept = json_object_size(json_object_get(inputs, "annotations"));
    cr_expect_gt(kept, 0);
    cr_expect_eq(kept + number(inputs, "dropped"), 150, "%zu kept, %zu dropped", kept,
                 number(inputs, "dropped"));
    json_decref(root);
}

Test(judgement_record, counts_the_observing_rules_that_it_leaves_out)
{
#define OBSERVING(name) RULE(name, "refuse: 'no', mode: observe")
    json_t *root = record_of(HEAD "rules: [" OBSERVING("a") "," OBSERVING("b") "," OBSERVING(
                                 "c") "," OBSERVING("d") "," OBSERVING("e") "," OBSERVING("f") "]}",
                             1, false);
    json_t *decision = json_object_get(root, "decision");
    size_t kept = json_array_size(json_object_get(decision, "observed"));
    cr_expect_eq(kept, DECISION_OBSERVED_MAX);
    cr_expect_eq(kept + number(decision, "observedDropped"), 6);
    json_decref(root);
}

/* containerd goes by the annotation, so that is what the pod runs under. */
Test(judgement_record, tells_what_an_untrusted_pod_runs_under_while_observing)
{
    json_t *root = record_of(HEAD "mode: observe}", 0, true);
    json_t *handler = json_object_get(root, "handler");
    cr_expect_str_eq(json_string_value(json_object_get(handler, "requested")), "untrusted");
    cr_assert_not_null(json_object_get(handler, "effective"));
    cr_expect_str_eq(json_string_value(json_object_get(handler, "effective")), "untrusted");
    json_decref(root);
}

static const char *text_at(json_t *root, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(root, object), key));
}

/* What the sandbox runs under is what its containers asked for, and get. */
Test(judgement_record, tells_of_a_container_and_its_sandbox)
{
    OWNED(own_policy) struct policy *policy = policy_of(HEAD "mode: enforce}");
    struct pod_facts pod = {
        .namespace = STR("ns"), .name = STR("x"), .uid = STR("u"), .handler = STR("")};
    struct container_facts container = {.name = STR("main"), .attempt = 2};
    struct judgement judgement = {.policy = policy, .of_container = true, .method = STR("/m")};
    judgement_takes_container(&judgement, STR("1f"), &pod, &container);
    judgement_of_container(&judgement, STR("untrusted"), STR(""), NULL);
    json_t *root = written(&judgement);
    cr_expect_str_eq(json_string_value(json_object_get(root, "type")), "container.decision");
    cr_expect_str_eq(text_at(root, "container", "name"), "main");
    cr_expect_str_eq(text_at(root, "container", "sandboxId"), "1f");
    cr_expect_str_eq(text_at(root, "handler", "requested"), "untrusted");
    cr_expect_str_eq(text_at(root, "handler", "effective"), "untrusted");
    json_decref(root);
}

/* A handler that nobody knows is not written as an empty one, which means the default. */
Test(judgement_record, tells_no_handler_of_an_unknown_sandbox)
{
    OWNED(own_policy) struct policy *policy = policy_of(HEAD "mode: enforce}");
    struct pod_facts pod = {
        .namespace = STR("ns"), .name = STR("x"), .uid = STR("u"), .handler = STR("")};
    struct container_facts container = {.name = STR("main")};
    struct judgement judgement = {.policy = policy, .of_container = true, .method = STR("/m")};
    judgement_takes_container(&judgement, STR("1f"), &pod, &container);
    judgement_sandbox_unknown(&judgement, GRPC_STATUS_NOT_FOUND, STR("not found"));
    json_t *root = written(&judgement);
    cr_expect_str_eq(text_at(root, "decision", "reason"), "sandboxUnknown");
    cr_expect_null(json_object_get(root, "handler"));
    json_decref(root);
}
