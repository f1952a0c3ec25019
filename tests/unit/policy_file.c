/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: the default one and what it decides. */
#include <criterion/criterion.h>

#include "config/policy_file.h"

#define HEAD                                                                        \
    "apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: p}\nruntimes:\n" \
    "- {handler: runc, isolation: hostKernel, default: true}\n"                     \
    "- {handler: runsc, aliases: [gvisor], isolation: sandbox}\n"
#define TAIL "otherwise: {run: requested}\n"

static struct policy *parse(const char *text, struct diags *diags)
{
    struct policy *policy = NULL;
    int rc = policy_file_parse("p.yaml", str_of(text), diags, &policy);
    cr_assert_eq(rc, 0, "of %s: %s", text, diags->count ? diags->items[0].message : "?");
    return policy;
}

#define OWNED_POLICY OWNED(own_policy) struct policy *

static struct decision decide(const struct policy *policy, const struct pod_facts *pod)
{
    struct decision decision;
    struct label_set none = {0};
    policy_decide(policy, pod, &none, &decision);
    return decision;
}

static const struct pod_facts plain = {
    .namespace = {"shop", 4}, .name = {"web", 3}, .uid = {"", 0}, .handler = {"", 0}};

Test(policy_file, loads_the_default_policy)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = NULL;
    cr_assert_eq(policy_file_load(SOURCE_ROOT "/config/policy.yaml", &diags, &policy), 0);
    cr_assert_eq(diags.count, 0);
    cr_assert_eq(policy_rule_count(policy), 3);
    cr_assert(str_eq(policy_name(policy), STR("agent-node")));
    cr_assert_eq(policy_mode(policy), POLICY_ENFORCE);
    struct label pod_label = {.key = STR("agenttier.io/managed"), .value = STR("true")};
    struct label node_label = {.key = STR("agenttier.io/runtime"), .value = STR("gvisor")};
    struct pod_facts pod = plain;
    struct label_set node;
    struct str twice;
    struct decision decision;
    cr_assert_eq(label_set_make(&pod_label, 1, &pod.labels, &twice), 0);
    cr_assert_eq(label_set_make(&node_label, 1, &node, &twice), 0);
    policy_decide(policy, &pod, &node, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    cr_assert(str_eq(decision.verdict.effective->handler, STR("runsc")));
    cr_assert_eq(decision.verdict.effective->cannot & ABILITY_PRIVILEGED, 0);
    cr_assert(decision.verdict.effective->cannot & ABILITY_BIDIRECTIONAL_MOUNTS);
}

Test(policy_file, knows_the_digest_of_its_bytes)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = parse("\ufeff" HEAD TAIL, &diags);
    cr_assert_eq(strlen(policy_sha256(policy)), 64);
    OWNED_POLICY other = parse(HEAD TAIL, &diags);
    cr_assert_str_neq(policy_sha256(policy), policy_sha256(other));
}

Test(policy_file, needs_no_rules)
{
    static const char *const texts[] = {HEAD TAIL, HEAD "rules: []\n" TAIL,
                                        "rules: []\n" TAIL HEAD};
    for (size_t i = 0; i < 3; i++) {
        OWNED_DIAGS struct diags diags = {0};
        OWNED_POLICY policy = parse(texts[i], &diags);
        cr_expect_eq(policy_rule_count(policy), 0);
        struct decision decision = decide(policy, &plain);
        cr_expect(str_eq(decision.verdict.effective->handler, STR("runc")));
    }
}

Test(policy_file, reads_every_matcher_and_action)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = parse(
        HEAD
        "mode: observe\n"
        "rules:\n"
        "- name: one\n"
        "  match:\n"
        "    handlers: [gvisor, \"\"]\n"
        "    namespaces: [shop, kube-*]\n"
        "    names: [we?]\n"
        "    pod: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: In, values: [d]}, "
        "{key: e, operator: NotIn, values: [f]}, {key: g, operator: Exists}, "
        "{key: h, operator: DoesNotExist}]}\n"
        "    annotations: {matchLabels: {i: any text at all}}\n"
        "    node: {matchLabels: {zone: z}}\n"
        "    annotationKeys: [\"dev.gvisor.*\"]\n"
        "    hostNetwork: true\n"
        "    hostPID: false\n"
        "    hostIPC: true\n"
        "    privileged: false\n"
        "  run: gvisor\n"
        "  mode: observe\n"
        "- {name: two, match: {}, run: runc, allowDowngrade: true, mode: enforce}\n" TAIL,
        &diags);
    cr_assert_eq(policy_rule_count(policy), 2);
    cr_assert_eq(policy_mode(policy), POLICY_OBSERVE);
    cr_assert_eq(policy_rule_at(policy, 0)->at.line, 9);
    cr_assert_eq(policy_rule_at(policy, 0)->at.column, 3);
    struct label labels[] = {{.key = STR("a"), .value = STR("b")},
                             {.key = STR("c"), .value = STR("d")},
                             {.key = STR("g"), .value = STR("")}};
    struct label annotations[] = {{.key = STR("i"), .value = STR("any text at all")},
                                  {.key = STR("dev.gvisor.x"), .value = STR("")}};
    struct label zone = {.key = STR("zone"), .value = STR("z")};
    struct pod_facts pod = plain;
    struct label_set node;
    struct str twice;
    pod.host_network = pod.host_ipc = true;
    cr_assert_eq(label_set_make(labels, 3, &pod.labels, &twice), 0);
    cr_assert_eq(label_set_make(annotations, 2, &pod.annotations, &twice), 0);
    cr_assert_eq(label_set_make(&zone, 1, &node, &twice), 0);
    char why[512];
    cr_assert_eq(policy_explain_rule(policy, 0, &pod, &node, why, sizeof(why)), MATCH_YES, "%s",
                 why);
    struct decision decision;
    policy_decide(policy, &pod, &node, &decision);
    cr_assert_eq(decision.observed_count, 1);
    cr_assert(str_eq(decision.verdict.rule->name, STR("two")));
    pod.handler = STR("gvisor");
    policy_decide(policy, &pod, &node, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    cr_assert(str_eq(decision.verdict.effective->handler, STR("runc")));
}

Test(policy_file, warns_at_the_rule)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy =
        parse(HEAD "rules:\n- {name: all, match: {}, run: requested}\n"
                   "- {name: late, match: {namespaces: [x]}, refuse: no never}\n" TAIL,
              &diags);
    cr_assert_not_null(policy);
    cr_assert(diags.errors == 0 && diags.warnings == 1);
    cr_assert_eq(diags.items[0].at.line, 9);
    cr_assert(strstr(diags.items[0].message, "rule \"late\" can never win"));
    cr_assert_str_eq(diags.items[0].hint, "see rule \"all\" at line 8");
}

Test(policy_file, warns_of_a_downgrade_that_cannot_pass)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy =
        parse(HEAD "rules:\n- {name: down, match: {handlers: [runsc]}, run: runc}\n" TAIL, &diags);
    cr_assert_not_null(policy);
    cr_assert_eq(diags.warnings, 1);
    cr_assert(strstr(diags.items[0].hint, "allowDowngrade: true"));
}

Test(policy_file, warns_of_allowDowngrade_without_effect)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy =
        parse(HEAD "otherwise: {refuse: nothing runs, allowDowngrade: true}\n", &diags);
    cr_assert_not_null(policy);
    cr_assert_eq(diags.warnings, 1);
    cr_assert(strstr(diags.items[0].message, "allowDowngrade does nothing"));
}

Test(policy_file, loads_ten_thousand_rules)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs(HEAD "rules:\n", out);
    for (int i = 0; i < 10000; i++)
        fprintf(out,
                "- name: rule-%05d\n  match: {namespaces: [ns-%05d], pod: {matchLabels: {app: "
                "a-%05d}}}\n  run: runsc\n",
                i, i, i);
    fputs(TAIL, out);
    fclose(out);
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = parse(text, &diags);
    cr_assert_eq(policy_rule_count(policy), 10000);
    cr_assert_eq(diags.count, 0);
    free(text);
}

Test(policy_file, says_why_a_file_cannot_be_read)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = NULL;
    struct err err;
    cr_assert_eq(policy_file_load("/nonexistent/p.yaml", &diags, &policy), -1);
    cr_assert_eq(diags_first(&diags, &err), -1);
    cr_assert(strstr(err.text, "/nonexistent/p.yaml: it cannot be opened: No such file"));
    OWNED_DIAGS struct diags directory = {0};
    cr_assert_eq(policy_file_load("/tmp", &directory, &policy), -1);
    cr_assert_null(policy);
}

Test(policy_file, takes_a_file_only_up_to_its_limit)
{
    char path[] = "/tmp/crigate-policy-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, (off_t)POLICY_FILE_MAX + 1), 0);
    close(fd);
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = NULL;
    cr_assert_eq(policy_file_load(path, &diags, &policy), -1);
    cr_assert(strstr(diags.items[0].message, "larger than 16777216 bytes"));
    unlink(path);
}

Test(policy_file, warns_of_globs_that_match_no_name)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = parse(
        HEAD "rules:\n- {name: a, match: {namespaces: [Prod-*, prod-*], names: ['x ', 'x?']}, "
             "refuse: never}\n- {name: b, match: {annotationKeys: ['dev.gvisor,*', "
             "'Dev.gvisor/a_*']}, refuse: never}\n" TAIL,
        &diags);
    cr_assert_not_null(policy);
    cr_assert_eq(diags.errors, 0);
    cr_assert_eq(diags.warnings, 3);
    cr_expect(strstr(diags.items[0].message, "\"Prod-*\" matches nothing"));
    cr_expect(strstr(diags.items[1].message, "\"x \" matches nothing"));
    cr_expect(strstr(diags.items[2].message, "\"dev.gvisor,*\" matches nothing"));
}

#define DEVICES(text)                                                               \
    "apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: p}\nruntimes:\n" \
    "- {handler: runc, isolation: hostKernel, default: true}\n"                     \
    "- {handler: runsc, isolation: sandbox, cannot: [devices], devices: [" text "]}\n" TAIL

Test(policy_file, reads_the_devices_of_a_runtime)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy = parse(DEVICES("'nvidia.com/*', '/dev/nvidia*', '*'"), &diags);
    cr_assert_eq(diags.count, 0);
    OWNED_POLICY narrow = parse(DEVICES("/dev/nvidia*"), &diags);
    struct str device = STR("nvidia.com/gpu=0");
    struct container_facts container = {.name = STR("c"), .devices = &device, .device_count = 1};
    struct decision decision;
    policy_decide_container(policy, STR("runsc"), &plain, &container, NULL, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    policy_decide_container(narrow, STR("runsc"), &plain, &container, NULL, &decision);
    cr_assert_eq(decision.verdict.reason, REASON_INCOMPATIBLE);
}

Test(policy_file, warns_of_devices_that_do_nothing)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {DEVICES("dev/nvidia*"), "\"dev/nvidia*\" matches no path", "\"/dev/nvidia*\""},
        {DEVICES("nvidia.com/gpu"), "\"nvidia.com/gpu\" matches no device", "\"nvidia.com/gpu=*\""},
        {DEVICES("nvidia.com/a/b=c*"), "a CDI name VENDOR/CLASS=NAME", NULL},
        {HEAD
         "- {handler: kata, isolation: sandbox, cannot: [hostPID], devices: [/dev/kvm]}\n" TAIL,
         "devices does nothing here", "add devices to `cannot`"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWNED_DIAGS struct diags diags = {0};
        OWNED_POLICY policy = parse(cases[i].text, &diags);
        cr_assert_not_null(policy);
        cr_assert(diags.errors == 0 && diags.warnings == 1, "%s", cases[i].text);
        cr_expect(strstr(diags.items[0].message, cases[i].message), "%s", diags.items[0].message);
        const char *hint = diags.items[0].hint;
        cr_expect(cases[i].hint ? hint && strstr(hint, cases[i].hint) : !hint, "%s",
                  hint ? hint : "no hint");
    }
}

Test(policy_file, warns_of_an_alias_for_untrusted_pods)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POLICY policy =
        parse(HEAD "- {handler: kata, aliases: [k, untrusted], isolation: sandbox}\n" TAIL, &diags);
    cr_assert_not_null(policy);
    cr_assert(diags.errors == 0 && diags.warnings == 1);
    cr_expect_eq(diags.items[0].at.line, 7);
    cr_expect_eq(diags.items[0].at.column, 32);
    cr_expect(strstr(diags.items[0].message, "io.kubernetes.cri.untrusted-workload"));
    cr_expect(strstr(diags.items[0].hint, "handler named `untrusted`"));
    OWNED_DIAGS struct diags none = {0};
    OWNED_POLICY other = parse(HEAD "- {handler: untrusted, isolation: sandbox}\n" TAIL, &none);
    cr_assert_not_null(other);
    cr_assert_eq(none.count, 0);
}
