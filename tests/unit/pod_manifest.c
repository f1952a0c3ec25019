/* SPDX-License-Identifier: Apache-2.0 */
/* Pod manifests: each fact that a policy reads, and what is no Pod. */
#include <criterion/criterion.h>

#include "config/pod_manifest.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"

static struct pod_manifest parse(const char *text)
{
    OWNED_DIAGS struct diags diags = {0};
    struct pod_manifest pod = {0};
    int rc = pod_manifest_parse("pod.yaml", str_of(text), &diags, &pod);
    cr_assert_eq(rc, 0, "of %s: %s", text, diags.count ? diags.items[0].message : "?");
    return pod;
}

#define OWNED_POD OWNED(pod_manifest_free) struct pod_manifest

static void expect_error(const char *text, unsigned line, unsigned column, const char *message)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED_POD pod = {0};
    cr_expect_eq(pod_manifest_parse("pod.yaml", str_of(text), &diags, &pod), -1);
    cr_assert_eq(diags.errors, 1, "%zu errors of %s", diags.errors, text);
    const struct diag *diag = &diags.items[0];
    cr_expect(strstr(diag->message, message), "of %s: %s", text, diag->message);
    cr_expect(diag->at.line == line && diag->at.column == column, "of %s: %u:%u", text,
              diag->at.line, diag->at.column);
}

static bool has(const struct label_set *set, const char *key, const char *value)
{
    const struct str *found = label_set_find(set, str_of(key), label_hash(str_of(key)));
    return found && str_eq(*found, str_of(value));
}

Test(pod_manifest, reads_a_plain_pod)
{
    OWNED_POD pod = parse(POD "spec: {containers: [{name: c}]}\n");
    const struct pod_facts *facts = &pod.facts;
    cr_assert(str_eq(facts->namespace, STR("default")) && str_eq(facts->name, STR("web")));
    cr_assert(!facts->host_network && !facts->host_pid && !facts->host_ipc && !facts->privileged);
    cr_assert(!facts->user_namespace && !facts->selinux && !facts->untrusted);
    cr_assert(facts->handler.len == 0 && pod.runtime_class.len == 0);
    cr_assert(has(&facts->labels, "io.kubernetes.pod.name", "web"));
    cr_assert(has(&facts->labels, "io.kubernetes.pod.namespace", "default"));
    cr_assert_eq(facts->labels.count, 2);
}

Test(pod_manifest, reads_metadata)
{
    OWNED_POD pod = parse("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\n"
                          "  uid: u-1\n  labels: {app: web, io.kubernetes.pod.name: forged}\n"
                          "  annotations:\n    Example.com/A: any text\n"
                          "    io.kubernetes.cri.untrusted-workload: \"true\"\n");
    const struct pod_facts *facts = &pod.facts;
    cr_assert(str_eq(facts->namespace, STR("shop")) && str_eq(facts->uid, STR("u-1")));
    cr_assert(has(&facts->labels, "app", "web"));
    cr_assert(has(&facts->labels, "io.kubernetes.pod.name", "web"));
    cr_assert(has(&facts->labels, "io.kubernetes.pod.uid", "u-1"));
    cr_assert_eq(facts->labels.count, 4);
    cr_assert(has(&facts->annotations, "Example.com/A", "any text"));
    cr_assert(facts->untrusted);
}

Test(pod_manifest, reads_each_fact_of_the_spec)
{
    OWNED_POD host = parse(POD "spec: {hostNetwork: true, hostPID: true, hostIPC: true, "
                               "hostUsers: false, runtimeClassName: gvisor}\n");
    cr_assert(host.facts.host_network && host.facts.host_pid && host.facts.host_ipc);
    cr_assert(host.facts.user_namespace);
    cr_assert(str_eq(host.runtime_class, STR("gvisor")));
    OWNED_POD users = parse(POD "spec: {hostUsers: true}\n");
    cr_assert_not(users.facts.user_namespace);
    OWNED_POD selinux =
        parse(POD "spec: {securityContext: {seLinuxOptions: {level: \"s0:c1\"}}}\n");
    cr_assert(selinux.facts.selinux);
    static const char *const kinds[] = {"containers", "initContainers", "ephemeralContainers"};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 POD "spec: {%s: [{name: a}, {name: b, securityContext: {privileged: true}}]}\n",
                 kinds[i]);
        OWNED_POD pod = parse(text);
        cr_expect(pod.facts.privileged, "%s", kinds[i]);
    }
}

Test(pod_manifest, reads_what_containers_ask_for)
{
    OWNED_POD pod = parse(
        POD "spec:\n  hostPID: true\n  hostUsers: false\n  initContainers: [{name: i}]\n"
            "  containers:\n  - name: c\n    securityContext: {seLinuxOptions: {type: t}}\n"
            "    volumeMounts:\n    - {mountPath: /a, mountPropagation: HostToContainer}\n"
            "    - {mountPath: /b, mountPropagation: Bidirectional, recursiveReadOnly: Enabled}\n"
            "    - {mountPath: /c, readOnly: true, recursiveReadOnly: IfPossible}\n"
            "    - {mountPath: /d, readOnly: true, recursiveReadOnly: Enabled}\n"
            "    - {mountPath: /e, readOnly: true, recursiveReadOnly: Enabled}\n");
    cr_assert_eq(pod.containers.count, 2);
    const struct container_facts *init = &pod.containers.items[0].facts;
    const struct container_facts *facts = &pod.containers.items[1].facts;
    cr_assert(init->host_pid && init->user_namespace && !init->host_ipc && !init->selinux);
    cr_assert_null(init->recursive_read_only.data);
    cr_assert(facts->selinux && !facts->privileged && !pod.facts.selinux);
    cr_assert(str_eq(facts->bidirectional, STR("/b")));
    cr_assert(str_eq(facts->recursive_read_only, STR("/d")));
    cr_assert(str_eq(pod.containers.items[1].recursive_if_possible, STR("/c")));
    OWNED_POD labelled = parse(POD "spec: {securityContext: {seLinuxOptions: {type: t}}, "
                                   "containers: [{name: c}]}\n");
    cr_assert(labelled.containers.items[0].facts.selinux);
}

Test(pod_manifest, a_forged_uid_is_dropped)
{
    OWNED_POD pod = parse("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: "
                          "{io.kubernetes.pod.uid: forged}}\n");
    cr_assert_not(has(&pod.facts.labels, "io.kubernetes.pod.uid", "forged"));
    cr_assert_eq(pod.facts.labels.count, 2);
}

Test(pod_manifest, reads_the_first_document)
{
    OWNED_POD pod = parse("---\n" POD "---\nkind: Service\n");
    cr_assert(str_eq(pod.facts.name, STR("web")));
}

Test(pod_manifest, takes_null_for_absent)
{
    OWNED_POD pod = parse(POD "spec:\n  securityContext:\n  hostNetwork: null\n  containers:\n");
    cr_assert_not(pod.facts.host_network);
}

Test(pod_manifest, refuses_each_mistake_at_its_place)
{
    expect_error("[]\n", 1, 1, "no Pod manifest");
    expect_error("apiVersion: apps/v1\nkind: Deployment\n", 2, 7, "unknown value \"Deployment\"");
    expect_error("apiVersion: v1\nmetadata: {name: a}\n", 1, 1, "kind is missing");
    expect_error("apiVersion: v2\nkind: Pod\nmetadata: {name: a}\n", 1, 13, "unknown value");
    expect_error("apiVersion: v1\nkind: Pod\n", 1, 1, "metadata.name is missing");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n", 3, 18, "not a number");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: []\n", 3, 11, "must be a mapping");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: true}}\n", 3, 33,
                 "a label must be a string, not a boolean");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: c d}}\n", 3, 33,
                 "the value \"c d\"");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {/b: c}}\n", 3, 30,
                 "the key \"/b\"");
    expect_error("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: [b]}\n", 3, 29,
                 "labels must be a mapping");
    expect_error(POD "spec: {hostNetwork: yes}\n", 4, 21, "must be true or false");
    expect_error(POD "spec: {hostNetwork: \"true\"}\n", 4, 21, "not a string");
    expect_error(POD "spec: {containers: {}}\n", 4, 20, "must be a list");
    expect_error(POD "spec: {containers: [{volumeMounts: {}}]}\n", 4, 36, "must be a list");
    expect_error(POD "spec: []\n", 4, 7, "spec must be a mapping");
    expect_error(POD "spec: {}\nspec: {hostNetwork: true}\n", 5, 1, "given twice");
}
