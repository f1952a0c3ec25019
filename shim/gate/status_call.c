/* SPDX-License-Identifier: Apache-2.0 */
/* Status: containerd's answer, with the runtimes under the names that the policy in force has. */
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include "base/say.h"
#include "gate/call_parts.h"
#include "gate/inspect_status.h"

/* The kubelet asks every few seconds: one line for the trouble, not one a call. */
static void warn_once(struct gate *gate, const struct err *err)
{
    if (gate->status_warned)
        return;
    gate->status_warned = true;
    say_warn("containerd's Status goes on as it came: %s", err->text);
}

static void rewrite(struct relay *relay)
{
    struct gate *gate = container_of(relay, struct call, relay)->gate;
    if (!relay->reply || policy_mode(gate->policy) != POLICY_ENFORCE)
        return;
    OWNED_ARENA struct arena arena = {0};
    grpc_slice reply = payload_in_one_piece(relay->reply);
    struct str rewritten;
    struct err err;
    if (inspect_status(gate->policy, str_of_slice(&reply), &arena, &rewritten, &err) < 0) {
        warn_once(gate, &err);
    } else {
        gate->status_warned = false;
        grpc_byte_buffer_destroy(relay->reply);
        relay->reply = payload_copy(rewritten);
    }
    grpc_slice_unref(reply);
}

void status_call(struct gate *gate, const struct relay_arrival *arrival, grpc_byte_buffer *payload)
{
    struct call *call = call_begin(gate, arrival, call_end_plain);
    call->relay.answered = rewrite;
    relay_unary(&call->relay, payload);
}
