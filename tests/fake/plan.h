/* SPDX-License-Identifier: Apache-2.0 */
/* What one call to the fake shall do, read from the metadata of its request. */
#ifndef CRIGATE_TESTS_FAKE_PLAN_H
#define CRIGATE_TESTS_FAKE_PLAN_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

struct plan {
    grpc_status_code status;
    bool has_message, has_reply, has_stream;
    bool echo, collect, report, early, hang, abort;
    uint64_t delay_ms;
    uint64_t reply_size;
    uint64_t stream_count, stream_size;
    grpc_slice message; /* owned; set if has_message */
    size_t initial_count, trailing_count;
    grpc_metadata *initial, *trailing; /* owned arrays; their keys and values are borrowed */
};

/* Fills `plan`; metadata must outlive it. Free with plan_free(), which allows a zeroed plan. */
void plan_read(const grpc_metadata_array *metadata, struct plan *plan);
void plan_free(struct plan *plan);

#endif
