/* SPDX-License-Identifier: Apache-2.0 */
/* What a probe found out, and whether that is what the policy declares. Pure; any thread. */
#ifndef CRIGATE_CLI_VERIFY_PROOF_H
#define CRIGATE_CLI_VERIFY_PROOF_H

#include <grpc/status.h>

#include "cli/verify_kernel.h"
#include "policy/policy.h"

enum probe_end {
    PROBE_FAILED,   /* a call failed: `step` and `trouble` say which and why */
    PROBE_REFUSED,  /* the gate refused the pod; `trouble` is its message */
    PROBE_ANSWERED, /* `output` is what it printed */
};

struct probe_result {
    enum probe_end end;
    grpc_status_code code; /* of the call that failed; OK: it failed on this side */
    const char *step;      /* that call's name */
    struct str trouble;
    struct str handler; /* as containerd has recorded it; empty when it did not come to that */
    struct str output;
};

enum finding { FINDING_NOT_PROVEN, FINDING_MISMATCH, FINDING_REFUSED, FINDING_PROVEN };

/* One declared runtime. All borrowed. */
struct verified {
    const struct policy_runtime *declared;
    struct verdict verdict; /* of the policy's file, on the probe's pod */
    struct probe_result probe;
    const struct policy_runtime *ran; /* NULL: nothing did, or under a handler not declared */
    struct kernel_evidence evidence;
    enum probe_kernel kernel;
    enum finding finding;
    struct err why; /* in one sentence, for all but FINDING_PROVEN; foreign text in it */
};

/* All borrowed. */
struct verify_report {
    const struct policy *policy;
    const char *labels_trouble; /* why the node's labels are not known; "" when they are */
    struct kernel_evidence host;
    struct verified *items;
    size_t count;
};

/* Whether the first call failed because a policy refuses the pod, and not for a while only. */
bool probe_refuses(const struct probe_result *result);

/* Fills everything behind `probe`. */
void verified_judge(const struct policy *policy, const struct kernel_evidence *host,
                    struct verified *verified);

/* What proves it, such as `its log says "Starting gVisor..."`; "" when nothing does. */
void verified_proof(const struct verified *verified, char *buf, size_t size);

/* At least one runtime is proven, and each is, or is refused by the policy. */
bool verify_report_holds(const struct verify_report *report);

const char *finding_name(enum finding finding); /* for a script */

#endif
