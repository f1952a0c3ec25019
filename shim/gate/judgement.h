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
    bool of_container; /* CreateContainer; else a call that begins a pod */

    /* The outcome. `refused` is what happens; in a policy of mode observe `decision` may refuse
     * and the call goes on all the same. */
    bool refused;
    grpc_status_code code;
    enum audit_action action;
    bool has_pod; /* false for a malformed request */
    struct pod_facts pod;
    const struct label_set *node;
    const struct container_facts *container; /* NULL: a pod's, or malformed */
    struct str sandbox_id;                   /* that the container is for */
    struct str sandbox_handler;              /* that containerd runs it under */
    bool has_sandbox_handler;
    struct str image_handler; /* to be put into the container's ImageSpec; empty: none */
    struct decision decision;
    char message[1200]; /* longer than struct err, with words in front */
};

/* The request cannot be read safely: it is refused, in every mode. */
void judgement_malformed(struct judgement *judgement, const struct err *err);

/* `pod` and `node` are borrowed until the last record; `node` is NULL while it is not known. */
void judgement_of_pod(struct judgement *judgement, const struct pod_facts *pod,
                      const struct label_set *node);

/*
 * A container of the pod, for the sandbox that it names; borrowed until the last record. One of the
 * two functions below must follow.
 */
void judgement_takes_container(struct judgement *judgement, struct str sandbox_id,
                               const struct pod_facts *pod,
                               const struct container_facts *container);

/* Containerd runs the sandbox under `handler`; `image_handler` is the one in the container's
 * ImageSpec, empty for none. All borrowed until the last record, as `node` is. */
void judgement_of_container(struct judgement *judgement, struct str handler,
                            struct str image_handler, const struct label_set *node);

/* Containerd did not tell of the sandbox, and said so: the container is refused, in mode observe
 * only judged so. NOT_FOUND goes back in containerd's own words. */
void judgement_sandbox_unknown(struct judgement *judgement, grpc_status_code code,
                               struct str message);

/* The decision could not be made durable: the call is refused, in every mode. */
void judgement_audit_failed(struct judgement *judgement, const struct err *err);

/* What a verdict means for a call; `enforced`: it is done, else only recorded. */
enum audit_action judgement_action(const struct verdict *verdict, bool enforced);

/* The runtime whose handler the request must be given; NULL: it goes on as it came. */
const struct policy_runtime *judgement_replaces_handler(const struct judgement *judgement);

/* Hands the first record over, as audit_record() does. */
enum audit_outcome judgement_record_decided(const struct judgement *judgement, struct audit *audit,
                                            audit_done_fn *done, void *cookie,
                                            struct err *err) MUST_CHECK;

/* Hands the second record over; nobody waits for it. `made` is the id of the sandbox or container
 * that began, empty when none did. */
void judgement_record_completed(const struct judgement *judgement, struct audit *audit, int code,
                                struct str made, uint64_t duration_us);

/* What containerd runs a pod under, which goes by the annotation of an untrusted pod too; empty
 * when the call does not go on. */
struct str judgement_effective_handler(const struct judgement *judgement);

/* --- images -------------------------------------------------------------------------------- */

/* What becomes of the handler in an ImageSpec. Zero is the safe one. */
enum image_fate {
    IMAGE_REFUSED, /* no declared runtime has that name */
    IMAGE_AS_IT_CAME,
    IMAGE_RENAMED, /* it is another name of its runtime */
};

/* `*name` is the runtime's own name when it is renamed. */
enum image_fate judgement_image_fate(const struct policy *policy, struct str handler,
                                     struct str *name);

/* The refusal as a person reads it; cut, terminated. */
void judgement_image_message(const struct policy *policy, struct str handler, char *buf,
                             size_t size);

#endif
