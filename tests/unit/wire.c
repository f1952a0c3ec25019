/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reading of the wire: each rule with bytes made by hand, and what protobuf-c says. */
#include <criterion/criterion.h>

#include "cri.pb-c.h"
#include "gate/wire.h"

struct sample {
    const char *name;
    struct str bytes;
    const char *error; /* NULL: it is taken */
};

/* Of a RunPodSandboxRequest: 0a config, 12 runtime_handler. Of the config: 0a metadata, 32 labels,
 * 3a annotations, 42 linux. */
static const struct sample samples[] = {
    {"nothing", STR(""), NULL},
    {"a handler", STR("\x12\x05runsc"), NULL},
    {"an empty handler", STR("\x12\x00"), NULL},
    {"the fields in any order", STR("\x12\x01x\x0a\x00"), NULL},
    {"two entries of a map",
     STR("\x0a\x0e\x32\x05\x0a\x01"
         "a\x12\x00\x32\x05\x0a\x01"
         "b\x12\x00"),
     NULL},
    {"an empty entry of a map", STR("\x0a\x02\x32\x00"), NULL},
    {"text beyond ASCII", STR("\x12\x04g\xc3\xa9o"), NULL},

    {"a tag that is cut off", STR("\x92"), "request: a number is cut off by the end (byte 0)"},
    {"a tag within that is cut off", STR("\x0a\x03\x0a\x00\x92"),
     "field config: a number is cut off by the end (byte 4)"},
    {"a tag of five bytes", STR("\x92\x80\x80\x80\x00\x01x"), NULL},
    {"a tag of six bytes", STR("\x92\x80\x80\x80\x80\x00\x01x"),
     "request: a tag or length does not fit 32 bits (byte 0)"},
    {"the last field number", STR("\xf8\xff\xff\xff\x0f\x01"), NULL},
    {"a tag over 32 bits that ends as runtime_handler", STR("\x92\x80\x80\x80\x10\x01x"),
     "request: a tag or length does not fit 32 bits (byte 0)"},
    {"a tag of ten bytes that ends as runtime_handler",
     STR("\x92\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01x"),
     "request: a tag or length does not fit 32 bits (byte 0)"},
    {"field number 0", STR("\x02\x00"), "request: field number 0 (byte 0)"},
    {"field number 0, two bytes", STR("\x82\x00\x00"), "request: field number 0 (byte 0)"},

    {"an unknown varint", STR("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
    {"an unknown varint over 64 bits", STR("\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
     "request: a number does not fit 64 bits (byte 1)"},
    {"an unknown varint of eleven bytes", STR("\x78\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
     "request: a number does not fit 64 bits (byte 1)"},
    {"an unknown varint that is cut off", STR("\x78\x80"),
     "request: a number is cut off by the end (byte 1)"},
    {"an unknown 64-bit value", STR("\x79\x01\x02\x03\x04\x05\x06\x07\x08"), NULL},
    {"an unknown 64-bit value that is cut off", STR("\x79\x01\x02\x03\x04\x05\x06\x07"),
     "request: a value of 8 bytes where 7 are left (byte 1)"},
    {"an unknown 32-bit value", STR("\x7d\x01\x02\x03\x04"), NULL},
    {"an unknown 32-bit value that is cut off", STR("\x7d\x01\x02\x03"),
     "request: a value of 4 bytes where 3 are left (byte 1)"},
    {"unknown bytes, not text", STR("\x7a\x02\x00\xff"), NULL},
    {"unknown bytes that are cut off", STR("\x7a\x02\x00"),
     "request: a value of 2 bytes where 1 are left (byte 2)"},
    {"unknown bytes, twice", STR("\x7a\x00\x7a\x00"), NULL},
    {"a group", STR("\x7b\x7c"), "request: wire type 3 is not allowed (byte 0)"},
    {"the end of a group", STR("\x7c"), "request: wire type 4 is not allowed (byte 0)"},
    {"a group in the config", STR("\x0a\x02\x7b\x7c"),
     "field config: wire type 3 is not allowed (byte 2)"},
    {"wire type 6", STR("\x7e"), "request: wire type 6 is not allowed (byte 0)"},
    {"wire type 7", STR("\x7f"), "request: wire type 7 is not allowed (byte 0)"},

    {"a length of five bytes", STR("\x12\x81\x80\x80\x80\x00x"), NULL},
    {"a length of six bytes", STR("\x12\x81\x80\x80\x80\x80\x00x"),
     "request: a tag or length does not fit 32 bits (byte 1)"},
    {"a length of 2^32 - 1", STR("\x12\xff\xff\xff\xff\x0fx"),
     "request: a value of 4294967295 bytes where 1 are left (byte 6)"},
    {"a length that wraps to 1 in 32 bits", STR("\x12\x81\x80\x80\x80\x10x"),
     "request: a tag or length does not fit 32 bits (byte 1)"},
    {"a length past the end of the message around it", STR("\x0a\x02\x32\x01\x12\x00"),
     "field config: a value of 1 bytes where 0 are left (byte 4)"},
    {"a key past the end of its entry",
     STR("\x0a\x05\x32\x02\x0a\x01"
         "a"),
     "field config.labels: a value of 1 bytes where 0 are left (byte 6)"},

    {"runtime_handler as a varint", STR("\x10\x01"),
     "field runtime_handler: wire type 0, not 2 (byte 0)"},
    {"config as a 64-bit value", STR("\x09\x01\x02\x03\x04\x05\x06\x07\x08"),
     "field config: wire type 1, not 2 (byte 0)"},
    {"a map's key as a varint", STR("\x0a\x04\x3a\x02\x08\x01"),
     "field config.annotations.key: wire type 0, not 2 (byte 4)"},
    {"attempt as bytes", STR("\x0a\x04\x0a\x02\x22\x00"),
     "field config.metadata.attempt: wire type 2, not 0 (byte 4)"},
    {"privileged as a 32-bit value", STR("\x0a\x09\x42\x07\x12\x05\x35\x01\x00\x00\x00"),
     "field config.linux.security_context.privileged: wire type 5, not 0 (byte 6)"},

    {"runtime_handler twice", STR("\x12\x04runc\x12\x05runsc"),
     "field runtime_handler: stands twice (byte 6)"},
    {"runtime_handler twice, once empty", STR("\x12\x00\x12\x05runsc"),
     "field runtime_handler: stands twice (byte 2)"},
    {"config twice", STR("\x0a\x00\x0a\x00"), "field config: stands twice (byte 2)"},
    {"metadata twice", STR("\x0a\x04\x0a\x00\x0a\x00"),
     "field config.metadata: stands twice (byte 4)"},
    {"the key of an entry twice",
     STR("\x0a\x08\x32\x06\x0a\x01"
         "a\x0a\x01"
         "b"),
     "field config.labels.key: stands twice (byte 7)"},
    {"the value of an entry twice",
     STR("\x0a\x08\x32\x06\x12\x01"
         "a\x12\x01"
         "b"),
     "field config.labels.value: stands twice (byte 7)"},
    {"a scalar twice, under two tags", STR("\x0a\x07\x0a\x05\x20\x01\xa0\x00\x02"),
     "field config.metadata.attempt: stands twice (byte 6)"},

    {"a NUL", STR("\x12\x0aruncunsc\0r"), "field runtime_handler: a NUL in a string (byte 10)"},
    {"a NUL at the end", STR("\x12\x05runc\0"),
     "field runtime_handler: a NUL in a string (byte 6)"},
    {"an overlong slash", STR("\x12\x02\xc0\xaf"),
     "field runtime_handler: a string that is not UTF-8 (byte 2)"},
    {"an overlong NUL", STR("\x12\x02\xc0\x80"),
     "field runtime_handler: a string that is not UTF-8 (byte 2)"},
    {"a surrogate", STR("\x12\x04x\xed\xa0\x80"),
     "field runtime_handler: a string that is not UTF-8 (byte 3)"},
    {"above U+10FFFF", STR("\x12\x04\xf4\x90\x80\x80"),
     "field runtime_handler: a string that is not UTF-8 (byte 2)"},
    {"a character that is cut off",
     STR("\x0a\x08\x0a\x06\x1a\x04"
         "a\xf0\x9f\x98"),
     "field config.metadata.namespace: a string that is not UTF-8 (byte 7)"},
    {"a NUL in a label's value", STR("\x0a\x06\x32\x04\x12\x02x\0"),
     "field config.labels.value: a NUL in a string (byte 7)"},

    {"the largest attempt", STR("\x0a\x08\x0a\x06\x20\xff\xff\xff\xff\x0f"), NULL},
    {"an attempt over 32 bits", STR("\x0a\x08\x0a\x06\x20\x80\x80\x80\x80\x10"),
     "field config.metadata.attempt: 4294967296 is out of its range (byte 4)"},
    {"network NODE", STR("\x0a\x08\x42\x06\x12\x04\x0a\x02\x08\x02"), NULL},
    {"network of a value not known yet", STR("\x0a\x08\x42\x06\x12\x04\x0a\x02\x08\x07"), NULL},
    {"network 2^32 + 2", STR("\x0a\x0c\x42\x0a\x12\x08\x0a\x06\x08\x82\x80\x80\x80\x10"),
     "field config.linux.security_context.namespace_options.network: 4294967298 is out of its "
     "range (byte 8)"},
    {"network 2^32 - 1, not the way -1 is written",
     STR("\x0a\x0c\x42\x0a\x12\x08\x0a\x06\x08\xff\xff\xff\xff\x0f"),
     "field config.linux.security_context.namespace_options.network: 4294967295 is out of its "
     "range (byte 8)"},
    {"network -1",
     STR("\x0a\x11\x42\x0f\x12\x0d\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
    {"privileged", STR("\x0a\x06\x42\x04\x12\x02\x30\x01"), NULL},
    {"privileged 2", STR("\x0a\x06\x42\x04\x12\x02\x30\x02"),
     "field config.linux.security_context.privileged: 2 is out of its range (byte 6)"},
    {"privileged 2^32", STR("\x0a\x0a\x42\x08\x12\x06\x30\x80\x80\x80\x80\x10"),
     "field config.linux.security_context.privileged: 4294967296 is out of its range (byte 6)"},
};

Test(wire, takes_and_refuses)
{
    const ProtobufCMessageDescriptor *type = &cri__run_pod_sandbox_request__descriptor;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct sample *sample = &samples[i];
        struct err err = {0};
        int result = wire_check(type, sample->bytes, &err);
        cr_expect_eq(result, sample->error ? -1 : 0, "%s: %s", sample->name, err.text);
        cr_expect_str_eq(err.text, sample->error ? sample->error : "", "%s", sample->name);
        if (result < 0)
            continue;
        ProtobufCMessage *decoded = protobuf_c_message_unpack(type, NULL, sample->bytes.len,
                                                              (const uint8_t *)sample->bytes.data);
        cr_expect_not_null(decoded, "protobuf-c refuses %s", sample->name);
        protobuf_c_message_free_unpacked(decoded, NULL);
    }
}

Test(wire, takes_no_start_of_a_message_that_ends_within_a_field)
{
    struct str whole = STR("\x0a\x13\x0a\x09\x0a\x01n\x1a\x02ns\x20\x03\x42\x06\x12\x04\x0a\x02"
                           "\x08\x02\x12\x05runsc");
    const ProtobufCMessageDescriptor *type = &cri__run_pod_sandbox_request__descriptor;
    cr_assert_eq(wire_check(type, whole, NULL), 0);
    for (size_t len = 0; len < whole.len; len++) {
        bool between_fields = len == 0 || len == 21;
        struct str start = {.data = whole.data, .len = len};
        cr_expect_eq(wire_check(type, start, NULL), between_fields ? 0 : -1, "%zu bytes", len);
    }
}

/* Half of them in the config, half behind it. */
Test(wire, limits_the_fields_of_all_messages_together)
{
    const ProtobufCMessageDescriptor *type = &cri__run_pod_sandbox_request__descriptor;
    const size_t within = WIRE_FIELDS_MAX / 2;
    struct err err = {0};
    unsigned char *bytes = calloc(WIRE_FIELDS_MAX + 8, 2);
    cr_assert_not_null(bytes);
    unsigned char *config = bytes + 4;
    memcpy(bytes, "\x0a\x80\x80\x04", 4); /* config, a length of 65,536 */
    for (size_t i = 0; i < WIRE_FIELDS_MAX; i++)
        config[2 * i] = 0x78;
    cr_assert_eq(2 * within, 65536);
    struct str most = {.data = (char *)bytes, .len = 4 + 2 * (WIRE_FIELDS_MAX - 1)};
    cr_expect_eq(wire_check(type, most, &err), 0, "%s", err.text);
    struct str more = {.data = (char *)bytes, .len = most.len + 2};
    cr_expect_eq(wire_check(type, more, &err), -1);
    cr_expect_str_eq(err.text, "request: more than 65536 fields (byte 131074)");
    free(bytes);
}

/* No message of the CRI holds itself; this one does. */
Test(wire, limits_the_depth)
{
    static ProtobufCMessageDescriptor self;
    static const ProtobufCFieldDescriptor fields[] = {{.name = "in",
                                                       .id = 1,
                                                       .label = PROTOBUF_C_LABEL_NONE,
                                                       .type = PROTOBUF_C_TYPE_MESSAGE,
                                                       .descriptor = &self}};
    static const ProtobufCIntRange ranges[] = {{1, 0}, {0, 1}};
    self = (ProtobufCMessageDescriptor){.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                        .n_fields = 1,
                                        .fields = fields,
                                        .n_field_ranges = 1,
                                        .field_ranges = ranges};
    struct err err = {0};
    unsigned char bytes[2 * (WIRE_DEPTH_MAX + 1)];
    for (size_t i = 0; i <= WIRE_DEPTH_MAX; i++) {
        bytes[2 * i] = 0x0a;
        bytes[2 * i + 1] = (unsigned char)(sizeof(bytes) - 2 * (i + 1));
    }
    struct str deepest = {.data = (char *)bytes + 2, .len = sizeof(bytes) - 2};
    cr_expect_eq(wire_check(&self, deepest, &err), 0, "%s", err.text);
    struct str deeper = {.data = (char *)bytes, .len = sizeof(bytes)};
    cr_expect_eq(wire_check(&self, deeper, &err), -1);
    cr_expect(strstr(err.text, "in.in.in: messages within messages, more than 16 deep"), "%s",
              err.text);
}

Test(wire, finds_a_field_and_its_place)
{
    struct wire_field field;
    struct str message = STR("\x0a\x02\x12\x00\x78\x07\x12\x05runsc\x12\x01x");
    cr_assert(wire_find(message, 2, &field));
    cr_assert_eq(field.start, 6);
    cr_assert_eq(field.end, 13);
    cr_assert(str_eq(field.bytes, STR("runsc")));
    cr_assert(wire_find(message, 15, &field));
    cr_assert_eq(field.varint, 7);
    cr_assert_not(wire_find(message, 3, &field));
    cr_assert_not(wire_find((struct str){0}, 1, &field));
    cr_assert_not(wire_find(STR("\x7b\x12\x01x"), 2, &field), "behind what it cannot step over");
}

Test(wire, writes_what_it_finds)
{
    static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384};
    static const uint32_t numbers[] = {1, 15, 16, (1u << 29) - 1};
    static unsigned char buf[20000];
    static char value[16384];
    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
            struct str given = {.data = value, .len = lengths[i]};
            size_t len = wire_put_bytes(numbers[k], given, buf, sizeof(buf));
            struct wire_field field;
            cr_assert(wire_find((struct str){(char *)buf, len}, numbers[k], &field));
            cr_assert_eq(field.end, len);
            cr_assert(str_eq(field.bytes, given));
            cr_assert_eq(wire_put_bytes(numbers[k], given, buf, len), len);
            cr_assert_eq(wire_put_bytes(numbers[k], given, buf, len - 1), 0);
        }
    }
    cr_assert_eq(wire_put_bytes(1, STR(""), buf, 0), 0);
}
