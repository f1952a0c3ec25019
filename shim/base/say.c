/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: each is formatted whole and written with one write(), so threads do not interleave. */
#include "base/say.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- repeats ------------------------------------------------------------------------------- */

/* Places in the code that have had something to say lately; more than there are. */
#define PLACES_MAX 256

struct place {
    const char *fmt; /* a literal: its address is the place */
    time_t began;    /* CLOCK_MONOTONIC, seconds */
    uint64_t told, held;
};

static struct place places[PLACES_MAX];
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: there are too many, which are then told each time. */
static struct place *find_place(const char *fmt)
{
    for (size_t i = 0; i < PLACES_MAX; i++) {
        if (!places[i].fmt)
            places[i].fmt = fmt;
        if (places[i].fmt == fmt)
            return &places[i];
    }
    return NULL;
}

/* Whether the message is told; `*held` is how many like it were not, since the last one. */
static bool is_told(const char *fmt, uint64_t *held)
{
    struct timespec now;
    bool told = true;
    *held = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&places_lock);
    struct place *place = find_place(fmt);
    if (place && now.tv_sec - place->began >= SAY_WINDOW_S) {
        *held = place->held;
        *place = (struct place){.fmt = fmt, .began = now.tv_sec};
    }
    if (place) {
        told = place->told < SAY_BURST;
        ++*(told ? &place->told : &place->held);
    }
    pthread_mutex_unlock(&places_lock);
    return told;
}

/* --- lines --------------------------------------------------------------------------------- */

/* journald sets JOURNAL_STREAM and reads "<N>" in front of a line as its syslog priority
 * (sd-daemon(3)). */
__attribute__((format(printf, 3, 0))) static void say(int priority, const char *word,
                                                      const char *fmt, va_list args)
{
    char line[2048];
    uint64_t held;
    if (!is_told(fmt, &held))
        return;
    bool journal = getenv("JOURNAL_STREAM") != NULL;
    int used = journal ? snprintf(line, sizeof(line), "<%d>", priority)
                       : snprintf(line, sizeof(line), "crigate: %s", word);
    if (held)
        used += snprintf(line + used, sizeof(line) - (size_t)used,
                         "(%" PRIu64 " more like this were not told) ", held);
    vsnprintf(line + used, sizeof(line) - (size_t)used - 1, fmt, args);
    size_t len = strlen(line);
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\n')
            line[i] = ' ';
    }
    line[len++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored; /* nowhere left to report it */
}

#define SAY(priority, word)             \
    do {                                \
        va_list args;                   \
        va_start(args, fmt);            \
        say(priority, word, fmt, args); \
        va_end(args);                   \
    } while (0)

void say_info(const char *fmt, ...)
{
    SAY(6, "");
}

void say_warn(const char *fmt, ...)
{
    SAY(4, "warning: ");
}

void say_error(const char *fmt, ...)
{
    SAY(3, "error: ");
}
