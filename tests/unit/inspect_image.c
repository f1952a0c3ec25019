/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of an ImageSpec: found on the way to it, and replaced with each length around it. */
#include "gate/inspect_image.h"

#include "inspect_bed.h"

#define ROUNDS 3000

static const struct {
    enum inspect_image_in where;
    struct str request, handler;
    const char *error;
} samples[] = {
    {IMAGE_IN_REQUEST, STR(""), STR(""), NULL},
    {IMAGE_IN_REQUEST, STR("\x0a\x00"), STR(""), NULL},
    {IMAGE_IN_REQUEST, STR("\x0a\x03\x9a\x01\x00"), STR(""), NULL},
    {IMAGE_IN_REQUEST,
     STR("\x0a\x09\x0a\x01i\x9a\x01\x03"
         "abc"),
     STR("abc"), NULL},
    {IMAGE_IN_FILTER, STR("\x0a\x06\x0a\x04\x9a\x01\x01x"), STR("x"), NULL},
    {IMAGE_IN_FILTER, STR("\x0a\x00"), STR(""), NULL},
    {IMAGE_IN_CONTAINER, STR("\x0a\x01s\x12\x06\x12\x04\x9a\x01\x01x\x1a\x00"), STR("x"), NULL},
    {IMAGE_IN_CONTAINER, STR("\x12\x04\x0a\x02\x9a\x01"), STR(""), NULL},

    /* What is not on the way may be anything that can be stepped over. */
    {IMAGE_IN_REQUEST, STR("\x0a\x06\x12\x00\x9a\x01\x01x\x12\x01\xff\x12\x01\xff"), STR("x"),
     NULL},
    {IMAGE_IN_REQUEST, STR("\x7b"), STR(""),
     "on the way to field image: wire type 3 is not allowed (byte 0)"},
    {IMAGE_IN_REQUEST, STR("\x0a\x04\x9a\x01\x02x"), STR(""),
     "on the way to field image.runtime_handler: a value of 2 bytes where 1 are left (byte 5)"},
    {IMAGE_IN_REQUEST, STR("\x0a\x00\x0a\x00"), STR(""), "field image: stands twice (byte 2)"},
    {IMAGE_IN_REQUEST, STR("\x0a\x08\x9a\x01\x01x\x9a\x01\x01y"), STR(""),
     "field image.runtime_handler: stands twice (byte 6)"},
    {IMAGE_IN_REQUEST, STR("\x08\x01"), STR(""), "field image: wire type 0, not 2 (byte 0)"},
    {IMAGE_IN_REQUEST, STR("\x0a\x03\x98\x01\x01"), STR(""),
     "field image.runtime_handler: wire type 0, not 2 (byte 2)"},
    {IMAGE_IN_FILTER, STR("\x0a\x06\x0a\x04\x9a\x01\x01\x00"), STR(""),
     "field filter.image.runtime_handler: a NUL in a string (byte 7)"},
    {IMAGE_IN_CONTAINER, STR("\x12\x06\x12\x04\x9a\x01\x01\xff"), STR(""),
     "field config.image.runtime_handler: a string that is not UTF-8 (byte 7)"},
};

Test(inspect_image, finds_the_handler_or_says_why_not)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct str handler;
        struct err err = {0};
        int result = inspect_image(samples[i].where, samples[i].request, &handler, &err);
        cr_expect_eq(result, samples[i].error ? -1 : 0, "sample %zu: %s", i, err.text);
        cr_expect_str_eq(err.text, samples[i].error ? samples[i].error : "", "sample %zu", i);
        cr_expect(handler.data && str_eq(handler, samples[i].handler), "sample %zu", i);
    }
}

Test(inspect_image, touches_only_the_handler_and_the_lengths_around_it)
{
    static const struct {
        enum inspect_image_in where;
        struct str came, sent;
    } cases[] = {
        {IMAGE_IN_REQUEST, STR("\x78\x01\x0a\x08\x9a\x01\x01g\x0a\x02im\x12\x00"),
         STR("\x78\x01\x0a\x0c\x9a\x01\x05runsc\x0a\x02im\x12\x00")},
        {IMAGE_IN_FILTER, STR("\x0a\x08\x7a\x00\x0a\x04\x9a\x01\x01g"),
         STR("\x0a\x0c\x7a\x00\x0a\x08\x9a\x01\x05runsc")},
        {IMAGE_IN_CONTAINER, STR("\x12\x0a\x12\x06\x0a\x00\x9a\x01\x01g\x78\x00\x1a\x00"),
         STR("\x12\x0e\x12\x0a\x0a\x00\x9a\x01\x05runsc\x78\x00\x1a\x00")},
        /* Tags longer than they need be stay; lengths are written anew. */
        {IMAGE_IN_REQUEST, STR("\x8a\x00\x87\x00\x9a\x81\x00\x81\x80\x00g"),
         STR("\x8a\x00\x09\x9a\x81\x00\x05runsc")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_ARENA struct arena arena = {0};
        struct str sent, handler;
        struct err err = {0};
        int result =
            inspect_image_replace(cases[i].where, cases[i].came, STR("runsc"), &arena, &sent, &err);
        cr_assert_eq(result, 0, "case %zu: %s", i, err.text);
        cr_expect(str_eq(sent, cases[i].sent), "case %zu", i);
        cr_expect_eq(inspect_image(cases[i].where, sent, &handler, NULL), 0);
        cr_expect(str_eq(handler, STR("runsc")), "case %zu", i);
    }
}

Test(inspect_image, replaces_nothing_where_there_is_nothing)
{
    OWNED_ARENA struct arena arena = {0};
    struct str sent;
    struct err err = {0};
    cr_expect_eq(
        inspect_image_replace(IMAGE_IN_REQUEST, STR("\x0a\x00"), STR("runsc"), &arena, &sent, &err),
        -1);
    cr_expect_str_eq(err.text, "request: no image handler to replace");
}

/* Lengths that grow from one byte to two, and shrink back. */
Test(inspect_image, changes_as_many_bytes_of_length_as_it_takes)
{
    OWNED_ARENA struct arena arena = {0};
    struct str came = STR("\x12\x06\x12\x04\x9a\x01\x01g"), longer, back, handler;
    char name[200];
    memset(name, 'n', sizeof(name));
    struct str given = {.data = name, .len = sizeof(name)};
    cr_assert_eq(inspect_image_replace(IMAGE_IN_CONTAINER, came, given, &arena, &longer, NULL), 0);
    cr_assert_eq(inspect_image(IMAGE_IN_CONTAINER, longer, &handler, NULL), 0);
    cr_expect(str_eq(handler, given));
    cr_expect_eq(longer.len, came.len + sizeof(name) - 1 + 3);
    cr_assert_eq(inspect_image_replace(IMAGE_IN_CONTAINER, longer, STR("g"), &arena, &back, NULL),
                 0);
    cr_expect(str_eq(back, came));
}

/* Decoded, what is sent is what came, but for the handler; unknown fields too. */
Test(inspect_image, sends_the_same_message_with_another_handler)
{
    for (int round = 0; round < ROUNDS; round++) {
        OWNED_ARENA struct arena arena = {0};
        Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
        Cri__ContainerConfig config = CRI__CONTAINER_CONFIG__INIT;
        Cri__CreateContainerRequest create = CRI__CREATE_CONTAINER_REQUEST__INIT;
        struct str sent;
        char *old = zeroed(&arena, 300), *new = zeroed(&arena, 300);
        memset(old, 'o', 1 + below(299));
        memset(new, 'n', 1 + below(299));
        image.runtime_handler = bytes_of(old);
        config.image = &image;
        create.config = &config;
        create.pod_sandbox_id = bytes_of("5f0c");
        add_unknown(&image.base, &arena);
        add_unknown(&config.base, &arena);
        add_unknown(&create.base, &arena);
        struct str came = pack(&create, &arena);
        cr_assert_eq(
            inspect_image_replace(IMAGE_IN_CONTAINER, came, str_of(new), &arena, &sent, NULL), 0);
        image.runtime_handler = bytes_of(new);
        cr_assert(str_eq(sent, pack(&create, &arena)), "round %d", round);
    }
}
