/* SPDX-License-Identifier: Apache-2.0 */
/* RunPodSandbox and RestorePod: bytes -> facts -> decision; and RemovePodSandbox, a plain call that
 * the table of sandboxes hears of. */
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include "gate/call_parts.h"
#include "gate/inspect.h"
#include "gate/inspect_sandboxes.h"

struct pod_call {
    struct judged_call judged;
    enum inspect_method method;
    struct inspect_span handler_span;
};

static struct pod_call *pod_call_of(struct judged_call *judged)
{
    return container_of(judged, struct pod_call, judged);
}

/* The request as it came, with the effective handler in the place of its own. */
static grpc_byte_buffer *request_to_send(struct judged_call *judged, struct err *err)
{
    const struct pod_call *call = pod_call_of(judged);
    const struct policy_runtime *runtime = judgement_replaces_handler(&judged->judgement);
    if (!runtime)
        return grpc_raw_byte_buffer_create(&judged->request, 1);
    unsigned char field[512];
    size_t length = inspect_handler_field(call->method, runtime->handler, field, sizeof(field));
    if (length == 0) {
        err_set(err, "crigate: the runtime's handler name is too long to be sent");
        return NULL;
    }
    size_t total = GRPC_SLICE_LENGTH(judged->request);
    grpc_slice parts[] = {
        grpc_slice_sub(judged->request, 0, call->handler_span.start),
        grpc_slice_from_copied_buffer((const char *)field, length),
        grpc_slice_sub(judged->request, call->handler_span.end, total),
    };
    grpc_byte_buffer *request = grpc_raw_byte_buffer_create(parts, 3);
    for (size_t i = 0; i < 3; i++)
        grpc_slice_unref(parts[i]);
    return request;
}

/* Before the kubelet knows the id: its next call may be to put a container in. */
static void note_sandbox(struct judged_call *judged)
{
    if (judged->relay.status == GRPC_STATUS_OK)
        census_put(judged->gate->census, inspect_sandbox_id(str_of_slice(&judged->reply)),
                   judgement_effective_handler(&judged->judgement));
}

static void judge(struct pod_call *call)
{
    struct judged_call *judged = &call->judged;
    struct pod_facts pod;
    struct err err;
    int read = judged->has_request ? inspect_pod(call->method, str_of_slice(&judged->request),
                                                 &judged->arena, &pod, &call->handler_span, &err)
                                   : err_set(&err, "the call carries no request");
    if (read < 0)
        judgement_malformed(&judged->judgement, &err);
    else
        judgement_of_pod(&judged->judgement, &pod, node_labels_set(judged->labels));
}

static void begin(struct gate *gate, enum inspect_method method,
                  const struct relay_arrival *arrival, grpc_byte_buffer *payload)
{
    static const struct judged_kind kind = {
        .request = request_to_send, .answered = note_sandbox, .made = inspect_sandbox_id};
    struct pod_call *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    call->method = method;
    judged_begin(&call->judged, &kind, gate, arrival, payload);
    judge(call);
    judged_decided(&call->judged);
}

void pod_call_run(struct gate *gate, const struct relay_arrival *arrival, grpc_byte_buffer *payload)
{
    begin(gate, INSPECT_RUN_POD_SANDBOX, arrival, payload);
}

void pod_call_restore(struct gate *gate, const struct relay_arrival *arrival,
                      grpc_byte_buffer *payload)
{
    begin(gate, INSPECT_RESTORE_POD, arrival, payload);
}

/* --- RemovePodSandbox ---------------------------------------------------------------------- */

struct removal {
    struct relay relay;
    struct gate *gate;
    unsigned era;
    grpc_slice request; /* sending empties the one that goes on */
};

static void note_removal(struct relay *relay)
{
    const struct removal *call = container_of(relay, struct removal, relay);
    if (relay->status == GRPC_STATUS_OK)
        census_drop(call->gate->census, inspect_requested_sandbox(str_of_slice(&call->request)));
}

static void end_removal(struct relay *relay)
{
    struct removal *call = container_of(relay, struct removal, relay);
    grpc_slice_unref(call->request);
    call_end(call->gate, relay, call->era);
}

void pod_call_remove(struct gate *gate, const struct relay_arrival *arrival,
                     grpc_byte_buffer *payload)
{
    struct removal *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    call->gate = gate;
    call->era = call_enter(gate);
    call->request = payload_in_one_piece(payload);
    relay_begin(&call->relay, arrival, gate->upstream, gate->loop, &gate->answering, end_removal);
    call->relay.answered = note_removal;
    relay_unary(&call->relay, payload);
}
