/* SPDX-License-Identifier: Apache-2.0 */
/* Appends text and protobuf fields to a growing run of bytes. */
#include "bytes.h"

#include <stdarg.h>
#include <string.h>

#include "memory.h"

static void make_room(struct bytes *out, size_t more)
{
    if (out->room - out->len >= more)
        return;
    out->room = (out->len + more) * 2;
    out->data = must_realloc(out->data, out->room);
}

void bytes_add(struct bytes *out, const void *data, size_t len)
{
    if (len == 0)
        return;
    make_room(out, len);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

void bytes_print(struct bytes *out, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len > 0) {
        make_room(out, (size_t)len + 1);
        vsnprintf((char *)out->data + out->len, (size_t)len + 1, fmt, again);
        out->len += (size_t)len;
    }
    va_end(again);
}

static void add_varint(struct bytes *out, uint64_t value)
{
    unsigned char text[10];
    size_t len = 0;
    for (; value > 0x7f; value >>= 7)
        text[len++] = (unsigned char)(value | 0x80);
    text[len++] = (unsigned char)value;
    bytes_add(out, text, len);
}

void bytes_number(struct bytes *out, unsigned field, uint64_t value)
{
    add_varint(out, (uint64_t)field << 3);
    add_varint(out, value);
}

void bytes_field(struct bytes *out, unsigned field, const void *data, size_t len)
{
    add_varint(out, (uint64_t)field << 3 | 2);
    add_varint(out, len);
    bytes_add(out, data, len);
}

void bytes_text(struct bytes *out, unsigned field, const char *text)
{
    bytes_field(out, field, text, strlen(text));
}

void bytes_nest(struct bytes *out, unsigned field, struct bytes *nested)
{
    bytes_field(out, field, nested->data, nested->len);
    bytes_free(nested);
}

grpc_slice bytes_slice(struct bytes *out)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)out->data, out->len);
    bytes_free(out);
    return slice;
}

void bytes_free(struct bytes *out)
{
    free(out->data);
    *out = (struct bytes){0};
}
