/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protobuf wire format, read strictly: the fields of a message one by one, and a check of a
 * whole message against its descriptor. What passes the check is read alike by protobuf-c, which
 * the gate judges by, and by protobuf-go and gogo-protobuf, which containerd acts by. Any thread.
 */
#ifndef CRIGATE_GATE_WIRE_H
#define CRIGATE_GATE_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

/* A message in the middle of being read: [at, end) is still to come. */
struct wire_reader {
    const uint8_t *origin; /* byte 0 of the offsets in error texts */
    const uint8_t *at, *end;
};

static inline struct wire_reader wire_reader(struct str bytes)
{
    const uint8_t *start = (const uint8_t *)(bytes.data ? bytes.data : "");
    return (struct wire_reader){.origin = start, .at = start, .end = start + bytes.len};
}

struct wire_field {
    uint32_t number; /* 1 to 2^29 - 1 */
    ProtobufCWireType type;
    size_t start, end; /* offsets from the reader's origin: tag, length and value */
    uint64_t varint;   /* PROTOBUF_C_WIRE_TYPE_VARINT: the value */
    struct str bytes;  /* PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: the value, borrowed */
};

/* Whether it is the field of that number and holds bytes, so that `bytes` is its value. */
static inline bool wire_is_bytes(const struct wire_field *field, uint32_t number)
{
    return field->number == number && field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

/*
 * Reads the field at `reader->at` and steps over it. Call only while at < end. Refuses (-1, and the
 * reader must not be used further) what runs past the end, groups and wire types that do not
 * exist, field number 0, a tag or a length of more than 5 bytes or 32 bits, a varint of more
 * than 10 bytes or 64 bits.
 */
int wire_next(struct wire_reader *reader, struct wire_field *field, struct err *err) MUST_CHECK;

/* The first field of that number in a message, without looking into any field; false when there
 * is none before the end or before the first byte that wire_next() refuses. */
bool wire_find(struct str message, uint32_t number, struct wire_field *field);

/* The longest varint, and room for a tag with a length. */
#define WIRE_VARINT_MAX 10
#define WIRE_HEAD_MAX (2 * WIRE_VARINT_MAX)

/* Writes `value` in as few bytes as it takes, and returns how many. */
size_t wire_put_varint(uint64_t value, unsigned char buf[WIRE_VARINT_MAX]);

/* Writes a field of type bytes: tag, length, `value`. Returns the bytes written, 0 when they do not
 * fit `size` or the value is over 4 GiB. */
size_t wire_put_bytes(uint32_t number, struct str value, unsigned char *buf,
                      size_t size) MUST_CHECK;

/* Messages within messages, deeper than any in the CRI. */
#define WIRE_DEPTH_MAX 16

/* Fields in one request, in all its messages; a pod has some hundred. Two bytes can be a field that
 * costs a decoder 150 bytes: without a limit, 16 MiB would take 1.2 GB and seconds. */
#define WIRE_FIELDS_MAX 65536

/*
 * Checks `message` and the messages within it, against `type`, which may hold fields of type
 * bytes, message, enum, bool and uint32. Each known field has its declared wire type, and stands
 * once if it is not repeated; bytes are UTF-8 without NUL; a number fits its type, a bool is 0 or
 * 1. Unknown fields are what wire_next() takes. There are at most WIRE_FIELDS_MAX. -1: it is not
 * so; `err` names the field by its path, such as "field config.labels.key", and the byte, counted
 * from the start of `message`.
 */
int wire_check(const ProtobufCMessageDescriptor *type, struct str message,
               struct err *err) MUST_CHECK;

/* Whether the value of one field of type bytes is UTF-8 without NUL; `err` tells the byte. */
int wire_check_text(const struct wire_field *found, struct err *err) MUST_CHECK;

#endif
