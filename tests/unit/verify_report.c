/* SPDX-License-Identifier: Apache-2.0 */
/* What `crigate verify` makes of what a pod printed, and how it tells it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/verify_message.h"
#include "cli/verify_print.h"
#include "config/policy_file.h"
#include "gate/inspect.h"

#define HOST_ID "7adaffa4-19f5-4f6b-9757-d1dda4f3c75a"
#define OTHER_ID "00000000-1111-2222-3333-444444444444"
#define HOST_VERSION "Linux version 6.1.0-host (gcc) #1 SMP"
#define GVISOR_VERSION "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"
#define GVISOR_LOG "[    0.000000] Starting gVisor...\n[    0.3] Forking spaghetti code...\n"

#define SAYS(id, version, log) "boot-id: " id "\nversion: " version "\nlog:\n" log
#define HOST_SAYS SAYS(HOST_ID, HOST_VERSION, "<6>[1.0] eth0: up\n")
#define GVISOR_SAYS SAYS("", GVISOR_VERSION, GVISOR_LOG)

static const struct kernel_evidence host = {.boot_id = {HOST_ID, sizeof(HOST_ID) - 1},
                                            .version = {HOST_VERSION, sizeof(HOST_VERSION) - 1}};

/* --- the kernel ------------------------------------------------------------------------------- */

static enum probe_kernel tell(const char *output)
{
    struct kernel_evidence evidence;
    cr_assert_eq(kernel_evidence_read(str_of(output), &evidence), 0, "not read: %s", output);
    return kernel_evidence_tell(&evidence, &host);
}

Test(verify_kernel, the_host_is_known_by_its_boot_id)
{
    cr_expect_eq(tell(HOST_SAYS), KERNEL_HOST);
    cr_expect_eq(tell(SAYS(HOST_ID, HOST_VERSION, "")), KERNEL_HOST, "a log out of sight");
}

Test(verify_kernel, gvisor_is_known_by_its_log)
{
    cr_expect_eq(tell(GVISOR_SAYS), KERNEL_GVISOR);
    cr_expect_eq(tell(SAYS("", GVISOR_VERSION, "<6>[ 0.0] Starting gVisor...")), KERNEL_GVISOR);
    cr_expect_eq(tell(SAYS(OTHER_ID, GVISOR_VERSION, GVISOR_LOG)), KERNEL_GVISOR);
}

Test(verify_kernel, no_log_makes_the_host_another_kernel)
{
    cr_expect_eq(tell(SAYS(HOST_ID, GVISOR_VERSION, GVISOR_LOG)), KERNEL_HOST);
    cr_expect_eq(tell(SAYS("", HOST_VERSION, GVISOR_LOG)), KERNEL_UNKNOWN);
    cr_expect_eq(tell(SAYS(OTHER_ID, HOST_VERSION, GVISOR_LOG)), KERNEL_UNKNOWN);
}

Test(verify_kernel, a_line_about_gvisor_is_no_start_of_it)
{
    static const char *const lines[] = {
        "[1.0] runsc: Starting gVisor...\n",
        "[1.0] Starting gVisor... soon\n",
        "[1.0] starting gvisor...\n",
        "x Starting gVisor...\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char output[512];
        snprintf(output, sizeof(output), SAYS(OTHER_ID, GVISOR_VERSION, "%s"), lines[i]);
        cr_expect_eq(tell(output), KERNEL_OTHER, "%s", lines[i]);
    }
}

Test(verify_kernel, too_little_tells_nothing)
{
    cr_expect_eq(tell(SAYS("", "", "")), KERNEL_UNKNOWN);
    cr_expect_eq(tell(SAYS("", GVISOR_VERSION, "")), KERNEL_UNKNOWN);
    cr_expect_eq(tell(SAYS(OTHER_ID, "", GVISOR_LOG)), KERNEL_UNKNOWN);
    cr_expect_eq(tell(SAYS("cat: no such file", GVISOR_VERSION, "")), KERNEL_UNKNOWN);
    cr_expect_eq(tell(SAYS(OTHER_ID, GVISOR_VERSION, "")), KERNEL_OTHER);
}

Test(verify_kernel, half_an_output_is_none)
{
    const char *whole = SAYS(OTHER_ID, GVISOR_VERSION, "");
    struct kernel_evidence evidence;
    for (size_t length = 0; length + 1 < strlen(whole); length++) {
        struct str cut = {.data = whole, .len = length};
        cr_expect_eq(kernel_evidence_read(cut, &evidence), -1, "%zu bytes", length);
    }
    cr_expect_eq(kernel_evidence_read(STR("log:\nversion: 1\nboot-id: 2\n"), &evidence), -1);
}

/* --- findings --------------------------------------------------------------------------------- */

#define RUNTIMES                                                \
    "runtimes:\n"                                               \
    "- {handler: runc, isolation: hostKernel, default: true}\n" \
    "- {handler: runsc, aliases: [gvisor], isolation: sandbox}\n"

static struct policy *load(const char *mode, const char *rules)
{
    char path[] = "/tmp/crigate-verify-policy-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    dprintf(
        fd,
        "apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: verify}\nmode: %s\n" RUNTIMES
        "rules: %s\notherwise: {run: requested}\n",
        mode, rules);
    close(fd);
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    int loaded = policy_file_load(path, &diags, &policy);
    unlink(path);
    diags_print(&diags, stderr);
    cr_assert_eq(loaded, 0);
    return policy;
}

/* Judges what a pod that asked for `asked` printed, which containerd ran under `handler`. */
static struct verified judge(const struct policy *policy, const char *asked, const char *handler,
                             const char *output)
{
    struct pod_facts pod = {.namespace = STR("crigate-verify"),
                            .name = STR("probe"),
                            .uid = STR("1"),
                            .handler = str_of(asked)};
    struct decision decision;
    policy_decide(policy, &pod, NULL, &decision);
    struct verified verified = {
        .declared = policy_resolve(policy, str_of(asked)),
        .verdict = decision.verdict,
        .probe = {.end = PROBE_ANSWERED, .handler = str_of(handler), .output = str_of(output)},
    };
    verified_judge(policy, &host, &verified);
    return verified;
}

static void expect(const struct verified *verified, enum finding finding, const char *why)
{
    cr_expect_eq(verified->finding, finding, "%s: %s", finding_name(verified->finding),
                 verified->why.text);
    cr_expect(strstr(verified->why.text, why), "\"%s\" lacks \"%s\"", verified->why.text, why);
}

Test(verify_report, each_isolation_has_its_proof)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    struct verified runc = judge(policy, "runc", "runc", HOST_SAYS);
    struct verified runsc = judge(policy, "runsc", "runsc", GVISOR_SAYS);
    expect(&runc, FINDING_PROVEN, "");
    expect(&runsc, FINDING_PROVEN, "");
}

Test(verify_report, the_wrong_kernel_is_a_mismatch)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    struct verified open = judge(policy, "runsc", "runsc", HOST_SAYS);
    struct verified caged = judge(policy, "runc", "runc", GVISOR_SAYS);
    struct verified other =
        judge(policy, "runsc", "runsc", SAYS(OTHER_ID, GVISOR_VERSION, "[0.0] Booting\n"));
    struct verified unknown = judge(policy, "runsc", "runsc", SAYS("", HOST_VERSION, GVISOR_LOG));
    expect(&open, FINDING_MISMATCH, "runsc is declared a sandbox, and the pod ran on the host's");
    expect(&caged, FINDING_MISMATCH, "runc is declared to share the host's kernel");
    expect(&other, FINDING_MISMATCH, "neither gVisor nor this host's");
    expect(&unknown, FINDING_NOT_PROVEN, "could not be told");
}

Test(verify_report, a_moved_pod_is_held_to_where_it_ran)
{
    OWNED(own_policy)
    struct policy *policy = load("enforce", "[{name: caged, match: {}, run: runsc}]");
    struct verified moved = judge(policy, "runc", "runsc", GVISOR_SAYS);
    struct verified stayed = judge(policy, "runc", "runc", HOST_SAYS);
    struct verified open = judge(policy, "runc", "runsc", HOST_SAYS);
    expect(&moved, FINDING_PROVEN, "");
    expect(&stayed, FINDING_MISMATCH, "has the pod run under runsc, containerd ran it under runc");
    expect(&open, FINDING_MISMATCH, "runsc is declared a sandbox");
}

Test(verify_report, containerd_must_name_a_declared_handler)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    static const char *const handlers[] = {"kata", "", "gvisor"};
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        struct verified verified = judge(policy, "runsc", handlers[i], GVISOR_SAYS);
        expect(&verified, FINDING_MISMATCH, "which the policy does not declare");
    }
}

Test(verify_report, an_observing_policy_moves_nothing)
{
    OWNED(own_policy)
    struct policy *policy = load("observe", "[{name: caged, match: {}, run: runsc}]");
    struct verified stayed = judge(policy, "runc", "runc", HOST_SAYS);
    struct verified moved = judge(policy, "runc", "runsc", GVISOR_SAYS);
    expect(&stayed, FINDING_PROVEN, "");
    expect(&moved, FINDING_MISMATCH, "has the pod run under runc");
}

Test(verify_report, unknown_labels_accuse_nobody)
{
    OWNED(own_policy)
    struct policy *policy =
        load("enforce", "[{name: maybe, match: {node: {matchLabels: {zone: a}}}, run: runsc}]");
    struct verified stayed = judge(policy, "runc", "runc", HOST_SAYS);
    struct verified open = judge(policy, "runc", "runsc", HOST_SAYS);
    expect(&stayed, FINDING_PROVEN, "");
    expect(&open, FINDING_MISMATCH, "runsc is declared a sandbox");
}

Test(verify_report, a_refusal_counts_if_the_policy_means_it)
{
    OWNED(own_policy)
    struct policy *strict = load("enforce", "[{name: never, match: {}, refuse: never}]");
    OWNED(own_policy) struct policy *lax = load("enforce", "[]");
    struct verified ran = judge(strict, "runc", "runc", HOST_SAYS);
    expect(&ran, FINDING_MISMATCH, "the policy's file refuses the pod");
    struct verified refused = ran;
    refused.probe = (struct probe_result){.end = PROBE_REFUSED,
                                          .handler = STR(""),
                                          .trouble = STR("crigate: pod x refused: never"),
                                          .output = STR("")};
    verified_judge(strict, &host, &refused);
    expect(&refused, FINDING_REFUSED, "crigate: pod x refused: never");
    refused.declared = policy_resolve(lax, STR("runc"));
    refused.verdict = judge(lax, "runc", "runc", HOST_SAYS).verdict;
    verified_judge(lax, &host, &refused);
    expect(&refused, FINDING_MISMATCH, "the gate refused it: crigate: pod x refused");
}

Test(verify_report, only_a_policy_refuses)
{
    struct probe_result result = {.code = GRPC_STATUS_PERMISSION_DENIED,
                                  .trouble = STR("crigate: pod x refused: never")};
    cr_expect(probe_refuses(&result));
    result.code = GRPC_STATUS_UNAVAILABLE; /* the labels, or the audit log, for now */
    cr_expect_not(probe_refuses(&result));
    result.code = GRPC_STATUS_INVALID_ARGUMENT; /* the gate does not know the runtime */
    cr_expect_not(probe_refuses(&result));
    result.code = GRPC_STATUS_PERMISSION_DENIED;
    result.trouble = STR("containerd: no");
    cr_expect_not(probe_refuses(&result));
}

Test(verify_report, what_was_cut_off_proves_nothing)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    struct verified cut = judge(policy, "runc", "runc", "boot-id: " HOST_ID "\n");
    expect(&cut, FINDING_NOT_PROVEN, "not whole: \"boot-id: " HOST_ID);
}

static bool holds(enum finding one, enum finding other)
{
    struct verified items[] = {{.finding = one}, {.finding = other}};
    struct verify_report report = {.items = items, .count = 2};
    return verify_report_holds(&report);
}

Test(verify_report, something_must_be_proven)
{
    cr_expect(holds(FINDING_PROVEN, FINDING_PROVEN));
    cr_expect(holds(FINDING_REFUSED, FINDING_PROVEN));
    cr_expect_not(holds(FINDING_REFUSED, FINDING_REFUSED));
    cr_expect_not(holds(FINDING_PROVEN, FINDING_MISMATCH));
    cr_expect_not(holds(FINDING_PROVEN, FINDING_NOT_PROVEN));
    cr_expect_not(verify_report_holds(&(struct verify_report){0}));
}

/* --- how it is told --------------------------------------------------------------------------- */

static char *print(const struct verify_report *report)
{
    char *text = NULL;
    size_t size;
    struct table_look look = {0};
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(verify_report_print(report, &look, out), 0);
    fclose(out);
    return text;
}

static void expect_line(const char *text, const char *part)
{
    cr_expect(strstr(text, part), "lacks \"%s\":\n%s", part, text);
}

Test(verify_report, is_printed_as_a_table_with_notes)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    struct verified items[] = {
        judge(policy, "runc", "runc", HOST_SAYS),
        judge(policy, "runsc", "runsc", HOST_SAYS),
    };
    items[0].finding = FINDING_REFUSED;
    err_set(&items[0].why, "crigate: \033[2J");
    struct verify_report report = {
        .policy = policy, .labels_trouble = "no file", .host = host, .items = items, .count = 2};
    OWNED_MEM char *text = print(&report);
    expect_line(text, "POLICY SAYS");
    expect_line(text, "runsc by otherwise");
    expect_line(text, "the host's 6.1.0-host");
    expect_line(text, "its boot id is the host's, 7adaffa4...");
    expect_line(text, "MISMATCH\n");
    expect_line(text, "\nrunc: refused: crigate: \\x1b[2J\n");
    expect_line(text, "\nrunsc: runsc is declared a sandbox, and the pod ran on the host's kernel");
    expect_line(text, "\nthe node's labels are not known: no file\n");
    expect_line(text, "\nno runtime is proven\n");
}

Test(verify_report, is_an_object_for_a_script)
{
    OWNED(own_policy) struct policy *policy = load("enforce", "[]");
    struct verified items[] = {judge(policy, "runsc", "runsc", GVISOR_SAYS)};
    struct verify_report report = {
        .policy = policy, .labels_trouble = "", .host = host, .items = items, .count = 1};
    OWNED_JSON json_t *root = verify_report_json(&report);
    const char *handler, *isolation, *action, *ran, *kernel, *version, *proof, *verdict, *boot_id;
    int whole;
    cr_assert_eq(json_unpack(root,
                             "{s:b, s:{s:s}, s:[{s:s, s:s, s:{s:s}, s:s, s:{s:s, s:s}, s:s, s:s}]}",
                             "holds", &whole, "host", "bootId", &boot_id, "runtimes", "handler",
                             &handler, "isolation", &isolation, "policy", "action", &action,
                             "ranUnder", &ran, "kernel", "is", &kernel, "version", &version,
                             "proof", &proof, "verdict", &verdict),
                 0);
    cr_expect(whole);
    cr_expect_str_eq(boot_id, HOST_ID);
    cr_expect_str_eq(handler, "runsc");
    cr_expect_str_eq(isolation, "sandbox");
    cr_expect_str_eq(action, "run");
    cr_expect_str_eq(ran, "runsc");
    cr_expect_str_eq(kernel, "gvisor");
    cr_expect_str_eq(version, GVISOR_VERSION);
    cr_expect_str_eq(proof, "its log says \"Starting gVisor...\", it has no boot id");
    cr_expect_str_eq(verdict, "proven");
}

/* --- the request ------------------------------------------------------------------------------ */

Test(verify_message, the_gate_reads_the_pod_that_was_meant)
{
    const struct probe_pod pod = {.name = "probe-runsc",
                                  .namespace = "crigate-verify",
                                  .uid = "u",
                                  .label = "crigate/probe",
                                  .cgroup_parent = "/",
                                  .attempt = 2};
    OWNED_ARENA struct arena arena = {0};
    struct pod_facts facts;
    struct inspect_span span;
    struct err err = {0};
    struct str request = verify_run_request(&pod, "runsc", &arena);
    cr_assert_eq(inspect_pod(INSPECT_RUN_POD_SANDBOX, request, &arena, &facts, &span, &err), 0,
                 "%s", err.text);
    cr_expect(str_eq(facts.namespace, STR("crigate-verify")));
    cr_expect(str_eq(facts.name, STR("probe-runsc")));
    cr_expect(str_eq(facts.handler, STR("runsc")));
    cr_expect_eq(facts.attempt, 2);
    cr_expect_eq(facts.labels.count, 1);
    cr_expect_not(facts.host_network || facts.host_pid || facts.host_ipc || facts.privileged);
}
