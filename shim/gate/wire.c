/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes single fields of the protobuf wire format, strictly. */
#include "gate/wire.h"

/* Tags and lengths end here: protobuf-c reads no more, and gogo-protobuf cuts a longer tag to 32
 * bits, so that it names another field. */
#define SHORT_VARINT_MAX 5

static size_t offset(const struct wire_reader *reader)
{
    return (size_t)(reader->at - reader->origin);
}

static int read_long_varint(struct wire_reader *reader, size_t max, uint64_t *value,
                            struct err *err)
{
    uint64_t sum = 0;
    size_t room = (size_t)(reader->end - reader->at);
    for (size_t i = 0; i < max; i++) {
        if (i == room)
            return err_set(err, "a number is cut off by the end (byte %zu)", offset(reader));
        uint8_t byte = reader->at[i];
        if (i == WIRE_VARINT_MAX - 1 && byte > 1)
            break;
        sum |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (max == SHORT_VARINT_MAX && sum > UINT32_MAX)
                break;
            reader->at += i + 1;
            *value = sum;
            return 0;
        }
    }
    return err_set(err, "a %s does not fit %d bits (byte %zu)",
                   max == SHORT_VARINT_MAX ? "tag or length" : "number",
                   max == SHORT_VARINT_MAX ? 32 : 64, offset(reader));
}

static inline int read_varint(struct wire_reader *reader, size_t max, uint64_t *value,
                              struct err *err)
{
    if (reader->at < reader->end && *reader->at < 0x80) { /* nearly all are one byte */
        *value = *reader->at++;
        return 0;
    }
    return read_long_varint(reader, max, value, err);
}

static int step_over(struct wire_reader *reader, uint64_t length, struct err *err)
{
    size_t room = (size_t)(reader->end - reader->at);
    if (length > room)
        return err_set(err, "a value of %llu bytes where %zu are left (byte %zu)",
                       (unsigned long long)length, room, offset(reader));
    reader->at += length;
    return 0;
}

static int read_value(struct wire_reader *reader, struct wire_field *field, struct err *err)
{
    uint64_t length;
    switch (field->type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(reader, WIRE_VARINT_MAX, &field->varint, err);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return step_over(reader, 8, err);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return step_over(reader, 4, err);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (read_varint(reader, SHORT_VARINT_MAX, &length, err) < 0)
            return -1;
        field->bytes = (struct str){.data = (const char *)reader->at, .len = length};
        return step_over(reader, length, err);
    default: /* start and end of a group, and two that do not exist */
        return err_set(err, "wire type %d is not allowed (byte %zu)", (int)field->type,
                       field->start);
    }
}

int wire_next(struct wire_reader *reader, struct wire_field *field, struct err *err)
{
    uint64_t tag;
    *field = (struct wire_field){.start = offset(reader)};
    if (read_varint(reader, SHORT_VARINT_MAX, &tag, err) < 0)
        return -1;
    field->number = (uint32_t)(tag >> 3);
    field->type = (ProtobufCWireType)(tag & 7);
    if (field->number == 0)
        return err_set(err, "field number 0 (byte %zu)", field->start);
    if (read_value(reader, field, err) < 0)
        return -1;
    field->end = offset(reader);
    return 0;
}

bool wire_find(struct str message, uint32_t number, struct wire_field *field)
{
    struct wire_reader reader = wire_reader(message);
    while (reader.at < reader.end) {
        if (wire_next(&reader, field, NULL) < 0)
            return false;
        if (field->number == number)
            return true;
    }
    return false;
}

size_t wire_put_varint(uint64_t value, unsigned char buf[WIRE_VARINT_MAX])
{
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        buf[len++] = (unsigned char)(value | 0x80);
    buf[len++] = (unsigned char)value;
    return len;
}

size_t wire_put_bytes(uint32_t number, struct str value, unsigned char *buf, size_t size)
{
    unsigned char head[WIRE_HEAD_MAX];
    if (value.len > UINT32_MAX)
        return 0;
    size_t len = wire_put_varint(number << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, head);
    len += wire_put_varint(value.len, head + len);
    if (size < len || size - len < value.len)
        return 0;
    memcpy(buf, head, len);
    if (value.len)
        memcpy(buf + len, value.data, value.len);
    return len + value.len;
}
