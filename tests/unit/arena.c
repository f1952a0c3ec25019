/* SPDX-License-Identifier: Apache-2.0 */
/* The bump allocator: alignment, zeroing, overflow, large requests. */
#include <criterion/criterion.h>
#include <stdalign.h>

#include "base/arena.h"

Test(arena, gives_zeroed_aligned_bytes)
{
    OWNED_ARENA struct arena arena = {0};
    for (size_t size = 0; size < 300; size++) {
        unsigned char *got = arena_alloc(&arena, size);
        cr_assert_not_null(got);
        cr_assert_eq((uintptr_t)got % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            cr_assert_eq(got[i], 0);
        memset(got, 0xff, size);
    }
}

Test(arena, gives_blocks_larger_than_its_own)
{
    OWNED_ARENA struct arena arena = {0};
    char *first = arena_alloc(&arena, 10);
    char *large = arena_alloc(&arena, 1 << 20);
    cr_assert(first && large);
    memset(large, 1, 1 << 20);
    cr_assert_not_null(arena_alloc(&arena, 10));
}

Test(arena, refuses_a_size_that_overflows)
{
    OWNED_ARENA struct arena arena = {0};
    cr_assert_null(arena_array(&arena, SIZE_MAX / 4, 8));
    cr_assert_null(arena_alloc(&arena, SIZE_MAX));
    cr_assert_not_null(arena_array(&arena, 0, 8));
}

Test(arena, copies_strings_with_a_terminator)
{
    OWNED_ARENA struct arena arena = {0};
    struct str copy = arena_str(&arena, (struct str){"a\0b", 3});
    cr_assert_eq(copy.len, 3);
    cr_assert_eq(memcmp(copy.data, "a\0b\0", 4), 0);
}
