/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC client for tests, one thread: each step is started, then waited for. A wait ends with the
 * test when nothing comes for a minute.
 */
#ifndef CRIGATE_TESTS_RELAY_CLIENT_H
#define CRIGATE_TESTS_RELAY_CLIENT_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
    grpc_channel *channel;
    grpc_completion_queue *queue;
};

/* One operation under way. Zeroed: none was started. */
struct step {
    bool started, done, ok;
};

/* One call. After rpc_finish() its outcome stands in code, message, initial and trailing. */
struct rpc {
    struct client *client;
    grpc_call *call;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message; /* of the status */
    grpc_byte_buffer *incoming;
    struct step sent, got_initial, got_message, ended;
};

/* A header that need not be text. */
struct header {
    const char *key, *value;
    size_t len;
};

#define NO_DEADLINE (-1)

/* Opens a channel; it connects at the first call. */
void client_open(struct client *client, const char *socket);

/* The same; it sends messages compressed with gzip. */
void client_open_zipping(struct client *client, const char *socket);

/* The same; a call that its peer did not begin is made again, as gRPC does when nobody forbids it:
 * one that a GOAWAY overtakes. */
void client_open_retrying(struct client *client, const char *socket);

/* Opens a channel over a connection that client_break_fd() can break: it returns what to break. */
int client_open_fd(struct client *client, const char *socket);
void client_break_fd(int fd);

/* Lets the channel work at its connection for some ms. Without a call under way gRPC would look
 * after it every 5 s only. */
void client_linger(struct client *client, int ms);

/* Closes it; every call must have been freed. */
void client_close(struct client *client);

/* Starts a call. `headers` are lines "key: value", each with its newline; `more` is NULL or ends
 * with a NULL key. */
void rpc_start(struct rpc *rpc, struct client *client, const char *method, const char *headers,
               const struct header *more, int timeout_ms);

/* Sends one message and waits until it is accepted; false when the call is over. */
bool rpc_send(struct rpc *rpc, const void *data, size_t len);

/* Starts to send; rpc_sent() waits for it. */
void rpc_send_start(struct rpc *rpc, const void *data, size_t len);
bool rpc_sent(struct rpc *rpc);

/* Lets the call go on for at most `wait_ms`; true if what was sent is accepted by then. */
bool rpc_sent_within(struct rpc *rpc, int wait_ms);

/* Half-closes. */
void rpc_half_close(struct rpc *rpc);

/* Waits for the initial metadata. */
void rpc_wait_initial(struct rpc *rpc);

/* Waits for the next message. The caller owns the slice; false, and no slice, at the end. */
bool rpc_receive(struct rpc *rpc, grpc_slice *message);

/* Waits for the status, and returns its code. */
grpc_status_code rpc_finish(struct rpc *rpc);

/* True once the status is there; lets the call go on for at most `wait_ms`. */
bool rpc_ended(struct rpc *rpc, int wait_ms);

/* Frees a finished call; one not finished is cancelled. */
void rpc_free(struct rpc *rpc);

/* A whole unary call: start, message, half-close, reply, status. Free it with rpc_free(). `reply`
 * may be NULL; otherwise the caller owns the slice, which is empty without a reply. */
grpc_status_code rpc_unary(struct rpc *rpc, struct client *client, const char *method,
                           const char *headers, const void *data, size_t len, grpc_slice *reply);

/* The same, when only code and reply count. */
grpc_status_code call_unary(struct client *client, const char *method, const char *headers,
                            const void *data, size_t len, grpc_slice *reply);

/* The number of entries with this key and value. */
size_t metadata_count(const grpc_metadata_array *metadata, const char *key, const void *value,
                      size_t len);

/* CLOCK_MONOTONIC. */
uint64_t now_ns(void);

#endif
