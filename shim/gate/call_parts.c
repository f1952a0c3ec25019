/* SPDX-License-Identifier: Apache-2.0 */
/* A judged call's steps after its decision: durable record -> containerd or refusal -> second
 * record. And how every call ends. */
#include "gate/call_parts.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>

/* --- every call ---------------------------------------------------------------------------- */

void call_tell_waiting(struct gate *gate)
{
    struct loop_op *waiting = gate->when_over;
    if (!waiting || call_count(gate) > 0)
        return;
    gate->when_over = NULL;
    waiting->done(waiting, true);
}

static uint64_t microseconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - then->tv_sec) * 1000000 + (now.tv_nsec - then->tv_nsec) / 1000);
}

unsigned call_enter(struct gate *gate)
{
    gate->served[gate->era]++;
    return gate->era;
}

void call_end(struct gate *gate, struct relay *relay, unsigned era)
{
    stats_call(gate->stats, relay->in.method, (int)relay->status,
               microseconds_since(&relay->in.at));
    relay_end(relay);
    gate->served[era]--;
    call_tell_waiting(gate);
}

void call_end_plain(struct relay *relay)
{
    struct call *call = container_of(relay, struct call, relay);
    call_end(call->gate, relay, call->era);
}

struct call *call_begin(struct gate *gate, const struct relay_arrival *arrival, relay_fn *finished)
{
    struct call *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    call->gate = gate;
    call->era = call_enter(gate);
    relay_begin(&call->relay, arrival, gate->upstream, gate->loop, &gate->answering, finished);
    return call;
}

bool call_find_peer(const struct gate *gate, grpc_call *call, struct audit_peer *peer)
{
    char *name = grpc_call_get_peer(call);
    bool found = name && peers_find(gate->peers, name, peer) == 0;
    gpr_free(name);
    return found;
}

/* --- judged calls -------------------------------------------------------------------------- */

/* Sending empties the reply: what the record needs of it is kept. */
static void note_answer(struct relay *relay)
{
    struct judged_call *call = container_of(relay, struct judged_call, relay);
    call->reply = payload_in_one_piece(relay->reply);
    call->duration_us = microseconds_since(&call->relay.in.at);
    if (call->kind->answered)
        call->kind->answered(call);
}

/* The second record is made when the answer has gone: the kubelet does not wait for it. */
static void end_judged(struct relay *relay)
{
    struct judged_call *call = container_of(relay, struct judged_call, relay);
    judgement_record_completed(&call->judgement, call->gate->audit, (int)relay->status,
                               call->kind->made(str_of_slice(&call->reply)), call->duration_us);
    arena_free(&call->arena);
    grpc_slice_unref(call->request);
    grpc_slice_unref(call->reply);
    policy_unref(call->policy);
    node_labels_unref(call->labels);
    call_end(call->gate, relay, call->era);
}

static void forward(struct judged_call *call)
{
    struct err err;
    grpc_byte_buffer *request = call->kind->request(call, &err);
    if (request)
        relay_unary(&call->relay, request);
    else
        relay_refuse(&call->relay, GRPC_STATUS_INTERNAL, str_of(err.text));
}

static void count(const struct judged_call *call)
{
    const struct judgement *judgement = &call->judgement;
    const struct verdict *verdict = &judgement->decision.verdict;
    struct str runtime = judgement->of_container && !judgement->refused
                             ? judgement->sandbox_handler
                             : judgement_effective_handler(judgement);
    struct stats_recent *recent =
        stats_decision(call->gate->stats,
                       &(struct stats_decision){
                           .kind = judgement->of_container ? STATS_CONTAINER : STATS_POD,
                           .action = judgement->action,
                           .reason = verdict->reason,
                           .rule = verdict->rule ? verdict->rule->name : STR(""),
                           .runtime = runtime,
                       },
                       microseconds_since(&call->relay.in.at));
    stats_text(recent->message, str_of(judgement->message));
    if (!judgement->has_pod)
        return;
    stats_text(recent->namespace, judgement->pod.namespace);
    stats_text(recent->pod, judgement->pod.name);
    stats_text(recent->requested, judgement->of_container ? judgement->sandbox_handler
                                                          : pod_facts_requested(&judgement->pod));
    if (judgement->container)
        stats_text(recent->container, judgement->container->name);
}

/* The record is durable, or it is known that it will not be. */
static void on_recorded(struct loop_op *op, bool ok)
{
    struct judged_call *call = container_of(op, struct judged_call, recorded_op);
    (void)ok;
    struct judgement *judgement = &call->judgement;
    if (!call->recorded)
        judgement_audit_failed(judgement, &call->record_error);
    count(call);
    if (judgement->refused)
        relay_refuse(&call->relay, judgement->code, str_of(judgement->message));
    else if (call->relay.cancelled) /* nobody waits: containerd need not begin */
        relay_refuse(&call->relay, GRPC_STATUS_CANCELLED, STR("crigate: cancelled"));
    else
        forward(call);
    relay_drop(&call->relay);
}

/* On the audit writer's thread: the call waits for this, so its memory is there. */
static void record_done(void *cookie, const struct err *error)
{
    struct judged_call *call = cookie;
    call->recorded = !error;
    if (error)
        call->record_error = *error;
    loop_post(call->gate->loop, &call->recorded_op);
}

void judged_decided(struct judged_call *call)
{
    call->recorded_op.done = on_recorded;
    relay_hold(&call->relay);
    enum audit_outcome outcome = judgement_record_decided(&call->judgement, call->gate->audit,
                                                          record_done, call, &call->record_error);
    if (outcome == AUDIT_QUEUED)
        return;
    call->recorded = outcome == AUDIT_COUNTED;
    on_recorded(&call->recorded_op, false);
}

void judged_begin(struct judged_call *call, const struct judged_kind *kind, struct gate *gate,
                  const struct relay_arrival *arrival, grpc_byte_buffer *payload)
{
    *call = (struct judged_call){
        .gate = gate,
        .era = call_enter(gate),
        .kind = kind,
        .policy = policy_ref(gate->policy),
        .labels = node_labels_ref(gate->labels),
        .has_request = payload != NULL,
        .request = payload_in_one_piece(payload),
        .reply = grpc_empty_slice(),
    };
    grpc_byte_buffer_destroy(payload);
    relay_begin(&call->relay, arrival, gate->upstream, gate->loop, &gate->answering, end_judged);
    call->relay.answered = note_answer;
    call->judgement = (struct judgement){
        .policy = call->policy,
        .request_id = ++gate->requests,
        .method = str_of_slice(&call->relay.in.path),
    };
    call->judgement.has_peer = call_find_peer(gate, arrival->call, &call->judgement.peer);
}
