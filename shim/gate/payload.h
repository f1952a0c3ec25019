/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's bytes as ours, without a copy where that can be. Any thread. */
#ifndef CRIGATE_GATE_PAYLOAD_H
#define CRIGATE_GATE_PAYLOAD_H

#include <grpc/grpc.h>

#include "base/own.h"
#include "base/str.h"

/* The bytes of `slice`, which may lie inside the slice itself: valid while it stays where it is. */
static inline struct str str_of_slice(const grpc_slice *slice)
{
    return (struct str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

/* One piece, the caller's, without a copy when it came in one; empty for NULL. gRPC has undone a
 * compression already. */
grpc_slice payload_in_one_piece(grpc_byte_buffer *payload) MUST_CHECK;

/* A message with a copy of `bytes`, the caller's. */
grpc_byte_buffer *payload_copy(struct str bytes) MUST_CHECK;

#endif
