/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking unary call on gRPC C core: one batch on one completion queue. */
#include "rpc.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>

struct rpc {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    const char *version;
    long timeout; /* seconds */
};

/* What the batch of one call reads and writes; it lives until the call's status is in. */
struct call {
    grpc_byte_buffer *request, *reply;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message;
};

struct rpc *rpc_new(const char *endpoint)
{
    struct rpc *rpc = calloc(1, sizeof(*rpc));
    if (!rpc)
        abort(); /* a test tool has nothing better to do */
    grpc_init();
    /* Go's server refuses the socket's path as :authority. The "minimum backoff" is how long one
     * attempt to connect may take. */
    grpc_arg args[] = {
        {.type = GRPC_ARG_STRING,
         .key = (char *)GRPC_ARG_DEFAULT_AUTHORITY,
         .value.string = (char *)"localhost"},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
         .value.integer = -1},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_MAX_METADATA_SIZE,
         .value.integer = 1 << 20},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
         .value.integer = 100},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
         .value.integer = 10000},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
         .value.integer = 500},
    };
    grpc_channel_args list = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};
    grpc_channel_credentials *plain = grpc_insecure_credentials_create();
    rpc->channel = grpc_channel_create(endpoint, plain, &list);
    grpc_channel_credentials_release(plain);
    rpc->queue = grpc_completion_queue_create_for_pluck(NULL);
    rpc->version = "v1";
    rpc->timeout = 120;
    return rpc;
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc)
        return;
    grpc_completion_queue_shutdown(rpc->queue);
    grpc_completion_queue_destroy(rpc->queue);
    grpc_channel_destroy(rpc->channel);
    grpc_shutdown();
    free(rpc);
}

void rpc_set_version(struct rpc *rpc, const char *version)
{
    rpc->version = version;
}

void rpc_set_timeout(struct rpc *rpc, long seconds)
{
    rpc->timeout = seconds;
}

static const char *code_name(grpc_status_code code)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    return (size_t)code < sizeof(names) / sizeof(names[0]) ? names[code] : "UNKNOWN";
}

static grpc_byte_buffer *buffer_of(const ProtobufCMessage *request)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(request));
    protobuf_c_message_pack(request, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

static int unpack(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type,
                  ProtobufCMessage **reply, struct err *err)
{
    grpc_byte_buffer_reader reader;
    if (!buffer || !grpc_byte_buffer_reader_init(&reader, buffer))
        return err_set(err, "INTERNAL: the call succeeded without a reply that can be read");
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    *reply = protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(bytes),
                                       GRPC_SLICE_START_PTR(bytes));
    grpc_slice_unref(bytes);
    return *reply ? 0 : err_set(err, "INTERNAL: the reply is not a %s", type->name);
}

/* Runs the whole call and waits for its status. */
static void exchange(struct rpc *rpc, grpc_call *handle, struct call *call)
{
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &call->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->reply},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                        .status = &call->code,
                                        .status_details = &call->message}},
    };
    grpc_call_error bad =
        grpc_call_start_batch(handle, ops, sizeof(ops) / sizeof(ops[0]), call, NULL);
    if (bad != GRPC_CALL_OK)
        abort(); /* the batch above is wrong, not the peer */
    grpc_completion_queue_pluck(rpc->queue, call, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
}

int rpc_call(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
             const ProtobufCMessageDescriptor *reply_type, ProtobufCMessage **reply,
             struct err *err)
{
    struct call call = {.request = buffer_of(request), .message = grpc_empty_slice()};
    grpc_metadata_array_init(&call.initial);
    grpc_metadata_array_init(&call.trailing);
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                         gpr_time_from_seconds(rpc->timeout, GPR_TIMESPAN));
    char text[128];
    snprintf(text, sizeof(text), "/runtime.%s.%s", rpc->version, method);
    grpc_slice path = grpc_slice_from_copied_string(text);
    grpc_call *handle = grpc_channel_create_call(rpc->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                                 rpc->queue, path, NULL, deadline, NULL);
    exchange(rpc, handle, &call);
    grpc_call_unref(handle);
    grpc_slice_unref(path);

    int result;
    if (call.code == GRPC_STATUS_OK)
        result = unpack(call.reply, reply_type, reply, err);
    else
        result =
            err_set(err, "%s: %.*s", code_name(call.code), (int)GRPC_SLICE_LENGTH(call.message),
                    (const char *)GRPC_SLICE_START_PTR(call.message));
    grpc_slice_unref(call.message);
    grpc_metadata_array_destroy(&call.initial);
    grpc_metadata_array_destroy(&call.trailing);
    grpc_byte_buffer_destroy(call.request);
    grpc_byte_buffer_destroy(call.reply);
    return result;
}
