/* SPDX-License-Identifier: Apache-2.0 */
/* The first step of every call: which way its method goes; and the calls that go no way at all. */
#include "gate/call.h"

#include <stdio.h>

#include "gate/call_parts.h"

static void refuse_service(struct gate *gate, const struct relay_arrival *arrival)
{
    gate->stats->services_refused++;
    struct call *call = call_begin(gate, arrival, call_end_plain);
    struct str path = str_of_slice(&call->relay.in.path);
    struct audit_peer peer;
    struct audit_event event = {
        .type = "service.refused",
        .peer = call_find_peer(gate, arrival->call, &peer) ? &peer : NULL,
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

void call_arrived(struct gate *gate, enum method_kind kind, const struct relay_arrival *arrival,
                  grpc_byte_buffer *payload)
{
    switch (kind) {
    case METHOD_RUN_POD_SANDBOX:
        pod_call_run(gate, arrival, payload);
        return;
    case METHOD_RESTORE_POD:
        pod_call_restore(gate, arrival, payload);
        return;
    case METHOD_REMOVE_POD_SANDBOX:
        pod_call_remove(gate, arrival, payload);
        return;
    case METHOD_CREATE_CONTAINER:
        container_call(gate, arrival, payload);
        return;
    case METHOD_STATUS:
        status_call(gate, arrival, payload);
        return;
    case METHOD_IMAGE:
        image_call(gate, IMAGE_IN_REQUEST, arrival, payload);
        return;
    case METHOD_LIST_IMAGES:
        image_call(gate, IMAGE_IN_FILTER, arrival, payload);
        return;
    case METHOD_UNARY:
        relay_unary(&call_begin(gate, arrival, call_end_plain)->relay, payload);
        return;
    case METHOD_DUPLEX:
        relay_duplex(&call_begin(gate, arrival, call_end_plain)->relay);
        return;
    case METHOD_FOREIGN:
        refuse_service(gate, arrival);
        return;
    }
}

void call_begin_era(struct gate *gate)
{
    gate->era = !gate->era;
}

size_t call_count_older(const struct gate *gate)
{
    return gate->served[!gate->era];
}

size_t call_count(const struct gate *gate)
{
    return gate->served[0] + gate->served[1];
}

void call_when_over(struct gate *gate, struct loop_op *op)
{
    gate->when_over = op;
    call_tell_waiting(gate);
}
