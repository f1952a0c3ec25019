/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for calls. A method of the table is registered, so that a call arrives with its payload
 * in one completion; one slot a method is enough, since it is armed again before the call goes on.
 * Everything else comes through the generic slot, and its payload is read later, if at all.
 */
#include "gate/server.h"

#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct loop_op arrived;
    struct server *server;
    void *registered; /* NULL: the generic slot */
    const struct method *method;
    grpc_call *call;
    grpc_metadata_array metadata;
    grpc_call_details details; /* generic */
    gpr_timespec deadline;     /* registered */
    grpc_byte_buffer *payload; /* registered */
};

struct server {
    struct gate *gate;
    grpc_server *server;
    grpc_server_credentials *insecure;
    struct slot *slots; /* one a method of the table, and the generic one behind them */
    size_t slot_count;
    struct loop_op drained;
    struct loop_op *over;
};

static void arm(struct slot *slot)
{
    struct server *server = slot->server;
    grpc_completion_queue *queue = loop_queue(server->gate->loop);
    grpc_metadata_array_init(&slot->metadata);
    slot->payload = NULL;
    slot->call = NULL;
    grpc_call_error error;
    if (slot->registered) {
        error = grpc_server_request_registered_call(server->server, slot->registered, &slot->call,
                                                    &slot->deadline, &slot->metadata,
                                                    &slot->payload, queue, queue, &slot->arrived);
    } else {
        grpc_call_details_init(&slot->details);
        error = grpc_server_request_call(server->server, &slot->call, &slot->details,
                                         &slot->metadata, queue, queue, &slot->arrived);
    }
    if (error != GRPC_CALL_OK)
        abort(); /* the arguments are ours and constant: a call could never arrive again */
}

static struct relay_arrival take_arrival(struct slot *slot)
{
    struct relay_arrival arrival = {
        .call = slot->call, .method = slot->method, .metadata = slot->metadata};
    clock_gettime(CLOCK_MONOTONIC, &arrival.at);
    if (slot->registered) {
        arrival.path = grpc_slice_from_static_string(slot->method->path);
        arrival.deadline = slot->deadline;
    } else {
        arrival.path = slot->details.method;
        arrival.deadline = slot->details.deadline;
        grpc_slice_unref(slot->details.host);
    }
    return arrival;
}

static enum method_kind kind_of(const struct slot *slot, grpc_slice path)
{
    if (slot->registered)
        return slot->method->kind;
    enum method_kind kind = method_classify(
        (struct str){(const char *)GRPC_SLICE_START_PTR(path), GRPC_SLICE_LENGTH(path)});
    /* gRPC hands a registered path to its own slot only. Were it ever to come here, its payload
     * would go on unread: it does not pass. */
    return kind == METHOD_DUPLEX ? METHOD_DUPLEX : METHOD_FOREIGN;
}

static void on_arrival(struct loop_op *op, bool ok)
{
    struct slot *slot = container_of(op, struct slot, arrived);
    if (!ok) { /* the server shuts down */
        grpc_metadata_array_destroy(&slot->metadata);
        if (!slot->registered)
            grpc_call_details_destroy(&slot->details);
        return;
    }
    struct relay_arrival arrival = take_arrival(slot);
    grpc_byte_buffer *payload = slot->payload;
    enum method_kind kind = kind_of(slot, arrival.path);
    arm(slot);
    call_arrived(slot->server->gate, kind, &arrival, payload);
}

#define INT_ARG(name, number)                                                      \
    {                                                                              \
        .type = GRPC_ARG_INTEGER, .key = (char *)(name), .value.integer = (number) \
    }

static grpc_server *make_grpc_server(void)
{
    grpc_arg args[] = {
        /* Requests are measured in relay.c and call.c, where a refusal can say so and be audited:
         * this gRPC holds a whole message before it looks at its limit. */
        INT_ARG(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        INT_ARG(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        INT_ARG(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
        INT_ARG(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000),
        INT_ARG(GRPC_ARG_ENABLE_CHANNELZ, 0),
        INT_ARG(GRPC_ARG_HTTP2_BDP_PROBE, 0), /* as in forward.c */
    };
    grpc_channel_args list = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};
    return grpc_server_create(&list, NULL);
}

static int register_methods(struct server *server, struct err *err)
{
    size_t count;
    const struct method *methods = method_table(&count);
    server->slot_count = count + 1;
    server->slots = calloc(server->slot_count, sizeof(*server->slots));
    if (!server->slots)
        return err_set(err, "the server: out of memory");
    for (size_t i = 0; i < server->slot_count; i++) {
        struct slot *slot = &server->slots[i];
        *slot = (struct slot){.arrived = {.done = on_arrival}, .server = server};
        if (i == count)
            break;
        slot->method = &methods[i];
        slot->registered = grpc_server_register_method(
            server->server, methods[i].path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        if (!slot->registered)
            return err_set(err, "the server: gRPC does not take method %s", methods[i].path);
    }
    return 0;
}

int server_create(struct gate *gate, struct server **server, struct err *err)
{
    OWNED(own_server) struct server *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "the server: out of memory");
    made->gate = gate;
    made->insecure = grpc_insecure_server_credentials_create();
    made->server = make_grpc_server();
    if (!made->insecure || !made->server)
        return err_set(err, "the server: gRPC makes none");
    grpc_server_register_completion_queue(made->server, loop_queue(gate->loop), NULL);
    if (register_methods(made, err) < 0)
        return -1;
    grpc_server_start(made->server);
    for (size_t i = 0; i < made->slot_count; i++)
        arm(&made->slots[i]);
    *server = steal_ptr(&made);
    return 0;
}

void server_adopt(struct server *server, int fd)
{
    grpc_server_add_channel_from_fd(server->server, fd, server->insecure);
}

static void on_drained(struct loop_op *op, bool ok)
{
    struct server *server = container_of(op, struct server, drained);
    (void)ok;
    call_when_over(server->gate, server->over);
}

void server_shutdown(struct server *server, struct loop_op *over)
{
    server->over = over;
    server->drained.done = on_drained;
    grpc_server_shutdown_and_notify(server->server, loop_queue(server->gate->loop),
                                    &server->drained);
    grpc_server_cancel_all_calls(server->server);
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    if (server->server)
        grpc_server_destroy(server->server);
    if (server->insecure)
        grpc_server_credentials_release(server->insecure);
    free(server->slots);
    free(server);
}
