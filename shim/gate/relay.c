/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay's two ways. A unary call is one batch to containerd and one back. Full duplex is two
 * pumps that do not wait for each other, each with one message in hand: the next is read when the
 * last has been taken, so that gRPC's flow control holds the sender, not our memory.
 */
#include "gate/relay.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"

/* False: no tag will come. */
static bool start(struct relay *relay, grpc_call *call, const grpc_op *ops, size_t count,
                  struct loop_op *tag)
{
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);
    if (error == GRPC_CALL_OK) {
        relay->in_flight++;
        return true;
    }
    /* gRPC took nothing, and no tag will come: end both calls rather than wait for ever. The watch
     * for the end of the kubelet's call, in flight until then, finishes the relay. */
    say_error("gRPC refused a batch: %s", grpc_call_error_to_string(error));
    grpc_call_cancel(relay->in.call, NULL);
    if (relay->out)
        grpc_call_cancel(relay->out, NULL);
    return false;
}

/* Bytes for the kubelet; sent_back() follows when the tag comes. */
static void send_back(struct relay *relay, const grpc_op *ops, size_t count, struct loop_op *tag)
{
    if (start(relay, relay->in.call, ops, count, tag))
        ++*relay->answering;
}

static void sent_back(struct relay *relay)
{
    --*relay->answering;
}

void relay_hold(struct relay *relay)
{
    relay->in_flight++;
}

void relay_drop(struct relay *relay)
{
    if (--relay->in_flight == 0)
        relay->finished(relay);
}

static void on_closed(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, closed_op);
    (void)ok;
    if (relay->closed_flag) {
        relay->cancelled = true;
        if (relay->out)
            grpc_call_cancel(relay->out, NULL);
        if (relay->abandoned)
            relay->abandoned(relay);
    }
    relay_drop(relay);
}

void relay_begin(struct relay *relay, const struct relay_arrival *arrival,
                 struct upstream *upstream, struct loop *loop, size_t *answering,
                 relay_fn *finished)
{
    *relay = (struct relay){
        .in = *arrival,
        .upstream = upstream,
        .loop = loop,
        .answering = answering,
        .finished = finished,
        .status = GRPC_STATUS_CANCELLED, /* if gRPC refuses a batch, there is no other */
        .details = grpc_empty_slice(),
        .closed_op = {.done = on_closed},
    };
    grpc_op watch = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                     .data.recv_close_on_server.cancelled = &relay->closed_flag};
    start(relay, relay->in.call, &watch, 1, &relay->closed_op);
}

static void open_upstream_call(struct relay *relay)
{
    relay->out = upstream_call(relay->upstream, relay->in.path, relay->in.deadline);
    metadata_strip(&relay->in.metadata);
    if (relay->cancelled)
        grpc_call_cancel(relay->out, NULL);
}

static grpc_op send_headers(grpc_metadata_array *metadata)
{
    return (grpc_op){
        .op = GRPC_OP_SEND_INITIAL_METADATA,
        .data.send_initial_metadata = {.count = metadata->count, .metadata = metadata->metadata}};
}

static grpc_op send_message(grpc_byte_buffer *message)
{
    return (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message};
}

static grpc_op send_half_close(void)
{
    return (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
}

static grpc_op receive_headers(struct relay *relay)
{
    return (grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA,
                     .data.recv_initial_metadata.recv_initial_metadata = &relay->initial};
}

static grpc_op receive_message(grpc_byte_buffer **message)
{
    return (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = message};
}

static grpc_op receive_status(struct relay *relay)
{
    return (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                     .data.recv_status_on_client = {.trailing_metadata = &relay->trailing,
                                                    .status = &relay->status,
                                                    .status_details = &relay->details}};
}

static grpc_op send_status(struct relay *relay)
{
    return (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
                     .data.send_status_from_server = {
                         .trailing_metadata_count = relay->trailing.count,
                         .trailing_metadata = relay->trailing.metadata,
                         .status = relay->status,
                         .status_details = &relay->details,
                     }};
}

static void on_responded(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, respond_op);
    (void)ok; /* the kubelet is gone: nobody is left to tell */
    sent_back(relay);
    relay_drop(relay);
}

/* The status is in relay->status: with the headers too, if they have not gone yet. */
static void respond(struct relay *relay, bool with_headers)
{
    relay->respond_op.done = on_responded;
    if (relay->answered)
        relay->answered(relay);
    grpc_op ops[3];
    size_t count = 0;
    if (with_headers)
        ops[count++] = send_headers(&relay->initial);
    if (relay->reply)
        ops[count++] = send_message(relay->reply);
    ops[count++] = send_status(relay);
    send_back(relay, ops, count, &relay->respond_op);
}

static void take_status(struct relay *relay)
{
    upstream_explain(relay->upstream, relay->status, &relay->trailing, &relay->details);
    metadata_strip(&relay->trailing);
}

static void set_status(struct relay *relay, grpc_status_code code, struct str message)
{
    relay->status = code;
    grpc_slice_unref(relay->details);
    relay->details = grpc_slice_from_copied_buffer(message.data, message.len);
}

void relay_refuse(struct relay *relay, grpc_status_code code, struct str message)
{
    set_status(relay, code, message);
    respond(relay, true);
}

/* A sentence for RESOURCE_EXHAUSTED; `text` is the caller's buffer. */
static struct str too_large(size_t length, char *text, size_t size)
{
    int written = snprintf(text, size, "crigate: the request has %zu bytes, the limit is %zu",
                           length, METHOD_REQUEST_MAX);
    return (struct str){text, (size_t)written};
}

/* --- unary --------------------------------------------------------------------------------- */

static void on_answer(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, answer_op);
    (void)ok; /* a batch with a status always succeeds */
    take_status(relay);
    metadata_strip(&relay->initial);
    respond(relay, true);
    relay_drop(relay);
}

void relay_unary(struct relay *relay, grpc_byte_buffer *request)
{
    relay->request_part = request;
    size_t length = request ? grpc_byte_buffer_length(request) : 0;
    if (length > METHOD_REQUEST_MAX) {
        char text[128];
        relay_refuse(relay, GRPC_STATUS_RESOURCE_EXHAUSTED, too_large(length, text, sizeof(text)));
        return;
    }
    open_upstream_call(relay);
    relay->answer_op.done = on_answer;
    grpc_op ops[6];
    size_t count = 0;
    ops[count++] = send_headers(&relay->in.metadata);
    if (request)
        ops[count++] = send_message(request);
    ops[count++] = send_half_close();
    ops[count++] = receive_headers(relay);
    ops[count++] = receive_message(&relay->reply);
    ops[count++] = receive_status(relay);
    start(relay, relay->out, ops, count, &relay->answer_op);
}

/* --- full duplex: kubelet to containerd ---------------------------------------------------- */

static void read_request(struct relay *relay)
{
    grpc_op op = receive_message(&relay->request_part);
    start(relay, relay->in.call, &op, 1, &relay->request_read_op);
}

static void on_half_close_sent(struct loop_op *op, bool ok)
{
    (void)ok;
    relay_drop(container_of(op, struct relay, request_sent_op));
}

static void on_request_sent(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, request_sent_op);
    grpc_byte_buffer_destroy(relay->request_part);
    relay->request_part = NULL;
    if (ok) /* else the call is over and its status is on the way */
        read_request(relay);
    relay_drop(relay);
}

/* The answer is ours: containerd's call ends, and what it still says is not passed on. */
static void refuse_midway(struct relay *relay, size_t length)
{
    char text[128];
    struct str message = too_large(length, text, sizeof(text));
    grpc_call_cancel_with_status(relay->out, GRPC_STATUS_RESOURCE_EXHAUSTED, message.data, NULL);
}

static void on_request_read(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, request_read_op);
    (void)ok;
    size_t length = relay->request_part ? grpc_byte_buffer_length(relay->request_part) : 0;
    if (length > METHOD_REQUEST_MAX) {
        refuse_midway(relay, length);
    } else if (relay->request_part) {
        relay->request_sent_op.done = on_request_sent;
        grpc_op send = send_message(relay->request_part);
        start(relay, relay->out, &send, 1, &relay->request_sent_op);
    } else if (!grpc_call_failed_before_recv_message(relay->in.call)) {
        /* An end, and not the connection's: to containerd a broken stream must not look whole. */
        relay->request_sent_op.done = on_half_close_sent;
        grpc_op close = send_half_close();
        start(relay, relay->out, &close, 1, &relay->request_sent_op);
    }
    relay_drop(relay);
}

/* --- full duplex: containerd to kubelet ---------------------------------------------------- */

static void read_reply(struct relay *relay)
{
    grpc_op op = receive_message(&relay->reply);
    start(relay, relay->out, &op, 1, &relay->reply_read_op);
}

/* The status goes when it is known and everything before it has gone. */
static void respond_if_over(struct relay *relay)
{
    if (relay->has_status && relay->replies_over && !relay->answer_sent) {
        relay->answer_sent = true;
        respond(relay, false);
    }
}

static void on_reply_sent(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, reply_sent_op);
    sent_back(relay);
    grpc_byte_buffer_destroy(relay->reply);
    relay->reply = NULL;
    if (!ok) /* nobody takes replies any more: containerd need not go on */
        grpc_call_cancel(relay->out, NULL);
    read_reply(relay);
    relay_drop(relay);
}

static void on_reply_read(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, reply_read_op);
    (void)ok;
    if (relay->reply) {
        grpc_op send = send_message(relay->reply);
        send_back(relay, &send, 1, &relay->reply_sent_op);
    } else {
        relay->replies_over = true;
        respond_if_over(relay);
    }
    relay_drop(relay);
}

static void on_greeting_sent(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, greeting_op);
    (void)ok;
    sent_back(relay);
    read_reply(relay);
    relay_drop(relay);
}

static void on_headers_in(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, headers_in_op);
    (void)ok;
    metadata_strip(&relay->initial);
    grpc_op greet = send_headers(&relay->initial);
    send_back(relay, &greet, 1, &relay->greeting_op);
    relay_drop(relay);
}

static void on_status_in(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, answer_op);
    (void)ok;
    take_status(relay);
    relay->has_status = true;
    respond_if_over(relay);
    relay_drop(relay);
}

static void on_headers_out(struct loop_op *op, bool ok)
{
    struct relay *relay = container_of(op, struct relay, headers_out_op);
    if (ok) /* else the call is over and its status is on the way */
        read_request(relay);
    relay_drop(relay);
}

void relay_duplex(struct relay *relay)
{
    open_upstream_call(relay);
    relay->headers_out_op.done = on_headers_out;
    relay->headers_in_op.done = on_headers_in;
    relay->greeting_op.done = on_greeting_sent;
    relay->answer_op.done = on_status_in;
    relay->request_read_op.done = on_request_read;
    relay->reply_read_op.done = on_reply_read;
    relay->reply_sent_op.done = on_reply_sent;
    grpc_op out = send_headers(&relay->in.metadata);
    grpc_op headers = receive_headers(relay);
    grpc_op status = receive_status(relay);
    start(relay, relay->out, &out, 1, &relay->headers_out_op);
    start(relay, relay->out, &headers, 1, &relay->headers_in_op);
    start(relay, relay->out, &status, 1, &relay->answer_op);
}

void relay_end(struct relay *relay)
{
    grpc_byte_buffer_destroy(relay->request_part);
    grpc_byte_buffer_destroy(relay->reply);
    grpc_metadata_array_destroy(&relay->initial);
    grpc_metadata_array_destroy(&relay->trailing);
    grpc_metadata_array_destroy(&relay->in.metadata);
    grpc_slice_unref(relay->details);
    grpc_slice_unref(relay->in.path);
    if (relay->out)
        grpc_call_unref(relay->out);
    grpc_call_unref(relay->in.call); /* last: the relay may lie in this call's arena */
}
