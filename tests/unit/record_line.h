/* SPDX-License-Identifier: Apache-2.0 */
/* A whole line of the log in one step, as the writer puts it together. */
#ifndef CRIGATE_TESTS_RECORD_LINE_H
#define CRIGATE_TESTS_RECORD_LINE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/record.h"

/* Leaves a copy for tests/audit/validate, in a file a process, where the environment has a
 * directory for it. Their fields are put together by a test, so only their form is looked at. */
static inline void record_line_keep(const char *line, size_t length)
{
    const char *dir = getenv("CRIGATE_TEST_RECORDS");
    if (!dir)
        return;
    char path[4096];
    snprintf(path, sizeof(path), "%s/unit-record-%d.form.jsonl", dir, getpid());
    FILE *file = fopen(path, "ae");
    if (!file || fwrite(line, 1, length, file) != length || fclose(file) != 0)
        abort();
}

/* Its length, or -1 as record_body() has it; `line` has RECORD_MAX bytes. */
static inline int record_line(const struct record_origin *origin, uint64_t seq,
                              const struct timespec *now, const struct audit_event *event,
                              char *line, struct err *err)
{
    char head[RECORD_HEAD_MAX];
    size_t length = record_head(seq, RECORD_NO_HASH, head);
    memcpy(line, head, length);
    int body = record_body(origin, now, event, line + length, err);
    if (body < 0)
        return body;
    record_line_keep(line, length + (size_t)body);
    return (int)length + body;
}

#endif
