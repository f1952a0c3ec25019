/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call from its arrival to its end, as its plan says. One message is held at a time: the next
 * one is read or built when the last one has been taken.
 */
#include "call.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "plan.h"
#include "reply.h"

#define LIST "/runtime.v1.RuntimeService/ListPodSandbox"
#define STATUS "/runtime.v1.RuntimeService/PodSandboxStatus"

struct call {
    struct fake *fake;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    struct plan plan;
    struct ledger_line *line;
    struct call_op arrived, begun, received, sent, closed;
    unsigned pending;             /* operations in flight */
    grpc_byte_buffer *request;    /* just received */
    grpc_byte_buffer *reply;      /* on its way */
    grpc_byte_buffer *own_answer; /* of the fake's own service; owned until sent */
    struct reply_seen seen;
    uint64_t streamed;
    bool initial_sent, status_sent, answering, over;
    int cancelled; /* written by gRPC; to be read once `over` */
    gpr_timespec due;
    struct call *next_timer, *earlier_timer;
    bool timed;
};

static void answer(struct call *call);

static void free_call(struct call *call)
{
    if (call->line)
        call->line->open--;
    if (call->call)
        grpc_call_unref(call->call);
    if (call->reply)
        grpc_byte_buffer_destroy(call->reply);
    if (call->own_answer)
        grpc_byte_buffer_destroy(call->own_answer);
    plan_free(&call->plan);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    free(call);
}

static void start(struct call *call, const grpc_op *ops, size_t count, struct call_op *op)
{
    grpc_call_error error = grpc_call_start_batch(call->call, ops, count, op, NULL);
    if (error != GRPC_CALL_OK) {
        fprintf(stderr, "fake-containerd: batch: %s\n", grpc_call_error_to_string(error));
        abort();
    }
    call->pending++;
}

/* An operation came back; false when the call is over and gone. */
static bool still_there(struct call *call)
{
    if (--call->pending > 0)
        return true;
    free_call(call);
    return false;
}

static void add_timer(struct call *call)
{
    struct fake *fake = call->fake;
    call->due = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                             gpr_time_from_millis((int64_t)call->plan.delay_ms, GPR_TIMESPAN));
    struct call *before = fake->last_timer;
    while (before && gpr_time_cmp(before->due, call->due) > 0)
        before = before->earlier_timer;
    struct call *after = before ? before->next_timer : fake->first_timer;
    call->earlier_timer = before;
    call->next_timer = after;
    *(before ? &before->next_timer : &fake->first_timer) = call;
    *(after ? &after->earlier_timer : &fake->last_timer) = call;
    call->timed = true;
}

static void remove_timer(struct call *call)
{
    if (!call->timed)
        return;
    struct fake *fake = call->fake;
    *(call->earlier_timer ? &call->earlier_timer->next_timer : &fake->first_timer) =
        call->next_timer;
    *(call->next_timer ? &call->next_timer->earlier_timer : &fake->last_timer) =
        call->earlier_timer;
    call->timed = false;
}

gpr_timespec call_next_timer(const struct fake *fake)
{
    return fake->first_timer ? fake->first_timer->due : gpr_inf_future(GPR_CLOCK_MONOTONIC);
}

void call_run_timers(struct fake *fake)
{
    while (fake->first_timer &&
           gpr_time_cmp(fake->first_timer->due, gpr_now(GPR_CLOCK_MONOTONIC)) <= 0) {
        struct call *call = fake->first_timer;
        remove_timer(call);
        answer(call);
    }
}

static void receive(struct call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->request;
    start(call, &op, 1, &call->received);
}

static size_t add_initial(struct call *call, grpc_op *op)
{
    if (call->initial_sent)
        return 0;
    call->initial_sent = true;
    *op = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    op->data.send_initial_metadata.count = call->plan.initial_count;
    op->data.send_initial_metadata.metadata = call->plan.initial;
    return 1;
}

/* The call takes `message`. */
static size_t add_message(struct call *call, grpc_op *op, grpc_byte_buffer *message)
{
    call->reply = message;
    *op = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    op->data.send_message.send_message = message;
    return 1;
}

static size_t add_status(struct call *call, grpc_op *op)
{
    call->status_sent = true;
    *op = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    op->data.send_status_from_server.status = call->plan.status;
    op->data.send_status_from_server.status_details =
        call->plan.has_message ? &call->plan.message : NULL;
    op->data.send_status_from_server.trailing_metadata_count = call->plan.trailing_count;
    op->data.send_status_from_server.trailing_metadata = call->plan.trailing;
    return 1;
}

static grpc_byte_buffer *single_reply(struct call *call)
{
    if (call->own_answer) {
        grpc_byte_buffer *own = call->own_answer;
        call->own_answer = NULL;
        return own;
    }
    if (call->plan.report)
        return reply_report(&call->details, &call->metadata, &call->seen);
    if (call->plan.has_reply)
        return reply_pattern(call->plan.reply_size, false, 0);
    return reply_plausible(call->details.method);
}

/* The next reply of the stream, or the end of the call. */
static void answer(struct call *call)
{
    const struct plan *plan = &call->plan;
    bool stream = plan->has_stream && call->streamed < plan->stream_count;
    if (!stream && plan->hang)
        return;
    if (!stream && plan->abort) {
        grpc_call_cancel(call->call, NULL);
        return;
    }
    grpc_op ops[3];
    size_t count = add_initial(call, ops);
    if (stream) {
        grpc_byte_buffer *reply = reply_pattern(plan->stream_size, true, call->streamed++);
        count += add_message(call, &ops[count], reply);
    } else {
        bool unary = !plan->has_stream && !plan->echo;
        if (unary && (plan->status == GRPC_STATUS_OK || plan->has_reply))
            count += add_message(call, &ops[count], single_reply(call));
        count += add_status(call, &ops[count]);
    }
    start(call, ops, count, &call->sent);
}

static void answer_in_time(struct call *call)
{
    call->answering = true;
    if (call->plan.delay_ms > 0)
        add_timer(call);
    else
        answer(call);
}

static void on_sent(struct call *call, bool ok)
{
    if (call->reply)
        grpc_byte_buffer_destroy(call->reply);
    call->reply = NULL;
    if (!still_there(call) || !ok || call->status_sent || call->over)
        return;
    if (call->answering)
        answer(call);
    else
        receive(call); /* an echo is out: the next message may come */
}

static void echo(struct call *call, grpc_byte_buffer *message)
{
    grpc_op ops[2];
    size_t count = add_initial(call, ops);
    count += add_message(call, &ops[count], message);
    start(call, ops, count, &call->sent);
}

static grpc_slice whole(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    if (!buffer || !grpc_byte_buffer_reader_init(&reader, buffer))
        return grpc_empty_slice();
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return bytes;
}

static bool calls(const struct call *call, const char *method)
{
    return grpc_slice_str_cmp(call->details.method, method) == 0;
}

/* "METHOD\nkey: value\n..." */
static void steer(struct call *call, grpc_slice request)
{
    char *text = grpc_slice_to_c_string(request), *end = strchr(text, '\n');
    if (end) {
        *end = 0;
        grpc_slice method = grpc_slice_from_copied_string(text);
        ledger_steer(ledger_find(&call->fake->ledger, method), end + 1);
        grpc_slice_unref(method);
    }
    gpr_free(text);
}

static grpc_slice kept(const struct ledger_line *line)
{
    return grpc_slice_from_copied_buffer((const char *)line->kept.data, line->kept.len);
}

/* The fake's own service. */
static void serve_test(struct call *call, grpc_slice request)
{
    struct ledger *ledger = &call->fake->ledger;
    if (calls(call, "/fake.Fake/Saw"))
        call->own_answer = reply_of(ledger_text(ledger_find(ledger, request)));
    else if (calls(call, "/fake.Fake/Last"))
        call->own_answer = reply_of(whole(ledger_find(ledger, request)->last));
    else if (calls(call, "/fake.Fake/Keep"))
        ledger_find(ledger, request)->keeps = true;
    else if (calls(call, "/fake.Fake/Kept"))
        call->own_answer = reply_of(kept(ledger_find(ledger, request)));
    else if (calls(call, "/fake.Fake/Steer"))
        steer(call, request);
    else if (calls(call, "/fake.Fake/Sandboxes"))
        sandboxes_set(&call->fake->sandboxes, request);
}

/* As containerd would, unless the call is steered to something else. */
static void tell_of_sandboxes(struct call *call, grpc_slice request)
{
    struct plan *plan = &call->plan;
    if (plan->status != GRPC_STATUS_OK || plan->has_reply || plan->report || plan->echo ||
        call->own_answer)
        return;
    if (calls(call, LIST))
        call->own_answer = sandboxes_list(&call->fake->sandboxes);
    if (!calls(call, STATUS) || GRPC_SLICE_LENGTH(request) == 0)
        return;
    call->own_answer = sandboxes_status(&call->fake->sandboxes, request);
    if (call->own_answer || plan->has_message)
        return;
    plan->status = GRPC_STATUS_NOT_FOUND;
    plan->has_message = true;
    plan->message = grpc_slice_from_static_string("sandbox: not found");
}

/* Whether the answer depends on what the request says. */
static bool is_read(const struct call *call)
{
    static const char own[] = "/fake.Fake/";
    grpc_slice method = call->details.method;
    bool of_fake = GRPC_SLICE_LENGTH(method) >= sizeof(own) &&
                   memcmp(GRPC_SLICE_START_PTR(method), own, sizeof(own) - 1) == 0;
    return of_fake || call->line->keeps || calls(call, LIST) || calls(call, STATUS);
}

static void take_request(struct call *call, grpc_byte_buffer *request)
{
    call->seen.messages++;
    call->seen.bytes += grpc_byte_buffer_length(request);
    if (is_read(call)) {
        grpc_slice bytes = whole(request);
        serve_test(call, bytes);
        tell_of_sandboxes(call, bytes);
        ledger_keep(call->line, bytes);
        grpc_slice_unref(bytes);
    }
    if (call->plan.echo)
        echo(call, grpc_byte_buffer_copy(request));
    ledger_request(call->line, request);
}

static void on_received(struct call *call, bool ok)
{
    (void)ok; /* a failed receive looks like a half-close to `ok` */
    grpc_byte_buffer *request = call->request;
    call->request = NULL;
    if (request)
        take_request(call, request);
    else if (!grpc_call_failed_before_recv_message(call->call)) {
        call->seen.half_closed = true;
        ledger_ended(call->line);
    }
    if (!still_there(call) || call->over)
        return;
    if (request && call->plan.echo)
        return;
    if (request && call->plan.collect)
        receive(call);
    else
        answer_in_time(call);
}

static void on_closed(struct call *call, bool ok)
{
    (void)ok; /* always true */
    call->over = true;
    remove_timer(call);
    if (call->cancelled)
        ledger_cancelled(call->line);
    still_there(call);
}

static void on_begun(struct call *call, bool ok)
{
    (void)ok; /* the close tells */
    still_there(call);
}

/* containerd keeps the event stream open for as long as the kubelet reads it. */
static bool is_event_stream(grpc_slice method)
{
    return grpc_slice_str_cmp(method, "/runtime.v1.RuntimeService/GetContainerEvents") == 0;
}

static void start_call(struct call *call)
{
    call->line = ledger_find(&call->fake->ledger, call->details.method);
    plan_read(call->line->steering ? call->line->steering : &call->metadata, &call->plan);
    if (is_event_stream(call->details.method) && !call->plan.has_stream)
        call->plan.hang = call->plan.early = true;
    call->line->calls++;
    call->line->open++;
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    close.data.recv_close_on_server.cancelled = &call->cancelled;
    start(call, &close, 1, &call->closed);
    if (call->plan.early) {
        grpc_op early;
        size_t count = add_initial(call, &early);
        start(call, &early, count, &call->begun);
    }
    receive(call);
}

static void on_arrived(struct call *call, bool ok)
{
    call->pending--;
    if (!ok) {
        free_call(call);
        return;
    }
    call_await(call->fake);
    start_call(call);
}

void call_await(struct fake *fake)
{
    struct call *call = must_calloc(1, sizeof(*call));
    call->fake = fake;
    call->arrived = (struct call_op){on_arrived, call};
    call->begun = (struct call_op){on_begun, call};
    call->received = (struct call_op){on_received, call};
    call->sent = (struct call_op){on_sent, call};
    call->closed = (struct call_op){on_closed, call};
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    call->pending = 1;
    grpc_call_error error =
        grpc_server_request_call(fake->server, &call->call, &call->details, &call->metadata,
                                 fake->queue, fake->queue, &call->arrived);
    if (error != GRPC_CALL_OK) {
        fprintf(stderr, "fake-containerd: request: %s\n", grpc_call_error_to_string(error));
        abort();
    }
}
