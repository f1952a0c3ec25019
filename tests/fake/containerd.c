/* SPDX-License-Identifier: Apache-2.0 */
/* A fake containerd: serves every gRPC method on one unix socket, as fake.h says. */
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdio.h>

#include "call.h"
#include "reply.h"

/* So many calls can arrive between two turns of the loop without waiting for each other. */
#define AWAITED 64

static grpc_arg int_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_server *make_server(void)
{
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
        int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000000),
        int_arg(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0),
    };
    grpc_channel_args all = {sizeof(args) / sizeof(*args), args};
    return grpc_server_create(&all, NULL);
}

static bool listen_on(grpc_server *server, const char *path)
{
    char address[256];
    int len = snprintf(address, sizeof(address), "unix:%s", path);
    if (len < 0 || (size_t)len >= sizeof(address))
        return false;
    grpc_server_credentials *insecure = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server, address, insecure);
    grpc_server_credentials_release(insecure);
    return port != 0;
}

static void run(struct fake *fake)
{
    for (;;) {
        grpc_event event = grpc_completion_queue_next(fake->queue, call_next_timer(fake), NULL);
        if (event.type == GRPC_OP_COMPLETE) {
            struct call_op *op = event.tag;
            op->done(op->call, event.success);
        }
        call_run_timers(fake);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fake-containerd SOCKET\n");
        return 2;
    }
    grpc_init();
    reply_prepare();
    struct fake fake = {.queue = grpc_completion_queue_create_for_next(NULL),
                        .server = make_server()};
    grpc_server_register_completion_queue(fake.server, fake.queue, NULL);
    if (!listen_on(fake.server, argv[1])) {
        fprintf(stderr, "fake-containerd: cannot listen on %s\n", argv[1]);
        return 1;
    }
    grpc_server_start(fake.server);
    for (int i = 0; i < AWAITED; i++)
        call_await(&fake);
    puts("ready");
    fflush(stdout);
    run(&fake); /* SIGTERM ends it */
}
