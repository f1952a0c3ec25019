/* SPDX-License-Identifier: Apache-2.0 */
/* A judgement as the audit log tells it, in both stages. */
#include "gate/judgement.h"

#define INPUTS_MAX 64

/* A container runs where its sandbox does; only the image's handler is ever changed. */
static void add_handlers(const struct judgement *judgement, struct audit_event *event)
{
    if (judgement->of_container) {
        event->has_handler = judgement->has_sandbox_handler;
        event->handler_requested = judgement->sandbox_handler;
        event->handler_effective = judgement->refused ? STR("") : judgement->sandbox_handler;
    } else if (judgement->has_pod) {
        event->has_handler = true;
        event->handler_requested = pod_facts_requested(&judgement->pod);
        event->handler_effective = judgement_effective_handler(judgement);
    }
}

static struct audit_event event_of(const struct judgement *judgement, const char *stage)
{
    const struct verdict *verdict = &judgement->decision.verdict;
    struct audit_event event = {
        .type = judgement->of_container ? "container.decision" : "pod.decision",
        .stage = stage,
        .request_id = judgement->request_id,
        .peer = judgement->has_peer ? &judgement->peer : NULL,
        .method = judgement->method,
        .pod = judgement->has_pod ? &judgement->pod : NULL,
        /* Of a restored pod, the container that it is refused for. */
        .container = judgement->of_container ? judgement->container : verdict->container,
        .sandbox_id = judgement->sandbox_id,
        .action = judgement->action,
        .reason = verdict->reason,
        .rule = verdict->rule ? verdict->rule->name : STR(""),
        .message = str_of(judgement->message),
        .policy = judgement->policy,
    };
    add_handlers(judgement, &event);
    return event;
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
            .action = judgement_action(verdict, false),
            .reason = verdict->reason,
            .handler = verdict->action == VERDICT_RUN ? verdict->effective->handler : STR(""),
        };
    }
    return decision->observed_count;
}

enum audit_outcome judgement_record_decided(const struct judgement *judgement, struct audit *audit,
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
                                struct str made, uint64_t duration_us)
{
    struct audit_event event = event_of(judgement, "completed");
    event.result.given = true;
    event.result.code = code;
    *(judgement->of_container ? &event.result.container_id : &event.result.sandbox_id) = made;
    event.result.duration_us = duration_us;
    audit_record(audit, &event, NULL, NULL, NULL);
}
