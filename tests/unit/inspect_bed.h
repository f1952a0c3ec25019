/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of gate/inspect* share: messages made with protobuf-c, and numbers at random. */
#ifndef CRIGATE_TESTS_INSPECT_BED_H
#define CRIGATE_TESTS_INSPECT_BED_H

#include <criterion/criterion.h>

#include "base/arena.h"
#include "cri.pb-c.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

static inline void *zeroed(struct arena *arena, size_t size)
{
    void *got = arena_alloc(arena, size);
    cr_assert_not_null(got);
    return got;
}

static inline struct str pack(const void *message, struct arena *arena)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = zeroed(arena, len + 1);
    cr_assert_eq(protobuf_c_message_pack(message, bytes), len);
    return (struct str){.data = (char *)bytes, .len = len};
}

/* The same numbers in each run. */
static inline uint32_t below(uint32_t limit)
{
    static uint64_t state = 0x853c49e6748fea9b;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % limit;
}

/* Up to three fields that no message of ours has, with values as they stand on the wire. */
void add_unknown(ProtobufCMessage *message, struct arena *arena);

#endif
