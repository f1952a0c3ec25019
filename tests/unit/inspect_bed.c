/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that the gate does not know, for messages made at random. */
#include "inspect_bed.h"

#define UNKNOWN_MAX 3

void add_unknown(ProtobufCMessage *message, struct arena *arena)
{
    static const struct {
        ProtobufCWireType type;
        struct str value;
    } values[] = {
        {PROTOBUF_C_WIRE_TYPE_VARINT, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {PROTOBUF_C_WIRE_TYPE_VARINT, STR("\x80\x00")},
        {PROTOBUF_C_WIRE_TYPE_64BIT, STR("12345678")},
        {PROTOBUF_C_WIRE_TYPE_32BIT, STR("1234")},
        {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, STR("\x00")},
        {PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, STR("\x04\x12\x00\xff\x00")},
    };
    unsigned count = below(UNKNOWN_MAX + 1);
    message->unknown_fields = zeroed(arena, UNKNOWN_MAX * sizeof(*message->unknown_fields));
    message->n_unknown_fields = count;
    for (unsigned i = 0; i < count; i++) {
        size_t pick = below(COUNT(values));
        message->unknown_fields[i] = (ProtobufCMessageUnknownField){
            .tag = below(2) ? 40 + below(3) : (1u << 29) - 1 - below(3),
            .wire_type = values[pick].type,
            .len = values[pick].value.len,
            .data = (uint8_t *)values[pick].value.data};
    }
}
