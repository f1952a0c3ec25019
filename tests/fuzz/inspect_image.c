/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes around an ImageSpec: with another handler, the message is the same but for that. */
#include "gate/inspect_image.h"

#include "inspect_fuzz.h"

static const struct str other = STR("another-runtime-handler");

/* Where protobuf-c can read the whole of it, too. */
static void check_decoded(struct str came, struct str handler, struct str sent)
{
    Cri__CreateContainerRequest *before =
        cri__create_container_request__unpack(NULL, came.len, (const uint8_t *)came.data);
    if (!before)
        return;
    Cri__CreateContainerRequest *after =
        cri__create_container_request__unpack(NULL, sent.len, (const uint8_t *)sent.data);
    REQUIRE(after && after->config && after->config->image);
    REQUIRE(same(handler, before->config->image->runtime_handler));
    ProtobufCBinaryData *changed = &after->config->image->runtime_handler, held = *changed;
    REQUIRE(same(other, held));
    *changed = before->config->image->runtime_handler;

    size_t len = cri__create_container_request__get_packed_size(before);
    REQUIRE(cri__create_container_request__get_packed_size(after) == len);
    uint8_t *one = malloc(len + 1), *two = malloc(len + 1);
    REQUIRE(one && two);
    cri__create_container_request__pack(before, one);
    cri__create_container_request__pack(after, two);
    REQUIRE(memcmp(one, two, len) == 0);
    free(one);
    free(two);
    *changed = held;
    cri__create_container_request__free_unpacked(before, NULL);
    cri__create_container_request__free_unpacked(after, NULL);
}

static void check_replaced(enum inspect_image_in where, struct str came, struct str handler)
{
    OWNED_ARENA struct arena arena = {0};
    struct str sent, again, twice;
    REQUIRE(inspect_image_replace(where, came, other, &arena, &sent, NULL) == 0);
    touch(sent);
    REQUIRE(inspect_image(where, sent, &again, NULL) == 0);
    REQUIRE(str_eq(again, other) && within(again, sent));
    size_t behind = (size_t)(came.data + came.len - (handler.data + handler.len));
    REQUIRE(behind <= sent.len);
    REQUIRE(again.data + again.len == sent.data + sent.len - behind);
    REQUIRE(memcmp(handler.data + handler.len, again.data + again.len, behind) == 0);
    REQUIRE(inspect_image_replace(where, sent, other, &arena, &twice, NULL) == 0);
    REQUIRE(str_eq(sent, twice));
    if (where == IMAGE_IN_CONTAINER)
        check_decoded(came, handler, sent);
}

void fuzz_image(struct str message)
{
    for (int where = IMAGE_IN_REQUEST; where <= IMAGE_IN_CONTAINER; where++) {
        struct str handler;
        struct err err = {0};
        int result = inspect_image((enum inspect_image_in)where, message, &handler, &err);
        check_error(result, err.text);
        touch(handler);
        REQUIRE(within(handler, message));
        if (handler.len)
            check_replaced((enum inspect_image_in)where, message, handler);
    }
}
