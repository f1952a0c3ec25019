/* SPDX-License-Identifier: Apache-2.0 */
/* Byte buffers of gRPC in one piece. */
#include "gate/payload.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>

grpc_slice payload_in_one_piece(grpc_byte_buffer *payload)
{
    if (!payload)
        return grpc_empty_slice();
    const grpc_slice_buffer *parts = &payload->data.raw.slice_buffer;
    if (parts->count == 1)
        return grpc_slice_ref(parts->slices[0]);
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, payload))
        return grpc_empty_slice();
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return whole;
}

grpc_byte_buffer *payload_copy(struct str bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data, bytes.len);
    grpc_byte_buffer *payload = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return payload;
}
