/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One judged call's outcome: what the policy says of the facts, what the gate then does (forward,
 * change, refuse), in which words, and how both stages of it are written to the audit log.
 * Loop thread only.
 */
#ifndef CRIGATE_GATE_JUDGEMENT_H
#define CRIGATE_GATE_JUDGEMENT_H

#include <grpc/status.h>

#include "audit/audit.h"

struct judgement {
    /* Filled by the caller, borrowed. */
    const struct policy *policy;
    uint64_t request_id;
    struct str method;
    struct audit_peer peer;
    bool has_peer;

    /* The outcome. `refused` is what happens; in a policy of mode observe `decision` may refuse
     * and the call goes on all the same. */
    bool refused;
    grpc_status_code code;
    enum audit_action action;
    bool has_pod; /* false for a malformed request */
    struct pod_facts pod;
    const struct label_set *node;
    struct decision decision;
    char message[1200]; /* longer than struct err, with words in front */
};

/* The request cannot be read safely: it is refused, in every mode. */
void judgement_malformed(struct judgement *judgement, const struct err *err);

/* `pod` and `node` are borrowed until the last record; `node` is NULL while it is not known. */
void judgement_of_pod(struct judgement *judgement, const struct pod_facts *pod,
                      const struct label_set *node);

/* The decision could not be made durable: the call is refused, in every mode. */
void judgement_audit_failed(struct judgement *judgement, const struct err *err);

/* The runtime whose handler the request must be given; NULL: it goes on as it came. */
const struct policy_runtime *judgement_replaces_handler(const struct judgement *judgement);

/* Hands the first record over; `done` as in audit_record(). */
int judgement_record_decided(const struct judgement *judgement, struct audit *audit,
                             audit_done_fn *done, void *cookie, struct err *err) MUST_CHECK;

/* Hands the second record over; nobody waits for it. */
void judgement_record_completed(const struct judgement *judgement, struct audit *audit, int code,
                                struct str sandbox_id, uint64_t duration_us);

#endif
