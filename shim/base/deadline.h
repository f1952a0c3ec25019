/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time that do not move when somebody sets the clock: CLOCK_MONOTONIC. */
#ifndef CRIGATE_BASE_DEADLINE_H
#define CRIGATE_BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline struct timespec deadline_in(uint32_t seconds)
{
    struct timespec then;
    clock_gettime(CLOCK_MONOTONIC, &then);
    then.tv_sec += seconds;
    return then;
}

static inline bool deadline_is_before(const struct timespec *one, const struct timespec *two)
{
    return one->tv_sec < two->tv_sec || (one->tv_sec == two->tv_sec && one->tv_nsec < two->tv_nsec);
}

static inline bool deadline_is_past(const struct timespec *deadline)
{
    struct timespec now = deadline_in(0);
    return !deadline_is_before(&now, deadline);
}

/* Now, in milliseconds since some moment. */
static inline int64_t deadline_now_ms(void)
{
    struct timespec now = deadline_in(0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
