/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a whole message against its descriptor, before any decoder sees it. */
#include <assert.h>
#include <stdio.h>

#include "gate/wire.h"
#include "gate/wire_text.h"

/* One message being checked; the outer ones tell the path for an error text. */
struct frame {
    const struct frame *outer;
    const ProtobufCFieldDescriptor *field; /* that this message is the value of; NULL: outermost */
    unsigned depth;
    size_t *fields; /* read so far, in all messages */
};

static size_t write_path(const struct frame *frame, char *buf, size_t size)
{
    if (!frame->field)
        return 0;
    size_t used = write_path(frame->outer, buf, size);
    if (used >= size)
        return used;
    int wrote = snprintf(buf + used, size - used, "%s%s", used ? "." : "", frame->field->name);
    return used + (size_t)wrote;
}

/* Puts the path in front of what is wrong with `field`, or with the message when that is NULL. */
static int blame(const struct frame *frame, const ProtobufCFieldDescriptor *field, struct err *err)
{
    struct frame at = {.outer = frame, .field = field};
    char path[256];
    if (write_path(field ? &at : frame, path, sizeof(path)) == 0)
        return err_wrap(err, "request");
    return err_wrap(err, "field %s", path);
}

/* -1 for a type that no message of ours has: no wire type is right for it. */
static int declared_wire_type(const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_BOOL ||
        field->type == PROTOBUF_C_TYPE_UINT32)
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    return -1;
}

/* Decoders cut a number that is too large, at 32 or at 64 bits. A negative enum value stands as
 * 64 bits. */
static bool fits(ProtobufCType type, uint64_t value)
{
    if (type == PROTOBUF_C_TYPE_BOOL)
        return value <= 1;
    if (type == PROTOBUF_C_TYPE_ENUM)
        return value <= INT32_MAX || value >= (uint64_t)INT32_MIN;
    return value <= UINT32_MAX;
}

int wire_check_text(const struct wire_field *found, struct err *err)
{
    size_t good = wire_text_valid(found->bytes);
    if (good == found->bytes.len)
        return 0;
    size_t at = found->end - found->bytes.len + good;
    if (found->bytes.data[good] == 0)
        return err_set(err, "a NUL in a string (byte %zu)", at);
    return err_set(err, "a string that is not UTF-8 (byte %zu)", at);
}

static int check_message(const ProtobufCMessageDescriptor *type, struct wire_reader *reader,
                         const struct frame *frame, struct err *err);

static int check_within(const ProtobufCFieldDescriptor *field, const struct wire_reader *reader,
                        const struct wire_field *found, const struct frame *frame, struct err *err)
{
    struct frame inner = {
        .outer = frame, .field = field, .depth = frame->depth + 1, .fields = frame->fields};
    if (inner.depth > WIRE_DEPTH_MAX) {
        err_set(err, "messages within messages, more than %d deep", WIRE_DEPTH_MAX);
        return blame(frame, field, err);
    }
    const uint8_t *start = (const uint8_t *)found->bytes.data;
    struct wire_reader within = {
        .origin = reader->origin, .at = start, .end = start + found->bytes.len};
    return check_message(field->descriptor, &within, &inner, err);
}

/* What is wrong with the value of a field, apart from a message's inside. */
static int check_value(const ProtobufCFieldDescriptor *field, const struct wire_field *found,
                       bool again, struct err *err)
{
    int declared = declared_wire_type(field);
    if ((int)found->type != declared)
        return err_set(err, "wire type %d, not %d (byte %zu)", (int)found->type, declared,
                       found->start);
    if (again && field->label != PROTOBUF_C_LABEL_REPEATED)
        return err_set(err, "stands twice (byte %zu)", found->start);
    if (declared == PROTOBUF_C_WIRE_TYPE_VARINT && !fits(field->type, found->varint))
        return err_set(err, "%llu is out of its range (byte %zu)",
                       (unsigned long long)found->varint, found->start);
    return field->type == PROTOBUF_C_TYPE_BYTES ? wire_check_text(found, err) : 0;
}

static int check_message(const ProtobufCMessageDescriptor *type, struct wire_reader *reader,
                         const struct frame *frame, struct err *err)
{
    uint64_t seen = 0;
    assert(type->n_fields <= 64);
    while (reader->at < reader->end) {
        struct wire_field found;
        if (wire_next(reader, &found, err) < 0)
            return blame(frame, NULL, err);
        if (++*frame->fields > WIRE_FIELDS_MAX)
            return err_set(err, "request: more than %d fields (byte %zu)", WIRE_FIELDS_MAX,
                           found.start);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, found.number);
        if (!field)
            continue;
        uint64_t bit = UINT64_C(1) << (field - type->fields);
        if (check_value(field, &found, seen & bit, err) < 0)
            return blame(frame, field, err);
        seen |= bit;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            check_within(field, reader, &found, frame, err) < 0)
            return -1;
    }
    return 0;
}

int wire_check(const ProtobufCMessageDescriptor *type, struct str message, struct err *err)
{
    struct wire_reader reader = wire_reader(message);
    size_t fields = 0;
    struct frame outermost = {.fields = &fields};
    return check_message(type, &reader, &outermost, err);
}
