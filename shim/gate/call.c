/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's steps: bytes -> facts -> decision -> durable record -> containerd or refusal. A call
 * lives in the memory of its own gRPC call, so that arriving costs no allocation of ours.
 */
#include "gate/call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <time.h>

#include "base/say.h"
#include "gate/inspect.h"
#include "gate/judgement.h"

struct call {
    struct relay relay;
    struct gate *gate;
};

/* A call that picks a runtime. */
struct judged_call {
    struct relay relay;
    struct gate *gate;
    enum inspect_method method;
    struct policy *policy;
    struct node_labels *labels;
    struct judgement judgement;
    grpc_slice request; /* in one piece: what is judged and what is sent */
    bool has_request;   /* false: the kubelet closed its side without one */
    struct arena arena; /* of the facts */
    struct inspect_span handler_span;
    struct loop_op recorded_op;
    bool recorded;
    struct err record_error;
    struct timespec arrived;
    grpc_slice reply;
    uint64_t duration_us;
};

static struct str str_of_slice(const grpc_slice *slice)
{
    return (struct str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

/* One piece, without a copy when it came in one. gRPC has undone a compression already. */
static grpc_slice in_one_piece(grpc_byte_buffer *payload)
{
    if (!payload)
        return grpc_empty_slice();
    const grpc_slice_buffer *parts = &payload->data.raw.slice_buffer;
    if (parts->count == 1)
        return grpc_slice_ref(parts->slices[0]);
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, payload))
        return grpc_empty_slice();
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return whole;
}

/* --- plain calls --------------------------------------------------------------------------- */

static void run_once(struct loop_op **op)
{
    struct loop_op *waiting = *op;
    *op = NULL;
    waiting->done(waiting, true);
}

/* Runs what waits for the calls. */
static void tell_waiting(struct gate *gate)
{
    if (gate->served == 0 && gate->when_served)
        run_once(&gate->when_served);
    if (gate->served + gate->turned_away == 0 && gate->when_over)
        run_once(&gate->when_over);
}

/* Last: the call's memory goes with it. */
static void end_call(struct gate *gate, struct relay *relay, size_t *count)
{
    relay_end(relay);
    --*count;
    tell_waiting(gate);
}

static void end_plain(struct relay *relay)
{
    struct gate *gate = container_of(relay, struct call, relay)->gate;
    end_call(gate, relay, &gate->served);
}

static void end_turned_away(struct relay *relay)
{
    struct gate *gate = container_of(relay, struct call, relay)->gate;
    end_call(gate, relay, &gate->turned_away);
}

static struct call *begin_plain(struct gate *gate, const struct relay_arrival *arrival,
                                relay_fn *finished)
{
    struct call *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    call->gate = gate;
    relay_begin(&call->relay, arrival, gate->upstream, gate->loop, finished);
    return call;
}

static void turn_away(struct gate *gate, const struct relay_arrival *arrival,
                      grpc_byte_buffer *payload)
{
    gate->turned_away++;
    grpc_byte_buffer_destroy(payload);
    relay_refuse(&begin_plain(gate, arrival, end_turned_away)->relay, GRPC_STATUS_UNAVAILABLE,
                 STR("crigate: the gate is stopping; call again"));
}

/* False when the connection is not one of ours, which does not happen. */
static bool find_peer(const struct gate *gate, grpc_call *call, struct audit_peer *peer)
{
    char *name = grpc_call_get_peer(call);
    bool found = name && peers_find(gate->peers, name, peer) == 0;
    gpr_free(name);
    return found;
}

static void refuse_service(struct gate *gate, const struct relay_arrival *arrival)
{
    struct call *call = begin_plain(gate, arrival, end_plain);
    struct str path = str_of_slice(&call->relay.in.path);
    struct audit_peer peer;
    struct audit_event event = {
        .type = "service.refused",
        .peer = find_peer(gate, arrival->call, &peer) ? &peer : NULL,
        .method = path,
        .action = AUDIT_REFUSE,
        .reason = REASON_SERVICE_NOT_ALLOWED,
        .policy = gate->policy,
    };
    audit_record(gate->audit, &event, NULL, NULL, NULL);
    char message[512];
    int length = snprintf(message, sizeof(message),
                          "crigate: %.*s is not a method of the CRI and does not pass the gate",
                          (int)(path.len < 256 ? path.len : 256), path.data);
    relay_refuse(&call->relay, GRPC_STATUS_UNIMPLEMENTED, (struct str){message, (size_t)length});
}

/* --- judged calls -------------------------------------------------------------------------- */

static uint64_t microseconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - then->tv_sec) * 1000000 + (now.tv_nsec - then->tv_nsec) / 1000);
}

/* Sending empties the reply: what the record needs of it is kept. */
static void note_answer(struct relay *relay)
{
    struct judged_call *call = container_of(relay, struct judged_call, relay);
    call->reply = in_one_piece(relay->reply);
    call->duration_us = microseconds_since(&call->arrived);
}

/* The second record is made when the answer has gone: the kubelet does not wait for it. */
static void end_judged(struct relay *relay)
{
    struct judged_call *call = container_of(relay, struct judged_call, relay);
    judgement_record_completed(&call->judgement, call->gate->audit, (int)relay->status,
                               inspect_sandbox_id(str_of_slice(&call->reply)), call->duration_us);
    arena_free(&call->arena);
    grpc_slice_unref(call->request);
    grpc_slice_unref(call->reply);
    policy_unref(call->policy);
    node_labels_unref(call->labels);
    end_call(call->gate, relay, &call->gate->served);
}

/* The request as it came, with the effective handler in the place of its own. */
static grpc_byte_buffer *request_to_send(struct judged_call *call)
{
    const struct policy_runtime *runtime = judgement_replaces_handler(&call->judgement);
    if (!runtime)
        return grpc_raw_byte_buffer_create(&call->request, 1);
    unsigned char field[512];
    size_t length = inspect_handler_field(call->method, runtime->handler, field, sizeof(field));
    if (length == 0)
        return NULL;
    size_t total = GRPC_SLICE_LENGTH(call->request);
    grpc_slice parts[] = {
        grpc_slice_sub(call->request, 0, call->handler_span.start),
        grpc_slice_from_copied_buffer((const char *)field, length),
        grpc_slice_sub(call->request, call->handler_span.end, total),
    };
    grpc_byte_buffer *request = grpc_raw_byte_buffer_create(parts, 3);
    for (size_t i = 0; i < 3; i++)
        grpc_slice_unref(parts[i]);
    return request;
}

static void forward(struct judged_call *call)
{
    grpc_byte_buffer *request = request_to_send(call);
    if (request)
        relay_unary(&call->relay, request);
    else
        relay_refuse(&call->relay, GRPC_STATUS_INTERNAL,
                     STR("crigate: the runtime's handler name is too long to be sent"));
}

/* The record is durable, or it is known that it will not be. */
static void on_recorded(struct loop_op *op, bool ok)
{
    struct judged_call *call = container_of(op, struct judged_call, recorded_op);
    (void)ok;
    struct judgement *judgement = &call->judgement;
    if (!call->recorded)
        judgement_audit_failed(judgement, &call->record_error);
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

static void record_decision(struct judged_call *call)
{
    call->recorded_op.done = on_recorded;
    relay_hold(&call->relay);
    if (judgement_record_decided(&call->judgement, call->gate->audit, record_done, call,
                                 &call->record_error) < 0)
        on_recorded(&call->recorded_op, false);
}

static void judge(struct judged_call *call)
{
    struct pod_facts pod;
    struct err err;
    int read = call->has_request ? inspect_pod(call->method, str_of_slice(&call->request),
                                               &call->arena, &pod, &call->handler_span, &err)
                                 : err_set(&err, "the call carries no request");
    if (read < 0)
        judgement_malformed(&call->judgement, &err);
    else
        judgement_of_pod(&call->judgement, &pod, node_labels_set(call->labels));
}

static void begin_judged(struct gate *gate, enum inspect_method method,
                         const struct relay_arrival *arrival, grpc_byte_buffer *payload)
{
    struct judged_call *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    *call = (struct judged_call){
        .gate = gate,
        .method = method,
        .policy = policy_ref(gate->policy),
        .labels = node_labels_ref(gate->labels),
    };
    clock_gettime(CLOCK_MONOTONIC, &call->arrived);
    call->reply = grpc_empty_slice();
    call->has_request = payload != NULL;
    call->request = in_one_piece(payload);
    grpc_byte_buffer_destroy(payload);
    relay_begin(&call->relay, arrival, gate->upstream, gate->loop, end_judged);
    call->relay.answered = note_answer;
    call->judgement = (struct judgement){
        .policy = call->policy,
        .request_id = ++gate->requests,
        .method = str_of_slice(&call->relay.in.path),
    };
    call->judgement.has_peer = find_peer(gate, arrival->call, &call->judgement.peer);
    judge(call);
    record_decision(call);
}

void call_arrived(struct gate *gate, enum method_kind kind, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload)
{
    if (gate->stopping) {
        turn_away(gate, arrival, payload);
        return;
    }
    gate->served++;
    switch (kind) {
    case METHOD_RUN_POD_SANDBOX:
        begin_judged(gate, INSPECT_RUN_POD_SANDBOX, arrival, payload);
        return;
    case METHOD_RESTORE_POD:
        begin_judged(gate, INSPECT_RESTORE_POD, arrival, payload);
        return;
    case METHOD_UNARY:
        relay_unary(&begin_plain(gate, arrival, end_plain)->relay, payload);
        return;
    case METHOD_DUPLEX:
        relay_duplex(&begin_plain(gate, arrival, end_plain)->relay);
        return;
    case METHOD_FOREIGN:
        refuse_service(gate, arrival);
        return;
    }
}

void call_when_served(struct gate *gate, struct loop_op *op)
{
    gate->when_served = op;
    tell_waiting(gate);
}

void call_when_over(struct gate *gate, struct loop_op *op)
{
    gate->when_over = op;
    tell_waiting(gate);
}
