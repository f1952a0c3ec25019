/* SPDX-License-Identifier: Apache-2.0 */
/* A whole line of the log in one step, as the writer puts it together. */
#ifndef CRIGATE_TESTS_RECORD_LINE_H
#define CRIGATE_TESTS_RECORD_LINE_H

#include "audit/record.h"

/* Its length, or -1 as record_body() has it; `line` has RECORD_MAX bytes. */
static inline int record_line(const struct record_origin *origin, uint64_t seq,
                              const struct timespec *now, const struct audit_event *event,
                              char *line, struct err *err)
{
    char head[RECORD_HEAD_MAX];
    size_t length = record_head(seq, RECORD_NO_HASH, head);
    memcpy(line, head, length);
    int body = record_body(origin, now, event, line + length, err);
    return body < 0 ? body : (int)length + body;
}

#endif
