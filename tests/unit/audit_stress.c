/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads hand over records at once. A program of its own, because Criterion does not start
 * under ThreadSanitizer: exit 0 when every record is told once and stands in the file, in order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"

#define THREADS 4
#define RECORDS 2000

static struct audit *the_log;
static atomic_uint durable, lost, handed_over;

static void count(void *cookie, const struct err *error)
{
    (void)cookie;
    atomic_fetch_add(error ? &lost : &durable, 1);
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
        if (audit_record(the_log, &event, done, NULL, NULL) == AUDIT_QUEUED)
            atomic_fetch_add(&handed_over, 1);
    }
    return NULL;
}

/* The number of lines, or -1 when their seq does not count up from 1. */
static long count_lines(const char *path)
{
    OWNED_FILE FILE *file = fopen(path, "re");
    OWNED_MEM char *line = NULL;
    size_t room = 0;
    long lines = 0;
    while (file && getline(&line, &room, file) > 0) {
        const char *seq = strstr(line, "\"seq\":");
        if (!seq || atol(seq + strlen("\"seq\":")) != ++lines)
            return -1;
    }
    return lines;
}

int main(void)
{
    char path[] = "/tmp/crigate-audit-stress-XXXXXX";
    int fd = mkstemp(path);
    struct err err;
    if (fd < 0 ||
        audit_open(
            &(struct audit_options){.path = path, .node = STR("node-1"), .owner = -1, .group = -1},
            &the_log, &err) < 0)
        return 1;
    close(fd);

    pthread_t threads[THREADS];
    size_t numbers[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, hand_over, &numbers[i]) != 0)
            return 1;
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    audit_close(the_log);

    long lines = count_lines(path);
    unlink(path);
    printf("%u handed over, %ld lines in order, %u told durable, %u told lost\n", handed_over,
           lines, durable, lost);
    return handed_over == THREADS * RECORDS && lines == THREADS * RECORDS + 1 &&
                   durable == THREADS * RECORDS / 2 && lost == 0
               ? 0
               : 1;
}
