/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what gate/inspect* reads; the first byte says as which message. */
#include "inspect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void touch(struct str s)
{
    volatile char sink = 0;
    REQUIRE(s.data != NULL);
    for (size_t i = 0; i < s.len; i++)
        sink ^= s.data[i];
    (void)sink;
}

bool within(struct str s, struct str outer)
{
    return s.len == 0 || (s.data >= outer.data && s.len <= outer.len &&
                          (size_t)(s.data - outer.data) <= outer.len - s.len);
}

bool same(struct str s, ProtobufCBinaryData bytes)
{
    touch(s);
    return s.len == bytes.len && (s.len == 0 || memcmp(s.data, bytes.data, s.len) == 0);
}

void check_error(int result, const char *text)
{
    REQUIRE(result == 0 || result == -1);
    REQUIRE((result < 0) == (text[0] != 0) && !strchr(text, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct str message) = {
        fuzz_pod, fuzz_container, fuzz_image, fuzz_status, fuzz_sandboxes,
    };
    if (size == 0)
        return 0;
    struct str message = {.data = (const char *)data + 1, .len = size - 1};
    kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](message);
    return 0;
}
