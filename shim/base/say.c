/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: each is formatted whole and written with one write(), so threads do not interleave. */
#include "base/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* journald sets JOURNAL_STREAM and reads "<N>" in front of a line as its syslog priority
 * (sd-daemon(3)). */
__attribute__((format(printf, 3, 0))) static void say(int priority, const char *word,
                                                      const char *fmt, va_list args)
{
    char line[2048];
    bool journal = getenv("JOURNAL_STREAM") != NULL;
    int used = journal ? snprintf(line, sizeof(line), "<%d>", priority)
                       : snprintf(line, sizeof(line), "crigate: %s", word);
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
