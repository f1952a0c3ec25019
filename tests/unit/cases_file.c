/* SPDX-License-Identifier: Apache-2.0 */
/* Files of cases: each form of a pod and of an expectation, and each mistake at its place. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "config/cases_file.h"

#define FOLDER SOURCE_ROOT "/config/"
#define HEAD "apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\ncases:\n"
#define POD "pod: {metadata: {name: a}}"
#define RUN "expect: {run: runc}"

struct bed {
    struct case_policies policies;
    struct diags diags;
    struct cases_file file;
    int rc;
};

static void free_bed(struct bed *bed)
{
    cases_file_free(&bed->file);
    diags_free(&bed->diags);
    case_policies_free(&bed->policies);
}

#define OWNED_BED OWNED(free_bed) struct bed

static void parse_into(struct bed *bed, const char *text)
{
    bed->rc = cases_file_parse(FOLDER "cases.yaml", str_of(text), &bed->policies, &bed->diags,
                               &bed->file);
}

static void parse_good(struct bed *bed, const char *text)
{
    parse_into(bed, text);
    cr_assert_eq(bed->rc, 0, "of %s: %s", text,
                 bed->diags.count ? bed->diags.items[0].message : "?");
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *message,
                         const char *hint)
{
    OWNED_BED bed = {0};
    parse_into(&bed, text);
    cr_expect_eq(bed.rc, -1, "of %s", text);
    cr_assert_eq(bed.diags.errors, 1, "%zu errors of %s: %s", bed.diags.errors, text,
                 bed.diags.count ? bed.diags.items[0].message : "none");
    const struct diag *diag = &bed.diags.items[0];
    cr_expect(strstr(diag->message, message), "of %s: %s", text, diag->message);
    cr_expect(diag->at.line == line && diag->at.column == column, "of %s: %u:%u", text,
              diag->at.line, diag->at.column);
    cr_expect(!hint || (diag->hint && strstr(diag->hint, hint)), "of %s: %s", text,
              diag->hint ? diag->hint : "no hint");
}

/* One case on the fifth line. */
static void expect_case_error(const char *rest, unsigned column, const char *message,
                              const char *hint)
{
    char text[1024];
    snprintf(text, sizeof(text), HEAD "- {name: x, %s}\n", rest);
    expect_error(text, 5, column, message, hint);
}

Test(cases_file, reads_a_manifest_in_the_file)
{
    OWNED_BED bed = {0};
    parse_good(&bed, HEAD "- name: an agent\n  pod:\n    apiVersion: v1\n    kind: Pod\n"
                          "    metadata: {name: b7, namespace: agents, labels: {app: a}}\n"
                          "    spec: {runtimeClassName: gvisor, hostPID: true}\n"
                          "  nodeLabels: {zone: a}\n"
                          "  expect: {run: gvisor, rule: agents-in-gvisor}\n");
    const struct policy_case *one = bed.file.cases;
    cr_assert_eq(bed.file.count, 1);
    cr_assert(str_eq(one->name, STR("an agent")) && one->at.line == 5);
    cr_assert(str_eq(one->pod.handler, STR("gvisor")) && one->pod.host_pid);
    cr_assert(str_eq(one->pod.namespace, STR("agents")));
    cr_assert_eq(one->pod.labels.count, 3); /* the kubelet's name and namespace too */
    cr_assert(one->node.is_known && one->node.labels.count == 1);
    cr_assert(one->expect.runs && str_eq(one->expect.runtime->handler, STR("runsc")));
    cr_assert(str_eq(one->expect.rule, STR("agents-in-gvisor")) && one->expect.rule_index == 1);
}

Test(cases_file, reads_cri_fields_as_they_stand)
{
    OWNED_BED bed = {0};
    parse_good(
        &bed,
        HEAD "- name: x\n  cri: {name: a, uid: u, labels: {app: a}, annotations: "
             "{io.kubernetes.cri.untrusted-workload: \"true\"}, hostNetwork: true, hostIPC: true, "
             "privileged: true, userNamespaces: true, seLinux: true, containers: [{name: c, "
             "devices: [/dev/kvm, a.com/b=c], privileged: true, mounts: [{containerPath: /p}, "
             "{containerPath: /q, recursiveReadOnly: true, bidirectional: true}]}]}\n"
             "  handler: kata\n  nodeLabels: unknown\n"
             "  expect: {refuse: incompatible, container: c, rule: otherwise, message: cannot}\n");
    const struct policy_case *one = bed.file.cases;
    const struct pod_facts *pod = &one->pod;
    cr_assert(pod->untrusted && pod->host_network && !pod->host_pid && pod->host_ipc);
    cr_assert(pod->privileged && pod->user_namespace && pod->selinux);
    cr_assert(str_eq(pod->namespace, STR("default")) && str_eq(pod->handler, STR("kata")));
    cr_assert_eq(pod->labels.count, 1);
    cr_assert_not(one->node.is_known);
    const struct container_facts *container = &one->containers.items[0].facts;
    cr_assert(one->containers.count == 1 && container->device_count == 2 && container->privileged);
    cr_assert(str_eq(container->devices[1], STR("a.com/b=c")));
    cr_assert(str_eq(container->recursive_read_only, STR("/q")));
    cr_assert(str_eq(container->bidirectional, STR("/q")));
    cr_assert(!one->expect.runs && one->expect.reason == REASON_INCOMPATIBLE);
    cr_assert(str_eq(one->expect.container, STR("c")) &&
              str_eq(one->expect.message, STR("cannot")));
}

Test(cases_file, a_case_s_own_node_and_handler_win)
{
    OWNED_BED bed = {0};
    parse_good(&bed, "apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\n"
                     "nodeLabels: {a: b, c: d}\ncases:\n"
                     "- {name: one, " POD ", " RUN "}\n"
                     "- {name: two, " POD ", nodeLabels: {}, " RUN "}\n"
                     "- {name: three, pod: {metadata: {name: a}, spec: {runtimeClassName: x}}, "
                     "handler: \"\", expect: {refuse: true, observed: []}}\n");
    cr_assert_eq(bed.file.cases[0].node.labels.count, 2);
    cr_assert(bed.file.cases[1].node.is_known && bed.file.cases[1].node.labels.count == 0);
    cr_assert_eq(bed.file.cases[2].pod.handler.len, 0);
    cr_assert_eq(bed.file.cases[2].expect.reason, REASON_NONE);
    cr_assert(bed.file.cases[2].expect.says_observed);
}

Test(cases_file, loads_a_policy_once)
{
    OWNED_BED bed = {0};
    OWNED(cases_file_free) struct cases_file other = {0};
    parse_good(&bed, HEAD "- {name: x, " POD ", " RUN "}\n");
    const char *text = "apiVersion: crigate/v1\nkind: PolicyCases\npolicy: ../config/policy.yaml\n"
                       "cases:\n- {name: x, " POD ", " RUN "}\n";
    cr_assert_eq(
        cases_file_parse(FOLDER "other.yaml", str_of(text), &bed.policies, &bed.diags, &other), 0);
    cr_assert_eq(bed.file.policy, other.policy);
    cr_assert_null(bed.policies.first->next);
}

Test(cases_file, reads_a_manifest_of_its_own_file)
{
    char path[] = "/tmp/crigate-pod-XXXXXX", text[512];
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    const char *pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: far}\n"
                      "spec: {runtimeClassName: runsc, hostPID: 5}\n";
    dprintf(fd, "%s", pod);
    close(fd);
    OWNED_BED bad = {0}, good = {0};
    snprintf(text, sizeof(text), HEAD "- {name: x, podFile: %s, " RUN "}\n", path);
    parse_into(&bad, text);
    cr_expect_eq(bad.rc, -1);
    cr_assert_eq(bad.diags.errors, 1);
    cr_expect_str_eq(bad.diags.items[0].path, path);
    cr_expect_eq(bad.diags.items[0].at.line, 4);
    FILE *file = fopen(path, "w");
    fputs("apiVersion: v1\nkind: Pod\nmetadata: {name: far}\nspec: {runtimeClassName: runsc}\n",
          file);
    fclose(file);
    parse_good(&good, text);
    unlink(path);
    cr_expect(str_eq(good.file.cases[0].pod.name, STR("far")));
    cr_expect(str_eq(good.file.cases[0].pod.handler, STR("runsc")));
}

Test(cases_file, refuses_a_wrong_head_at_its_place)
{
    expect_error("[]\n", 1, 1, "a file of cases must be a mapping", NULL);
    expect_error("kind: PolicyCases\npolicy: policy.yaml\ncases: [{name: x, " POD ", " RUN "}]\n",
                 1, 1, "apiVersion is missing", "crigate/v1");
    expect_error("apiVersion: crigate/v1\nkind: PolicyCase\npolicy: policy.yaml\n"
                 "cases: [{name: x, " POD ", " RUN "}]\n",
                 2, 7, "unknown value", "PolicyCases");
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\ncases: [{name: x, " POD ", " RUN
                 "}]\n",
                 1, 1, "policy is missing", "as seen from this file");
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\npolicy: none.yaml\n"
                 "cases: [{name: x, " POD ", expect: {run: zebra, rule: z}}]\n",
                 3, 9, "none.yaml cannot be used", NULL);
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\n", 1, 1,
                 "cases is missing", NULL);
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\ncases: []\n", 4,
                 8, "cases is empty", NULL);
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\nnode: {}\n"
                 "cases: [{name: x, " POD ", " RUN "}]\n",
                 4, 1, "unknown key \"node\"", NULL);
    expect_error("apiVersion: crigate/v1\nkind: PolicyCases\npolicy: policy.yaml\n"
                 "nodeLabels: none\ncases:\n- {name: x, " POD ", " RUN "}\n- {name: z, " POD
                 ", " RUN "}\n",
                 4, 13, "unknown value \"none\"", "or unknown");
}

Test(cases_file, refuses_a_wrong_case_at_its_place)
{
    expect_error(HEAD "- 5\n", 5, 3, "a case must be a mapping", NULL);
    expect_error(HEAD "- {" POD ", " RUN "}\n", 5, 3, "name of the case is missing", NULL);
    expect_error(HEAD "- {name: x, " POD ", " RUN "}\n- {name: x, " POD ", " RUN "}\n", 6, 10,
                 "two cases are called \"x\"", "at line 5");
    expect_case_error("pods: {}, " POD ", " RUN, 13, "unknown key \"pods\"", "\"pod\"");
    expect_case_error(RUN, 3, "the pod of the case is missing", "podFile");
    expect_case_error(POD ", cri: {name: a}, " RUN, 46, "a case has one pod", "keep one");
    expect_case_error("podFile: none.yaml, " RUN, 22, "none.yaml: it cannot be opened", NULL);
    expect_case_error("podFile: 5, " RUN, 22, "podFile must be a string", NULL);
    expect_case_error("pod: {metadata: {}}, " RUN, 29, "metadata.name is missing", NULL);
    expect_case_error("pod: {kind: Deployment, metadata: {name: a}}, " RUN, 25, "kind: unknown",
                      "Pod");
    expect_case_error("pod: {apiVersion: v2, metadata: {name: a}}, " RUN, 31, "apiVersion: unknown",
                      "v1");
    expect_case_error("cri: {}, " RUN, 18, "name of the pod is missing", NULL);
    expect_case_error("cri: {name: a, hostNet: true}, " RUN, 28, "unknown key \"hostNet\"", NULL);
    expect_case_error("cri: {name: a, hostPID: yes}, " RUN, 37, "must be true or false", NULL);
    expect_case_error("cri: {name: a, labels: {b: 5}}, " RUN, 40, "a label must be a string", NULL);
    expect_case_error("cri: {name: a, containers: [{}]}, " RUN, 41, "name of the container", NULL);
    expect_case_error("cri: {name: a, containers: [{name: c, mounts: [{}]}]}, " RUN, 60,
                      "containerPath of the mount", NULL);
    expect_case_error("cri: {name: a, containers: [{name: c, devices: [5]}]}, " RUN, 61,
                      "a device must be a string", NULL);
    expect_case_error(POD ", handler: 5, " RUN, 50, "handler must be a string", NULL);
    expect_case_error(POD ", nodeLabels: unknwon, " RUN, 53, "unknown value \"unknwon\"",
                      "or unknown");
    expect_case_error(POD ", nodeLabels: {a: 5}, " RUN, 57, "a label must be a string", NULL);
}

Test(cases_file, refuses_a_wrong_expectation_at_its_place)
{
    expect_case_error(POD, 3, "expect is missing", "refuse: REASON");
    expect_case_error(POD ", expect: {}", 49, "neither run nor refuse", NULL);
    expect_case_error(POD ", expect: {run: runc, refuse: true}", 69, "both run and refuse", NULL);
    expect_case_error(POD ", expect: {run: runcs}", 55, "not a runtime that the policy",
                      "\"runc\"");
    expect_case_error(POD ", expect: {run: \"\"}", 55, "run is empty", NULL);
    expect_case_error(POD ", expect: {refuse: incompatibel}", 58, "unknown value",
                      "\"incompatible\"");
    expect_case_error(POD ", expect: {refuse: malformed}", 58, "unknown value", "valid: ");
    expect_case_error(POD ", expect: {refuse: false}", 58, "refuse may not be false", "run:");
    expect_case_error(POD ", expect: {run: runc, rule: agents-in-gvisr}", 67,
                      "no rule \"agents-in-gvisr\"", "agents-in-gvisor");
    expect_case_error(POD ", expect: {run: runc, rule: othrwise}", 67, "no rule", "otherwise");
    expect_case_error(POD ", expect: {run: runc, message: x}", 70, "only a refusal", NULL);
    expect_case_error(POD ", expect: {run: runc, container: x}", 72, "only a refusal", NULL);
    expect_case_error(POD ", expect: {refuse: true, container: x}", 75, "has no container \"x\"",
                      NULL);
    expect_case_error(POD ", expect: {refuse: true, observed: x}", 74, "must be a list", "[]");
    expect_case_error(POD ", expect: {refuse: true, observed: [x]}", 75, "no rule \"x\"", NULL);
    expect_case_error(POD ", expect: {refuse: true, observed: [a, b, c, d, e]}", 74, "at most 4",
                      NULL);
    expect_case_error(POD ", expect: {refuse: true, reason: rule}", 64, "unknown key", NULL);
}

Test(cases_file, a_policy_s_findings_stay_with_it)
{
    OWNED_BED bed = {0};
    OWNED_DIAGS struct diags diags = {0};
    OWNED(cases_file_free) struct cases_file file = {0};
    cr_assert_eq(cases_file_load("/nonexistent", &bed.policies, &diags, &file), -1);
    cr_assert_str_eq(diags.items[0].path, "/nonexistent");
    parse_into(&bed, "apiVersion: crigate/v1\nkind: PolicyCases\npolicy: crigate.yaml\n"
                     "cases: [{name: x, " POD ", " RUN "}]\n");
    cr_assert_eq(bed.diags.errors, 1);
    cr_assert(bed.policies.first && !bed.policies.first->policy);
    cr_assert_gt(bed.policies.first->diags.errors, 0);
}
