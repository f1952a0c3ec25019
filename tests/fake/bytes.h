/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing run of bytes that protobuf fields and text are appended to. Zeroed is empty. It ends
 * in bytes_slice(), bytes_nest() or bytes_free(). When memory is out, the program ends.
 */
#ifndef CRIGATE_TESTS_FAKE_BYTES_H
#define CRIGATE_TESTS_FAKE_BYTES_H

#include <grpc/slice.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    unsigned char *data;
    size_t len, room;
};

void bytes_add(struct bytes *out, const void *data, size_t len);
void bytes_print(struct bytes *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* Fields: a varint; a length-delimited one of bytes, or of a string without its end. */
void bytes_number(struct bytes *out, unsigned field, uint64_t value);
void bytes_field(struct bytes *out, unsigned field, const void *data, size_t len);
void bytes_text(struct bytes *out, unsigned field, const char *text);

/* Appends `nested` as a message field, and empties it. */
void bytes_nest(struct bytes *out, unsigned field, struct bytes *nested);

/* The bytes as a slice that the caller owns; empties `out`. */
grpc_slice bytes_slice(struct bytes *out);

void bytes_free(struct bytes *out);

#endif
