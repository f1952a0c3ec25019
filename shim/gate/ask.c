/* SPDX-License-Identifier: Apache-2.0 */
/* One question to containerd: a unary call with the gate itself as the client. */
#include "gate/ask.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdlib.h>

#include "gate/payload.h"

struct ask {
    struct loop_op op;
    struct upstream *upstream;
    grpc_call *call;
    ask_fn *answered;
    void *cookie;
    bool cancelled;
    grpc_byte_buffer *request, *reply;
    grpc_metadata_array initial, trailing;
    grpc_status_code status;
    grpc_slice details;
};

static void free_ask(struct ask *ask)
{
    grpc_byte_buffer_destroy(ask->request);
    grpc_byte_buffer_destroy(ask->reply);
    grpc_metadata_array_destroy(&ask->initial);
    grpc_metadata_array_destroy(&ask->trailing);
    grpc_slice_unref(ask->details);
    if (ask->call)
        grpc_call_unref(ask->call);
    free(ask);
}
DEFINE_OWNED(own_ask, struct ask, free_ask)

static void on_answer(struct loop_op *op, bool ok)
{
    OWNED(own_ask) struct ask *ask = container_of(op, struct ask, op);
    (void)ok; /* a batch with a status always succeeds */
    if (ask->cancelled) {
        ask->answered(ask->cookie,
                      &(struct answer){GRPC_STATUS_CANCELLED, STR("cancelled"), STR("")});
        return;
    }
    upstream_explain(ask->upstream, ask->status, &ask->trailing, &ask->details);
    bool answered = ask->status == GRPC_STATUS_OK;
    grpc_slice reply = payload_in_one_piece(answered ? ask->reply : NULL);
    struct answer answer = {ask->status, str_of_slice(&ask->details), str_of_slice(&reply)};
    ask->answered(ask->cookie, &answer);
    grpc_slice_unref(reply);
}

static int start(struct ask *ask, struct err *err)
{
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = ask->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &ask->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &ask->reply},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &ask->trailing,
                                        .status = &ask->status,
                                        .status_details = &ask->details}},
    };
    grpc_call_error error =
        grpc_call_start_batch(ask->call, ops, sizeof(ops) / sizeof(ops[0]), &ask->op, NULL);
    if (error != GRPC_CALL_OK)
        return err_set(err, "a question to containerd: %s", grpc_call_error_to_string(error));
    return 0;
}

int ask_containerd(struct upstream *upstream, const struct ask_options *options, ask_fn *answered,
                   void *cookie, struct ask **ask, struct err *err)
{
    OWNED(own_ask) struct ask *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "a question to containerd: out of memory");
    *made = (struct ask){.op = {.done = on_answer},
                         .upstream = upstream,
                         .answered = answered,
                         .cookie = cookie,
                         .request = payload_copy(options->request),
                         .details = grpc_empty_slice()};
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                         gpr_time_from_millis(options->timeout_ms, GPR_TIMESPAN));
    made->call = upstream_call(upstream, grpc_slice_from_static_string(options->path), deadline);
    if (start(made, err) < 0)
        return -1;
    if (ask)
        *ask = made;
    steal_ptr(&made);
    return 0;
}

void ask_cancel(struct ask *ask)
{
    ask->cancelled = true;
    grpc_call_cancel(ask->call, NULL);
}
