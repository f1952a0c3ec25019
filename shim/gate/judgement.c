/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision to its consequence: gRPC status, words for a person, audit records. */
#include "gate/judgement.h"

#include <stdio.h>

#define INPUTS_MAX 64

static grpc_status_code code_of(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_RULE:
    case REASON_OTHERWISE:
    case REASON_PEER_NOT_ALLOWED:
        return GRPC_STATUS_PERMISSION_DENIED;
    case REASON_UNKNOWN_RUNTIME:
    case REASON_MALFORMED:
        return GRPC_STATUS_INVALID_ARGUMENT;
    case REASON_DOWNGRADE:
    case REASON_INCOMPATIBLE:
        return GRPC_STATUS_FAILED_PRECONDITION;
    case REASON_SERVICE_NOT_ALLOWED:
        return GRPC_STATUS_UNIMPLEMENTED;
    case REASON_LABELS_UNKNOWN:
    case REASON_AUDIT_UNAVAILABLE:
    case REASON_SANDBOX_UNKNOWN:
    case REASON_NONE:
        break;
    }
    return GRPC_STATUS_UNAVAILABLE;
}

static void refuse(struct judgement *judgement, enum verdict_reason reason)
{
    judgement->refused = true;
    judgement->action = AUDIT_REFUSE;
    judgement->code = code_of(reason);
}

void judgement_malformed(struct judgement *judgement, const struct err *err)
{
    judgement->decision = (struct decision){.verdict = {.reason = REASON_MALFORMED}};
    refuse(judgement, REASON_MALFORMED);
    snprintf(judgement->message, sizeof(judgement->message),
             "crigate: request refused: malformed: %s", err->text);
}

void judgement_audit_failed(struct judgement *judgement, const struct err *err)
{
    judgement->decision.verdict.reason = REASON_AUDIT_UNAVAILABLE;
    refuse(judgement, REASON_AUDIT_UNAVAILABLE);
    snprintf(judgement->message, sizeof(judgement->message),
             "crigate: refused: the decision cannot be recorded: %s", err->text);
}

static enum audit_action action_of(const struct verdict *verdict, bool enforced)
{
    if (verdict->action == VERDICT_REFUSE)
        return enforced ? AUDIT_REFUSE : AUDIT_WOULD_REFUSE;
    if (verdict->modifies)
        return enforced ? AUDIT_MODIFY : AUDIT_WOULD_MODIFY;
    return AUDIT_ALLOW;
}

void judgement_of_pod(struct judgement *judgement, const struct pod_facts *pod,
                      const struct label_set *node)
{
    judgement->has_pod = true;
    judgement->pod = *pod;
    judgement->node = node;
    policy_decide(judgement->policy, pod, node, &judgement->decision);
    const struct verdict *verdict = &judgement->decision.verdict;
    bool enforced = policy_mode(judgement->policy) == POLICY_ENFORCE;
    judgement->action = action_of(verdict, enforced);
    verdict_message(judgement->policy, pod, verdict, judgement->message,
                    sizeof(judgement->message));
    if (enforced && verdict->action == VERDICT_REFUSE)
        refuse(judgement, verdict->reason);
}

const struct policy_runtime *judgement_replaces_handler(const struct judgement *judgement)
{
    return judgement->action == AUDIT_MODIFY ? judgement->decision.verdict.effective : NULL;
}

/* --- records ------------------------------------------------------------------------------- */

/* What containerd runs it under, which goes by the annotation of an untrusted pod too; empty when
 * the call does not go on. */
static struct str effective_handler(const struct judgement *judgement)
{
    if (judgement->refused)
        return STR("");
    const struct policy_runtime *runtime = judgement_replaces_handler(judgement);
    return runtime ? runtime->handler : pod_facts_requested(&judgement->pod);
}

static struct audit_event event_of(const struct judgement *judgement, const char *stage)
{
    const struct verdict *verdict = &judgement->decision.verdict;
    bool judged = judgement->has_pod;
    return (struct audit_event){
        .type = "pod.decision",
        .stage = stage,
        .request_id = judgement->request_id,
        .peer = judgement->has_peer ? &judgement->peer : NULL,
        .method = judgement->method,
        .pod = judged ? &judgement->pod : NULL,
        .has_handler = judged,
        .handler_requested = judged ? pod_facts_requested(&judgement->pod) : STR(""),
        .handler_effective = judged ? effective_handler(judgement) : STR(""),
        .action = judgement->action,
        .reason = verdict->reason,
        .rule = verdict->rule ? verdict->rule->name : STR(""),
        .message = str_of(judgement->message),
        .policy = judgement->policy,
    };
}

struct input_list {
    struct audit_input items[INPUTS_MAX];
    size_t count, dropped;
};

static void add_input(void *cookie, enum input_source source, const struct label *label)
{
    struct input_list *list = cookie;
    if (list->count < INPUTS_MAX)
        list->items[list->count++] =
            (struct audit_input){.source = source, .key = label->key, .value = label->value};
    else
        list->dropped++;
}

static size_t observed_of(const struct decision *decision, struct audit_observed *observed)
{
    for (size_t i = 0; i < decision->observed_count; i++) {
        const struct verdict *verdict = &decision->observed[i];
        observed[i] = (struct audit_observed){
            .rule = verdict->rule ? verdict->rule->name : STR(""),
            .action = action_of(verdict, false),
            .reason = verdict->reason,
            .handler = verdict->action == VERDICT_RUN ? verdict->effective->handler : STR(""),
        };
    }
    return decision->observed_count;
}

int judgement_record_decided(const struct judgement *judgement, struct audit *audit,
                             audit_done_fn *done, void *cookie, struct err *err)
{
    struct audit_event event = event_of(judgement, "decided");
    struct input_list inputs = {.count = 0};
    struct audit_observed observed[DECISION_OBSERVED_MAX];
    if (event.pod)
        policy_inputs(judgement->policy, judgement->decision.verdict.rule, &judgement->pod,
                      judgement->node, add_input, &inputs);
    event.inputs = inputs.items;
    event.input_count = inputs.count;
    event.input_dropped = inputs.dropped;
    event.observed_count = observed_of(&judgement->decision, observed);
    event.observed = observed;
    event.observed_dropped = judgement->decision.observed_dropped;
    return audit_record(audit, &event, done, cookie, err);
}

void judgement_record_completed(const struct judgement *judgement, struct audit *audit, int code,
                                struct str sandbox_id, uint64_t duration_us)
{
    struct audit_event event = event_of(judgement, "completed");
    event.result.given = true;
    event.result.code = code;
    event.result.sandbox_id = sandbox_id;
    event.result.duration_us = duration_us;
    audit_record(audit, &event, NULL, NULL, NULL);
}
