/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of replies: what containerd could say, patterns of any size, reports. */
#ifndef CRIGATE_TESTS_FAKE_REPLY_H
#define CRIGATE_TESTS_FAKE_REPLY_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

/* Builds what the functions below need. Call once, after grpc_init(). */
void reply_prepare(void);

/* A reply to the method, as containerd could give; empty for one that it does not know. The caller
 * owns it. */
grpc_byte_buffer *reply_plausible(grpc_slice method);

/* `size` bytes of the pattern. With `indexed`, and size >= 8, the first 8 are `index`. They share
 * one block of memory, so that a large reply takes little. The caller owns it. */
grpc_byte_buffer *reply_pattern(uint64_t size, bool indexed, uint64_t index);

/* The reply of one slice, which it takes. */
grpc_byte_buffer *reply_of(grpc_slice bytes);

/* What a report tells of a call's requests. */
struct reply_seen {
    uint64_t messages, bytes;
    bool half_closed;
};

/* The text that "fake-report" asks for; the caller owns it. */
grpc_byte_buffer *reply_report(const grpc_call_details *details,
                               const grpc_metadata_array *metadata, const struct reply_seen *seen);

#endif
