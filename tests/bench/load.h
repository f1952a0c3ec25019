/* SPDX-License-Identifier: Apache-2.0 */
/* A closed-loop load: each client has a connection of its own and one call under way at a time. */
#ifndef CRIGATE_TESTS_BENCH_LOAD_H
#define CRIGATE_TESTS_BENCH_LOAD_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

#define LOAD_CLIENTS_MAX 16

struct load {
    grpc_completion_queue *queue;
    grpc_channel *channels[LOAD_CLIENTS_MAX];
};

/* What one slot of time gave. */
struct load_result {
    uint64_t calls, failures;
    double p50_us, p99_us;
};

/* Opens the connections to a socket; they connect at their first call. */
void load_open(struct load *load, const char *socket);

/* Calls `method` from `clients` clients for `slot_ms`, and waits for the last replies. `request` is
 * borrowed. */
struct load_result load_run(struct load *load, unsigned clients, const char *method,
                            grpc_slice request, unsigned slot_ms);

void load_close(struct load *load);

#endif
