/* SPDX-License-Identifier: Apache-2.0 */
/* Makes lines: an event's body, formatted where it happens, with room for the head in front. */
#include "audit/line.h"

#include <string.h>

#include "base/own.h"

struct audit_line *audit_line_make(const struct record_origin *origin,
                                   const struct audit_event *event, struct err *err)
{
    char body[RECORD_BODY_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int length = record_body(origin, &now, event, body, err);
    if (length < 0)
        return NULL;
    struct audit_line *line = malloc(sizeof(*line) + RECORD_HEAD_MAX + (size_t)length);
    if (!line) {
        err_set(err, "audit record: out of memory");
        return NULL;
    }
    *line = (struct audit_line){.length = (size_t)length};
    memcpy(line->text + RECORD_HEAD_MAX, body, (size_t)length);
    return line;
}

void audit_lines_free(struct audit_line *lines)
{
    while (lines) {
        OWNED_MEM struct audit_line *line = lines;
        lines = line->next;
    }
}
