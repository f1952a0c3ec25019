/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' gRPC client on gRPC C core: one completion queue a client, each tag is a step. */
#include "client.h"

#include <criterion/criterion.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#define PATIENCE_MS 60000
#define HEADERS_MAX 32

static gpr_timespec in_ms(int64_t ms)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static grpc_arg int_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

struct manner {
    grpc_compression_algorithm compression;
    bool retries;
};

/* A channel to `target`, over `fd` if that is not negative. */
static void open_channel(struct client *client, const char *target, int fd, struct manner manner)
{
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
        int_arg(GRPC_ARG_ENABLE_RETRIES, manner.retries),
        int_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        int_arg(GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM, (int)manner.compression),
        int_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
        /* also the time that one attempt may take, on a busy machine too */
        int_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000),
        int_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100),
        {.type = GRPC_ARG_STRING,
         .key = (char *)GRPC_ARG_DEFAULT_AUTHORITY,
         .value.string = (char *)"localhost"},
    };
    grpc_channel_args all = {sizeof(args) / sizeof(*args), args};
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    client->channel = fd < 0 ? grpc_channel_create(target, insecure, &all)
                             : grpc_channel_create_from_fd("test", fd, insecure, &all);
    grpc_channel_credentials_release(insecure);
    client->queue = grpc_completion_queue_create_for_next(NULL);
}

static void open_socket(struct client *client, const char *socket, struct manner manner)
{
    char target[256];
    snprintf(target, sizeof(target), "unix:%s", socket);
    open_channel(client, target, -1, manner);
}

void client_open(struct client *client, const char *socket)
{
    open_socket(client, socket, (struct manner){GRPC_COMPRESS_NONE, false});
}

void client_open_zipping(struct client *client, const char *socket)
{
    open_socket(client, socket, (struct manner){GRPC_COMPRESS_GZIP, false});
}

void client_open_retrying(struct client *client, const char *socket)
{
    open_socket(client, socket, (struct manner){GRPC_COMPRESS_NONE, true});
}

int client_open_fd(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    int same = dup(fd);
    open_channel(client, NULL, fd, (struct manner){GRPC_COMPRESS_NONE, false});
    return same;
}

void client_break_fd(int fd)
{
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

void client_close(struct client *client)
{
    grpc_channel_destroy(client->channel);
    grpc_completion_queue_shutdown(client->queue);
    while (grpc_completion_queue_next(client->queue, in_ms(PATIENCE_MS), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(client->queue);
}

/* One turn of the queue; false when nothing came in time. */
static bool turn(struct client *client, gpr_timespec deadline)
{
    grpc_event event = grpc_completion_queue_next(client->queue, deadline, NULL);
    if (event.type != GRPC_OP_COMPLETE)
        return false;
    struct step *step = event.tag;
    step->done = true;
    step->ok = event.success;
    return true;
}

void client_linger(struct client *client, int ms)
{
    struct step step = {.started = true};
    grpc_connectivity_state state = grpc_channel_check_connectivity_state(client->channel, 1);
    grpc_channel_watch_connectivity_state(client->channel, state, in_ms(ms), client->queue, &step);
    while (!step.done)
        cr_assert(turn(client, in_ms(PATIENCE_MS)), "nothing came for a minute");
}

static bool wait_for(struct rpc *rpc, struct step *step)
{
    while (step->started && !step->done)
        cr_assert(turn(rpc->client, in_ms(PATIENCE_MS)), "nothing came for a minute");
    return step->ok;
}

static void start(struct rpc *rpc, const grpc_op *ops, size_t count, struct step *step)
{
    *step = (struct step){.started = true};
    grpc_call_error error = grpc_call_start_batch(rpc->call, ops, count, step, NULL);
    cr_assert_eq(error, GRPC_CALL_OK, "batch: %s", grpc_call_error_to_string(error));
}

static size_t read_headers(grpc_metadata *out, const char *headers, const struct header *more)
{
    size_t count = 0;
    for (const char *line = headers; line && *line; count++) {
        const char *colon = strstr(line, ": "), *end = strchr(line, '\n');
        cr_assert(colon && end && colon < end && count < HEADERS_MAX, "headers: %s", line);
        out[count] = (grpc_metadata){
            .key = grpc_slice_from_copied_buffer(line, (size_t)(colon - line)),
            .value = grpc_slice_from_copied_buffer(colon + 2, (size_t)(end - colon - 2))};
        line = end + 1;
    }
    for (; more && more->key; more++, count++) {
        cr_assert_lt(count, HEADERS_MAX);
        out[count] =
            (grpc_metadata){.key = grpc_slice_from_copied_string(more->key),
                            .value = grpc_slice_from_copied_buffer(more->value, more->len)};
    }
    return count;
}

static void start_receiving(struct rpc *rpc)
{
    grpc_op initial = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    initial.data.recv_initial_metadata.recv_initial_metadata = &rpc->initial;
    start(rpc, &initial, 1, &rpc->got_initial);
    grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    status.data.recv_status_on_client.trailing_metadata = &rpc->trailing;
    status.data.recv_status_on_client.status = &rpc->code;
    status.data.recv_status_on_client.status_details = &rpc->message;
    start(rpc, &status, 1, &rpc->ended);
}

void rpc_start(struct rpc *rpc, struct client *client, const char *method, const char *headers,
               const struct header *more, int timeout_ms)
{
    *rpc = (struct rpc){.client = client, .message = grpc_empty_slice()};
    grpc_metadata_array_init(&rpc->initial);
    grpc_metadata_array_init(&rpc->trailing);
    gpr_timespec deadline =
        timeout_ms == NO_DEADLINE ? gpr_inf_future(GPR_CLOCK_MONOTONIC) : in_ms(timeout_ms);
    grpc_slice path = grpc_slice_from_copied_string(method);
    rpc->call = grpc_channel_create_call(client->channel, NULL, 0, client->queue, path, NULL,
                                         deadline, NULL);
    grpc_slice_unref(path);
    grpc_metadata metadata[HEADERS_MAX];
    size_t count = read_headers(metadata, headers, more);
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    op.data.send_initial_metadata.count = count;
    op.data.send_initial_metadata.metadata = metadata;
    start(rpc, &op, 1, &rpc->sent);
    start_receiving(rpc);
    for (size_t i = 0; i < count; i++) {
        grpc_slice_unref(metadata[i].key);
        grpc_slice_unref(metadata[i].value);
    }
}

void rpc_send_start(struct rpc *rpc, const void *data, size_t len)
{
    wait_for(rpc, &rpc->sent);
    grpc_slice slice = grpc_slice_from_copied_buffer(data, len);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    op.data.send_message.send_message = buffer;
    start(rpc, &op, 1, &rpc->sent);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(slice);
}

bool rpc_sent(struct rpc *rpc)
{
    return wait_for(rpc, &rpc->sent);
}

bool rpc_sent_within(struct rpc *rpc, int wait_ms)
{
    gpr_timespec deadline = in_ms(wait_ms);
    while (!rpc->sent.done && turn(rpc->client, deadline))
        continue;
    return rpc->sent.done;
}

bool rpc_send(struct rpc *rpc, const void *data, size_t len)
{
    rpc_send_start(rpc, data, len);
    return rpc_sent(rpc);
}

void rpc_half_close(struct rpc *rpc)
{
    wait_for(rpc, &rpc->sent);
    grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    start(rpc, &op, 1, &rpc->sent);
}

void rpc_wait_initial(struct rpc *rpc)
{
    wait_for(rpc, &rpc->got_initial);
}

bool rpc_receive(struct rpc *rpc, grpc_slice *message)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &rpc->incoming;
    start(rpc, &op, 1, &rpc->got_message);
    wait_for(rpc, &rpc->got_message);
    if (!rpc->incoming)
        return false;
    grpc_byte_buffer_reader reader;
    cr_assert(grpc_byte_buffer_reader_init(&reader, rpc->incoming));
    *message = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(rpc->incoming);
    rpc->incoming = NULL;
    return true;
}

grpc_status_code rpc_finish(struct rpc *rpc)
{
    wait_for(rpc, &rpc->ended);
    return rpc->code;
}

bool rpc_ended(struct rpc *rpc, int wait_ms)
{
    gpr_timespec deadline = in_ms(wait_ms);
    while (!rpc->ended.done && turn(rpc->client, deadline))
        continue;
    return rpc->ended.done;
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc->ended.done)
        grpc_call_cancel(rpc->call, NULL);
    wait_for(rpc, &rpc->ended);
    wait_for(rpc, &rpc->sent);
    wait_for(rpc, &rpc->got_initial);
    wait_for(rpc, &rpc->got_message);
    if (rpc->incoming)
        grpc_byte_buffer_destroy(rpc->incoming);
    grpc_slice_unref(rpc->message);
    grpc_metadata_array_destroy(&rpc->initial);
    grpc_metadata_array_destroy(&rpc->trailing);
    grpc_call_unref(rpc->call);
}

grpc_status_code rpc_unary(struct rpc *rpc, struct client *client, const char *method,
                           const char *headers, const void *data, size_t len, grpc_slice *reply)
{
    rpc_start(rpc, client, method, headers, NULL, NO_DEADLINE);
    rpc_send_start(rpc, data, len);
    rpc_half_close(rpc);
    grpc_slice got = grpc_empty_slice();
    rpc_receive(rpc, &got);
    if (reply)
        *reply = got;
    else
        grpc_slice_unref(got);
    return rpc_finish(rpc);
}

grpc_status_code call_unary(struct client *client, const char *method, const char *headers,
                            const void *data, size_t len, grpc_slice *reply)
{
    struct rpc rpc;
    grpc_status_code code = rpc_unary(&rpc, client, method, headers, data, len, reply);
    rpc_free(&rpc);
    return code;
}

size_t metadata_count(const grpc_metadata_array *metadata, const char *key, const void *value,
                      size_t len)
{
    size_t found = 0;
    for (size_t i = 0; i < metadata->count; i++) {
        const grpc_metadata *entry = &metadata->metadata[i];
        if (grpc_slice_str_cmp(entry->key, key) == 0 &&
            grpc_slice_buf_start_eq(entry->value, value, len) &&
            GRPC_SLICE_LENGTH(entry->value) == len)
            found++;
    }
    return found;
}
