/* SPDX-License-Identifier: Apache-2.0 */
/* Answers ListPodSandbox and PodSandboxStatus from a plan. */
#include "fake_cri.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define LIST "/runtime.v1.RuntimeService/ListPodSandbox"
#define STATUS "/runtime.v1.RuntimeService/PodSandboxStatus"

struct fake_cri {
    const struct fake_cri_plan *plan;
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    atomic_size_t statuses, others, peak;
    size_t open; /* PodSandboxStatus calls; the thread's */
};

/* One call, and the tag of what it waits for. */
struct call {
    enum { ARRIVES, IS_READ, ENDS } stage;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *request;
    int cancelled;
    bool is_status;
};

/* --- messages ------------------------------------------------------------------------------ */

static void add_text(struct bytes *out, unsigned field, const char *text)
{
    if (text && text[0])
        bytes_text(out, field, text);
}

static void add_sandbox(struct bytes *list, const struct fake_sandbox *sandbox)
{
    struct bytes item = {0}, metadata = {0};
    add_text(&metadata, 1, sandbox->name);
    bytes_text(&metadata, 2, "uid-1");
    add_text(&metadata, 3, sandbox->namespace);
    bytes_text(&item, 1, sandbox->id);
    bytes_nest(&item, 2, &metadata);
    if (sandbox->not_ready)
        bytes_number(&item, 3, 1);
    bytes_number(&item, 4, (uint64_t)sandbox->created_at);
    if (sandbox->label) {
        struct bytes pair = {0};
        bytes_text(&pair, 1, sandbox->label);
        bytes_text(&pair, 2, sandbox->value);
        bytes_nest(&item, 5, &pair);
    }
    add_text(&item, 7, sandbox->handler);
    bytes_nest(list, 1, &item);
}

static grpc_slice list_reply(const struct fake_cri_plan *plan)
{
    struct bytes list = {0};
    if (plan->broken_list)
        bytes_add(&list, "\x0a\xff\xff\xff\x7f", 5);
    for (size_t i = 0; i < plan->count; i++)
        add_sandbox(&list, &plan->sandboxes[i]);
    return bytes_slice(&list);
}

static grpc_slice status_reply(const struct fake_sandbox *sandbox)
{
    struct bytes reply = {0}, status = {0}, linux_status = {0}, namespaces = {0}, options = {0};
    if (sandbox->empty_status)
        return grpc_empty_slice();
    bytes_number(&options, 1, sandbox->host_network ? 2 : 0);
    bytes_nest(&namespaces, 2, &options);
    bytes_nest(&linux_status, 1, &namespaces);
    bytes_text(&status, 1, sandbox->status_id ? sandbox->status_id : sandbox->id);
    bytes_nest(&status, 6, &linux_status);
    bytes_nest(&reply, 1, &status);
    return bytes_slice(&reply);
}

/* The request is field 1, the id. */
static const struct fake_sandbox *find(const struct fake_cri_plan *plan, grpc_byte_buffer *request)
{
    grpc_byte_buffer_reader reader;
    if (!request || !grpc_byte_buffer_reader_init(&reader, request))
        return NULL;
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    const struct fake_sandbox *found = NULL;
    for (size_t i = 0; i < plan->count && !found; i++) {
        struct bytes expected = {0};
        bytes_text(&expected, 1, plan->sandboxes[i].id);
        grpc_slice wanted = bytes_slice(&expected);
        if (grpc_slice_eq(bytes, wanted))
            found = &plan->sandboxes[i];
        grpc_slice_unref(wanted);
    }
    grpc_slice_unref(bytes);
    return found;
}

/* --- calls --------------------------------------------------------------------------------- */

static void expect_call(struct fake_cri *fake)
{
    struct call *call = calloc(1, sizeof(*call));
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    grpc_server_request_call(fake->server, &call->call, &call->details, &call->metadata,
                             fake->queue, fake->queue, call);
}

static void free_call(struct call *call)
{
    grpc_byte_buffer_destroy(call->request);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    if (call->call)
        grpc_call_unref(call->call);
    free(call);
}

static void read_request(struct fake_cri *fake, struct call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->request};
    call->stage = IS_READ;
    call->is_status = grpc_slice_str_cmp(call->details.method, STATUS) == 0;
    if (call->is_status && ++fake->open > fake->peak)
        fake->peak = fake->open;
    grpc_call_start_batch(call->call, &op, 1, call, NULL);
}

static void end_call(struct call *call, int code, grpc_slice reply)
{
    grpc_slice why = grpc_slice_from_static_string("the fake \x1b[2J says no");
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&reply, 1);
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
         .data.recv_close_on_server.cancelled = &call->cancelled},
        {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
         .data.send_status_from_server = {.status = (grpc_status_code)code,
                                          .status_details = code ? &why : NULL}},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
    };
    call->stage = ENDS;
    grpc_call_start_batch(call->call, ops, code ? 3 : 4, call, NULL);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(reply);
}

/* Until the client gives up. */
static void hang(struct call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                  .data.recv_close_on_server.cancelled = &call->cancelled};
    call->stage = ENDS;
    grpc_call_start_batch(call->call, &op, 1, call, NULL);
}

static void answer(struct fake_cri *fake, struct call *call)
{
    const struct fake_cri_plan *plan = fake->plan;
    if (call->is_status) {
        fake->statuses++;
        const struct fake_sandbox *sandbox = find(plan, call->request);
        end_call(call, sandbox ? sandbox->status_code : GRPC_STATUS_NOT_FOUND,
                 sandbox ? status_reply(sandbox) : grpc_empty_slice());
    } else if (grpc_slice_str_cmp(call->details.method, LIST) != 0) {
        fake->others++;
        end_call(call, GRPC_STATUS_UNIMPLEMENTED, grpc_empty_slice());
    } else if (plan->hang) {
        hang(call);
    } else {
        end_call(call, plan->list_code, list_reply(plan));
    }
}

static void step(struct fake_cri *fake, struct call *call, bool ok)
{
    if (call->stage == ARRIVES && ok) {
        expect_call(fake);
        read_request(fake, call);
    } else if (call->stage == IS_READ) {
        answer(fake, call);
    } else {
        fake->open -= call->is_status;
        free_call(call);
    }
}

static void *serve(void *cookie)
{
    struct fake_cri *fake = cookie;
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(fake->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.tag == fake)
            grpc_completion_queue_shutdown(fake->queue);
        else
            step(fake, event.tag, event.success);
    }
}

struct fake_cri *fake_cri_start(const char *socket, const struct fake_cri_plan *plan)
{
    char address[128];
    struct fake_cri *fake = calloc(1, sizeof(*fake));
    fake->plan = plan;
    fake->queue = grpc_completion_queue_create_for_next(NULL);
    fake->server = grpc_server_create(NULL, NULL);
    grpc_server_register_completion_queue(fake->server, fake->queue, NULL);
    snprintf(address, sizeof(address), "unix:%s", socket);
    grpc_server_credentials *insecure = grpc_insecure_server_credentials_create();
    if (!grpc_server_add_http2_port(fake->server, address, insecure))
        abort();
    grpc_server_credentials_release(insecure);
    grpc_server_start(fake->server);
    expect_call(fake);
    if (pthread_create(&fake->thread, NULL, serve, fake) != 0)
        abort();
    return fake;
}

void fake_cri_stop(struct fake_cri *fake)
{
    grpc_server_shutdown_and_notify(fake->server, fake->queue, fake);
    grpc_server_cancel_all_calls(fake->server);
    pthread_join(fake->thread, NULL);
    grpc_server_destroy(fake->server);
    grpc_completion_queue_destroy(fake->queue);
    free(fake);
}

size_t fake_cri_statuses(const struct fake_cri *fake)
{
    return fake->statuses;
}

size_t fake_cri_others(const struct fake_cri *fake)
{
    return fake->others;
}

size_t fake_cri_peak(const struct fake_cri *fake)
{
    return fake->peak;
}
