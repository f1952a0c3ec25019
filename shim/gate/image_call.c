/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that carry an ImageSpec. Its runtime_handler follows the policy's names: another name
 * of a runtime becomes its own, one that is not declared is refused. Without one, which is the
 * rule, the call passes as it came.
 */
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include "gate/call_parts.h"

/* A request that asks for what is not there, or cannot be read. */
struct image_refusal {
    struct str handler;
    bool has_handler; /* false: the request is malformed */
    char message[1200];
};

static void record_refusal(struct call *call, const struct image_refusal *refusal, bool enforced)
{
    struct gate *gate = call->gate;
    struct audit_peer peer;
    struct audit_event event = {
        .type = "image.refused",
        .peer = call_find_peer(gate, call->relay.in.call, &peer) ? &peer : NULL,
        .method = str_of_slice(&call->relay.in.path),
        .has_handler = refusal->has_handler,
        .handler_requested = refusal->handler,
        .handler_effective = enforced ? STR("") : refusal->handler,
        .action = enforced ? AUDIT_REFUSE : AUDIT_WOULD_REFUSE,
        .reason = refusal->has_handler ? REASON_UNKNOWN_RUNTIME : REASON_MALFORMED,
        .message = str_of(refusal->message),
        .policy = gate->policy,
    };
    audit_record(gate->audit, &event, NULL, NULL, NULL);
}

/* While the policy only observes, the call goes on as it came. */
static void refuse(struct call *call, const struct image_refusal *refusal,
                   grpc_byte_buffer *payload)
{
    bool enforced = policy_mode(call->gate->policy) == POLICY_ENFORCE;
    record_refusal(call, refusal, enforced);
    if (!enforced) {
        relay_unary(&call->relay, payload);
        return;
    }
    call->gate->stats->images_refused++;
    grpc_byte_buffer_destroy(payload);
    relay_refuse(&call->relay, GRPC_STATUS_INVALID_ARGUMENT, str_of(refusal->message));
}

static void refuse_malformed(struct call *call, const struct err *err, grpc_byte_buffer *payload)
{
    struct image_refusal refusal = {.has_handler = false};
    snprintf(refusal.message, sizeof(refusal.message),
             "crigate: image request refused: malformed: %s", err->text);
    refuse(call, &refusal, payload);
}

static void refuse_unknown(struct call *call, struct str handler, grpc_byte_buffer *payload)
{
    struct image_refusal refusal = {.handler = handler, .has_handler = true};
    judgement_image_message(call->gate->policy, handler, refusal.message, sizeof(refusal.message));
    refuse(call, &refusal, payload);
}

static void rename_handler(struct call *call, enum inspect_image_in where, struct str request,
                           struct str name, grpc_byte_buffer *payload)
{
    OWNED_ARENA struct arena arena = {0};
    struct str replaced;
    struct err err;
    if (policy_mode(call->gate->policy) != POLICY_ENFORCE) {
        relay_unary(&call->relay, payload);
        return;
    }
    int made = inspect_image_replace(where, request, name, &arena, &replaced, &err);
    grpc_byte_buffer_destroy(payload);
    if (made == 0) {
        relay_unary(&call->relay, payload_copy(replaced));
    } else {
        err_wrap(&err, "crigate");
        relay_refuse(&call->relay, GRPC_STATUS_INTERNAL, str_of(err.text));
    }
}

void image_call(struct gate *gate, enum inspect_image_in where, const struct relay_arrival *arrival,
                grpc_byte_buffer *payload)
{
    struct call *call = call_begin(gate, arrival, call_end_plain);
    grpc_slice whole = payload_in_one_piece(payload);
    struct str request = str_of_slice(&whole), handler, name;
    struct err err;
    if (inspect_image(where, request, &handler, &err) < 0) {
        refuse_malformed(call, &err, payload);
    } else {
        switch (judgement_image_fate(gate->policy, handler, &name)) {
        case IMAGE_REFUSED:
            refuse_unknown(call, handler, payload);
            break;
        case IMAGE_AS_IT_CAME:
            relay_unary(&call->relay, payload);
            break;
        case IMAGE_RENAMED:
            rename_handler(call, where, request, name, payload);
            break;
        }
    }
    grpc_slice_unref(whole);
}
