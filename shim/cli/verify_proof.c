/* SPDX-License-Identifier: Apache-2.0 */
/* Holds what ran, and on which kernel, against what the policy says. */
#include "cli/verify_proof.h"

bool probe_refuses(const struct probe_result *result)
{
    return (result->code == GRPC_STATUS_PERMISSION_DENIED ||
            result->code == GRPC_STATUS_FAILED_PRECONDITION) &&
           str_starts(result->trouble, STR("crigate: pod "));
}

/* The gate puts a runtime's own name in the place of an alias: containerd has no record of one. */
static const struct policy_runtime *declared_as(const struct policy *policy, struct str handler)
{
    const struct policy_runtime *runtime = policy_resolve(policy, handler);
    return runtime && str_eq(runtime->handler, handler) ? runtime : NULL;
}

/* Where the policy's file has the pod run; NULL: it refuses it. In observe mode nothing is done. */
static const struct policy_runtime *expected(const struct policy *policy,
                                             const struct verified *verified)
{
    if (policy_mode(policy) == POLICY_OBSERVE)
        return verified->declared;
    return verified->verdict.action == VERDICT_RUN ? verified->verdict.effective : NULL;
}

static enum finding judge_refusal(const struct verified *verified, const struct policy_runtime *due,
                                  bool is_known, struct err *why)
{
    err_set(why, "%.*s", STR_FMT(verified->probe.trouble));
    if (!is_known || !due)
        return FINDING_REFUSED;
    err_wrap(why, "the policy's file has the pod run under %.*s, the gate refused it",
             STR_FMT(due->handler));
    return FINDING_MISMATCH;
}

static enum finding judge_handler(const struct verified *verified, const struct policy_runtime *due,
                                  bool is_known, struct err *why)
{
    struct str handler = verified->probe.handler;
    if (!verified->ran) {
        err_set(why, "containerd ran it under \"%.*s\", which the policy does not declare",
                STR_FMT(handler));
        return FINDING_MISMATCH;
    }
    if (!is_known || verified->ran == due)
        return FINDING_PROVEN;
    if (due)
        err_set(why, "the policy's file has the pod run under %.*s, containerd ran it under %.*s",
                STR_FMT(due->handler), STR_FMT(handler));
    else
        err_set(why, "the policy's file refuses the pod, and containerd ran it under %.*s",
                STR_FMT(handler));
    return FINDING_MISMATCH;
}

static const char *kernel_phrase(enum probe_kernel kernel)
{
    switch (kernel) {
    case KERNEL_HOST:
        return "the host's kernel";
    case KERNEL_GVISOR:
        return "gVisor";
    case KERNEL_OTHER:
        return "a kernel that is neither gVisor nor this host's";
    case KERNEL_UNKNOWN:
        break;
    }
    return "a kernel that could not be told";
}

static enum finding judge_kernel(const struct verified *verified, struct err *why)
{
    bool sandboxed = verified->ran->isolation == ISOLATION_SANDBOX;
    if (verified->kernel == (sandboxed ? KERNEL_GVISOR : KERNEL_HOST))
        return FINDING_PROVEN;
    err_set(why, "%.*s is declared %s, and the pod ran on %s", STR_FMT(verified->ran->handler),
            sandboxed ? "a sandbox" : "to share the host's kernel",
            kernel_phrase(verified->kernel));
    return verified->kernel == KERNEL_UNKNOWN ? FINDING_NOT_PROVEN : FINDING_MISMATCH;
}

static enum finding judge_answer(struct verified *verified, const struct kernel_evidence *host,
                                 const struct policy_runtime *due, bool is_known)
{
    struct err *why = &verified->why;
    if (kernel_evidence_read(verified->probe.output, &verified->evidence) < 0) {
        err_set(why, "what the probe printed is not whole: \"%.*s\"",
                (int)(verified->probe.output.len < 80 ? verified->probe.output.len : 80),
                verified->probe.output.data);
        return FINDING_NOT_PROVEN;
    }
    verified->kernel = kernel_evidence_tell(&verified->evidence, host);
    enum finding finding = judge_handler(verified, due, is_known, why);
    return finding == FINDING_PROVEN ? judge_kernel(verified, why) : finding;
}

void verified_judge(const struct policy *policy, const struct kernel_evidence *host,
                    struct verified *verified)
{
    const struct probe_result *probe = &verified->probe;
    const struct policy_runtime *due = expected(policy, verified);
    bool is_known =
        policy_mode(policy) == POLICY_OBSERVE || verified->verdict.reason != REASON_LABELS_UNKNOWN;
    verified->ran = declared_as(policy, probe->handler);
    switch (probe->end) {
    case PROBE_ANSWERED:
        verified->finding = judge_answer(verified, host, due, is_known);
        break;
    case PROBE_REFUSED:
        verified->finding = judge_refusal(verified, due, is_known, &verified->why);
        break;
    case PROBE_FAILED:
        verified->finding = FINDING_NOT_PROVEN;
        err_set(&verified->why, "%s failed: %.*s", probe->step, STR_FMT(probe->trouble));
        break;
    }
}

void verified_proof(const struct verified *verified, char *buf, size_t size)
{
    bool has_boot_id = verified->evidence.boot_id.len != 0;
    switch (verified->kernel) {
    case KERNEL_HOST:
        snprintf(buf, size, "its boot id is the host's, %.8s...", verified->evidence.boot_id.data);
        return;
    case KERNEL_GVISOR:
        snprintf(buf, size, "its log says \"Starting gVisor...\", %s",
                 has_boot_id ? "its boot id is not the host's" : "it has no boot id");
        return;
    case KERNEL_OTHER:
        snprintf(buf, size, "its boot id is not the host's, its log is not gVisor's");
        return;
    case KERNEL_UNKNOWN:
        break;
    }
    snprintf(buf, size, "%s", "");
}

bool verify_report_holds(const struct verify_report *report)
{
    bool any = false;
    for (size_t i = 0; i < report->count; i++) {
        enum finding finding = report->items[i].finding;
        if (finding != FINDING_PROVEN && finding != FINDING_REFUSED)
            return false;
        any |= finding == FINDING_PROVEN;
    }
    return any;
}

const char *finding_name(enum finding finding)
{
    static const char *const names[] = {
        [FINDING_NOT_PROVEN] = "notProven",
        [FINDING_MISMATCH] = "mismatch",
        [FINDING_REFUSED] = "refused",
        [FINDING_PROVEN] = "proven",
    };
    return names[finding];
}
