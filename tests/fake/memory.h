/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation in a test program: when memory is out, it says so and ends. */
#ifndef CRIGATE_TESTS_FAKE_MEMORY_H
#define CRIGATE_TESTS_FAKE_MEMORY_H

#include <stdio.h>
#include <stdlib.h>

static inline void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

/* A count of 0 gives a valid pointer. */
static inline void *must_calloc(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size));
}

static inline void *must_realloc(void *memory, size_t size)
{
    return must(realloc(memory, size));
}

#endif
