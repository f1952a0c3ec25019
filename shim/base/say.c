/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: each is formatted whole and handed over at once, so threads do not interleave. */
#include "base/say.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
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

/* --- fields -------------------------------------------------------------------------------- */

#define FIELD_SIZE 256

static _Thread_local struct {
    char text[SAY_FIELDS_MAX][FIELD_SIZE];
    int count;
} fields;

void say_field(const char *fmt, ...)
{
    if (fields.count == SAY_FIELDS_MAX)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(fields.text[fields.count++], FIELD_SIZE, fmt, args);
    va_end(args);
}

/* --- journald ------------------------------------------------------------------------------ */

static bool journal_is_stderr;
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;

/* JOURNAL_STREAM names the stream that journald reads, which may have been redirected since
 * (systemd.exec(5)). */
static void look_for_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat there;
    char own[64];
    if (!stream || fstat(STDERR_FILENO, &there) < 0)
        return;
    snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)there.st_dev, (uintmax_t)there.st_ino);
    journal_is_stderr = strcmp(stream, own) == 0;
}

static struct iovec text_of(char *text)
{
    return (struct iovec){.iov_base = text, .iov_len = strlen(text)};
}

/* The message with its fields; false: journald did not take it. */
static bool tell_journal(int priority, const char *text)
{
    char message[2048], level[] = "PRIORITY=0", name[] = "SYSLOG_IDENTIFIER=crigate";
    struct iovec parts[3 + SAY_FIELDS_MAX];
    int count = 0;
    pthread_once(&journal_once, look_for_journal);
    if (!journal_is_stderr)
        return false;
    snprintf(message, sizeof(message), "MESSAGE=%s", text);
    level[sizeof(level) - 2] = (char)('0' + priority);
    parts[count++] = text_of(message);
    parts[count++] = text_of(level);
    parts[count++] = text_of(name);
    for (int i = 0; i < fields.count; i++)
        parts[count++] = text_of(fields.text[i]);
    return sd_journal_sendv(parts, count) == 0;
}

/* --- lines --------------------------------------------------------------------------------- */

/* journald sets JOURNAL_STREAM and reads "<N>" in front of a line as its syslog priority
 * (sd-daemon(3)). */
__attribute__((format(printf, 3, 0))) static void say(int priority, const char *word,
                                                      const char *fmt, va_list args)
{
    char line[2048], text[1900];
    uint64_t held;
    int used = 0;
    if (!is_told(fmt, &held))
        return;
    if (held)
        used = snprintf(text, sizeof(text), "(%" PRIu64 " more like this were not told) ", held);
    vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, args);
    for (char *byte = text; *byte; byte++) {
        if (*byte == '\n')
            *byte = ' ';
    }
    if (tell_journal(priority, text))
        return;
    int len = getenv("JOURNAL_STREAM")
                  ? snprintf(line, sizeof(line), "<%d>%s\n", priority, text)
                  : snprintf(line, sizeof(line), "crigate: %s%s\n", word, text);
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)len);
    (void)ignored; /* nowhere left to report it */
}

#define SAY(priority, word)             \
    do {                                \
        va_list args;                   \
        va_start(args, fmt);            \
        say(priority, word, fmt, args); \
        va_end(args);                   \
        fields.count = 0;               \
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
