/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads hand over records at once, while files are rotated and opened anew, refusals come
 * again and a second file follows. A program of its own, because Criterion does not start under
 * ThreadSanitizer: exit 0 when every record is told once and stands in a file, in order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/segments.h"

#define THREADS 4
#define RECORDS 2000
#define REFUSED_EVERY 50
#define REOPENED_EVERY 500

static struct audit *the_log;
static atomic_uint durable, lost, handed_over, awaited, counted;

static void count(void *cookie, const struct err *error)
{
    (void)cookie;
    atomic_fetch_add(error ? &lost : &durable, 1);
}

/* The same from every thread: one of them is written, the others are counted. */
static const struct audit_event refusal = {
    .type = "pod.decision", .stage = "decided", .action = AUDIT_REFUSE, .rule = {"no-hosts", 8}};

static void note(enum audit_outcome outcome, audit_done_fn *done)
{
    if (outcome == AUDIT_QUEUED) {
        atomic_fetch_add(&handed_over, 1);
        atomic_fetch_add(&awaited, done != NULL);
    } else if (outcome == AUDIT_COUNTED) {
        atomic_fetch_add(&counted, 1);
    }
}

static void *hand_over(void *cookie)
{
    const size_t *number = cookie;
    char message[64];
    int len = snprintf(message, sizeof(message), "thread %zu", *number);
    struct audit_event event = {.type = "pod.decision", .message = {message, (size_t)len}};
    for (unsigned i = 0; i < RECORDS; i++) {
        event.request_id = i + 1;
        audit_done_fn *done = i % 2 ? count : NULL;
        bool refused = i % REFUSED_EVERY == 0;
        note(audit_record(the_log, refused ? &refusal : &event, done, NULL, NULL), done);
        if (i % REOPENED_EVERY == 0)
            audit_reopen(the_log);
    }
    return NULL;
}

/* The number of lines of all files, or -1 when their seq does not count up from 1. */
static long count_lines(const char *pattern, long *own)
{
    OWNED(own_segments) struct segments *segments = NULL;
    struct segment_line line;
    long lines = 0;
    if (segments_open(&pattern, 1, &segments, NULL) < 0)
        return -1;
    while (segments_next(segments, &line, NULL) > 0) {
        const char *seq = memmem(line.text.data, line.text.len, "\"seq\":", 6);
        if (line.torn || !seq || atol(seq + strlen("\"seq\":")) != ++lines)
            return -1;
        *own += !memmem(line.text.data, line.text.len, "\"pod.decision\"", 14) ||
                memmem(line.text.data, line.text.len, "\"repeated\"", 10);
    }
    return lines;
}

static bool run_threads(void)
{
    pthread_t threads[THREADS];
    size_t numbers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, hand_over, &numbers[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return true;
}

static bool run(const char *dir)
{
    char path[128], pattern[128];
    struct err err;
    snprintf(path, sizeof(path), "%s/audit.jsonl", dir);
    snprintf(pattern, sizeof(pattern), "%s/audit*.jsonl", dir);
    struct audit_options options = {.path = path,
                                    .node = STR("node-1"),
                                    .owner = -1,
                                    .group = -1,
                                    .max_size = 128 * 1024,
                                    .repeat_window_s = 300,
                                    .format = AUDIT_ECS};
    if (audit_open(&options, &the_log, &err) < 0 || !run_threads())
        return false;
    audit_close(the_log);
    long own = 0, lines = count_lines(pattern, &own);
    printf("%u handed over, %u counted, %ld lines in order, %ld of the log's own, %u told durable, "
           "%u told lost\n",
           handed_over, counted, lines, own, durable, lost);
    return handed_over + counted == THREADS * RECORDS && counted > 0 &&
           lines == (long)handed_over + own && durable == awaited && lost == 0;
}

int main(void)
{
    char dir[] = "/tmp/crigate-audit-stress-XXXXXX", command[64];
    if (!mkdtemp(dir))
        return 1;
    bool passed = run(dir);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command) == 0 && passed ? 0 : 1;
}
