/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision to its consequence: gRPC status, and words for a person. */
#include "gate/judgement.h"

#include <stdio.h>

#include "base/writer.h"

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

enum audit_action judgement_action(const struct verdict *verdict, bool enforced)
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
    judgement->action = judgement_action(verdict, enforced);
    verdict_message(judgement->policy, pod, verdict, judgement->message,
                    sizeof(judgement->message));
    if (enforced && verdict->action == VERDICT_REFUSE)
        refuse(judgement, verdict->reason);
}

const struct policy_runtime *judgement_replaces_handler(const struct judgement *judgement)
{
    return judgement->action == AUDIT_MODIFY ? judgement->decision.verdict.effective : NULL;
}

struct str judgement_effective_handler(const struct judgement *judgement)
{
    if (judgement->refused)
        return STR("");
    const struct policy_runtime *runtime = judgement_replaces_handler(judgement);
    return runtime ? runtime->handler : pod_facts_requested(&judgement->pod);
}

/* --- containers ---------------------------------------------------------------------------- */

static bool is_enforced(const struct judgement *judgement)
{
    return policy_mode(judgement->policy) == POLICY_ENFORCE;
}

/* `code` for what the reason's own does not tell. */
static void refuse_container(struct judgement *judgement, grpc_status_code code)
{
    judgement->action = is_enforced(judgement) ? AUDIT_REFUSE : AUDIT_WOULD_REFUSE;
    judgement->refused = is_enforced(judgement);
    judgement->code = code;
}

static void write_container_message(struct judgement *judgement)
{
    verdict_container_message(judgement->policy, &judgement->pod, judgement->container,
                              &judgement->decision.verdict, judgement->message,
                              sizeof(judgement->message));
}

void judgement_takes_container(struct judgement *judgement, struct str sandbox_id,
                               const struct pod_facts *pod, const struct container_facts *container)
{
    judgement->has_pod = true;
    judgement->pod = *pod;
    judgement->container = container;
    judgement->sandbox_id = sandbox_id;
}

/* The container may run: whether its image's handler is one, too. */
static void judge_image_of_container(struct judgement *judgement, struct str handler)
{
    struct str name;
    switch (judgement_image_fate(judgement->policy, handler, &name)) {
    case IMAGE_REFUSED:
        judgement->decision.verdict.action = VERDICT_REFUSE;
        judgement->decision.verdict.reason = REASON_UNKNOWN_RUNTIME;
        judgement_image_message(judgement->policy, handler, judgement->message,
                                sizeof(judgement->message));
        refuse_container(judgement, code_of(REASON_UNKNOWN_RUNTIME));
        break;
    case IMAGE_AS_IT_CAME:
        break;
    case IMAGE_RENAMED:
        judgement->action = is_enforced(judgement) ? AUDIT_MODIFY : AUDIT_WOULD_MODIFY;
        judgement->image_handler = is_enforced(judgement) ? name : STR("");
        break;
    }
}

void judgement_of_container(struct judgement *judgement, struct str handler,
                            struct str image_handler, const struct label_set *node)
{
    struct verdict *verdict = &judgement->decision.verdict;
    judgement->node = node;
    judgement->sandbox_handler = handler;
    judgement->has_sandbox_handler = true;
    policy_decide_container(judgement->policy, handler, &judgement->pod, judgement->container, node,
                            &judgement->decision);
    judgement->action = AUDIT_ALLOW;
    if (verdict->action == VERDICT_RUN) {
        judge_image_of_container(judgement, image_handler);
        return;
    }
    write_container_message(judgement);
    refuse_container(judgement, code_of(verdict->reason));
}

void judgement_sandbox_unknown(struct judgement *judgement, grpc_status_code code,
                               struct str message)
{
    judgement->decision = (struct decision){.verdict = {.reason = REASON_SANDBOX_UNKNOWN}};
    char *text = judgement->message;
    size_t used = 0, size = sizeof(judgement->message);
    if (code != GRPC_STATUS_NOT_FOUND) {
        write_container_message(judgement);
        used = strlen(text);
    }
    struct writer writer = writer_make(text + used, size - used);
    writer_text(&writer, used ? ": " : "");
    writer_str(&writer, message);
    bool telling = code == GRPC_STATUS_NOT_FOUND || code == GRPC_STATUS_DEADLINE_EXCEEDED ||
                   code == GRPC_STATUS_CANCELLED;
    refuse_container(judgement, telling ? code : code_of(REASON_SANDBOX_UNKNOWN));
}

/* --- images -------------------------------------------------------------------------------- */

enum image_fate judgement_image_fate(const struct policy *policy, struct str handler,
                                     struct str *name)
{
    if (handler.len == 0) /* it names none: containerd has one store for all */
        return IMAGE_AS_IT_CAME;
    const struct policy_runtime *runtime = policy_resolve(policy, handler);
    if (!runtime)
        return IMAGE_REFUSED;
    *name = runtime->handler;
    return str_eq(handler, runtime->handler) ? IMAGE_AS_IT_CAME : IMAGE_RENAMED;
}

void judgement_image_message(const struct policy *policy, struct str handler, char *buf,
                             size_t size)
{
    char why[768];
    struct pod_facts asking = {.handler = handler};
    struct verdict verdict = {.reason = REASON_UNKNOWN_RUNTIME};
    size_t length = verdict_explain(policy, &asking, &verdict, why, sizeof(why));
    struct writer writer = writer_make(buf, size);
    writer_text(&writer, "crigate: image refused: its ");
    writer_str(&writer, (struct str){why, length});
    writer_text(&writer, " (policy ");
    writer_short(&writer, policy_name(policy));
    writer_text(&writer, " ");
    const char *sha256 = policy_sha256(policy);
    writer_str(&writer, (struct str){sha256, strnlen(sha256, 8)});
    writer_text(&writer, ")");
}
