/* SPDX-License-Identifier: Apache-2.0 */
/* The load: each call is one batch and one completion, so that the client itself costs little. */
#include "load.h"

#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <time.h>

#include "memory.h"

/* Room for the latencies of one slot; calls past it are made but not measured. */
#define SAMPLES_MAX ((size_t)1 << 20)

struct slot {
    struct load *load;
    grpc_slice method;
    grpc_slice request;
    uint64_t end_ns;
    uint64_t calls, failures;
    uint32_t *samples; /* ns */
    size_t sample_count;
};

struct runner {
    struct slot *slot;
    grpc_channel *channel;
    grpc_call *call;
    grpc_byte_buffer *request, *reply;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message;
    uint64_t start_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static grpc_arg int_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

void load_open(struct load *load, const char *socket)
{
    char target[256];
    snprintf(target, sizeof(target), "unix:%s", socket);
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_ENABLE_RETRIES, 0),
        int_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        {.type = GRPC_ARG_STRING,
         .key = (char *)GRPC_ARG_DEFAULT_AUTHORITY,
         .value.string = (char *)"localhost"},
    };
    grpc_channel_args all = {sizeof(args) / sizeof(*args), args};
    load->queue = grpc_completion_queue_create_for_next(NULL);
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    for (int i = 0; i < LOAD_CLIENTS_MAX; i++)
        load->channels[i] = grpc_channel_create(target, insecure, &all);
    grpc_channel_credentials_release(insecure);
}

void load_close(struct load *load)
{
    for (int i = 0; i < LOAD_CLIENTS_MAX; i++)
        grpc_channel_destroy(load->channels[i]);
    grpc_completion_queue_shutdown(load->queue);
    while (
        grpc_completion_queue_next(load->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
        GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(load->queue);
}

static void start_call(struct runner *runner)
{
    struct slot *slot = runner->slot;
    runner->start_ns = now_ns();
    runner->call =
        grpc_channel_create_call(runner->channel, NULL, 0, slot->load->queue, slot->method, NULL,
                                 gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    runner->request = grpc_raw_byte_buffer_create(&slot->request, 1);
    grpc_metadata_array_init(&runner->initial);
    grpc_metadata_array_init(&runner->trailing);
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    ops[1].data.send_message.send_message = runner->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &runner->initial;
    ops[4].data.recv_message.recv_message = &runner->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &runner->trailing;
    ops[5].data.recv_status_on_client.status = &runner->code;
    ops[5].data.recv_status_on_client.status_details = &runner->message;
    if (grpc_call_start_batch(runner->call, ops, 6, runner, NULL) != GRPC_CALL_OK)
        abort();
}

/* Takes the outcome; true if the slot has time for one more call. */
static bool end_call(struct runner *runner)
{
    struct slot *slot = runner->slot;
    uint64_t end = now_ns();
    slot->calls++;
    slot->failures += runner->code != GRPC_STATUS_OK || !runner->reply;
    if (slot->sample_count < SAMPLES_MAX)
        slot->samples[slot->sample_count++] = (uint32_t)(end - runner->start_ns);
    grpc_byte_buffer_destroy(runner->request);
    if (runner->reply)
        grpc_byte_buffer_destroy(runner->reply);
    grpc_metadata_array_destroy(&runner->initial);
    grpc_metadata_array_destroy(&runner->trailing);
    grpc_slice_unref(runner->message);
    grpc_call_unref(runner->call);
    return end < slot->end_ns;
}

static void run_slot(struct slot *slot, unsigned clients)
{
    struct runner runners[LOAD_CLIENTS_MAX];
    for (unsigned i = 0; i < clients; i++) {
        runners[i] = (struct runner){.slot = slot, .channel = slot->load->channels[i]};
        start_call(&runners[i]);
    }
    for (unsigned running = clients; running > 0;) {
        grpc_event event = grpc_completion_queue_next(slot->load->queue,
                                                      gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        struct runner *runner = event.tag;
        if (end_call(runner))
            start_call(runner);
        else
            running--;
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

struct load_result load_run(struct load *load, unsigned clients, const char *method,
                            grpc_slice request, unsigned slot_ms)
{
    struct slot slot = {.load = load,
                        .method = grpc_slice_from_copied_string(method),
                        .request = request,
                        .end_ns = now_ns() + slot_ms * 1000000ull,
                        .samples = must_calloc(SAMPLES_MAX, sizeof(uint32_t))};
    run_slot(&slot, clients);
    qsort(slot.samples, slot.sample_count, sizeof(*slot.samples), by_size);
    struct load_result result = {
        .calls = slot.calls,
        .failures = slot.failures,
        .p50_us = slot.samples[slot.sample_count / 2] / 1e3,
        .p99_us = slot.samples[slot.sample_count * 99 / 100] / 1e3,
    };
    free(slot.samples);
    grpc_slice_unref(slot.method);
    return result;
}
