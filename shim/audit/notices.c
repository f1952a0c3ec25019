/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the lines that tell of the log itself, from what its writer knows. */
#include "audit/notices.h"

#include "base/deadline.h"

/* Puts a line of the log's own at the end of a list; what has no memory is lost. */
static void append_own(struct audit_writer *writer, struct audit_line ***last,
                       enum audit_line_origin origin, const struct audit_event *event)
{
    struct err err;
    struct audit_line *line = audit_line_make(writer->origin, event, &err);
    if (!line) {
        writer->untold++;
        return;
    }
    line->origin = origin;
    **last = line;
    *last = &line->next;
}

struct audit_line *notices_first(struct audit_writer *writer, const struct audit_file_found *found)
{
    struct audit_line *lines = NULL, **last = &lines;
    const struct audit_trouble *trouble = &writer->trouble;
    struct audit_event open = {
        .type = "segment.open",
        .self = {.head = writer->chain.head, .previous_file = str_of(found->previous)},
    };
    struct audit_event repaired = {
        .type = "audit.repaired",
        .self.audit = {.given = true, .bytes_cut = (uint64_t)found->bytes_cut},
    };
    struct audit_event recovered = {
        .type = "audit.recovered",
        .error = str_of(trouble->cause.text),
        .self.audit = {.given = true,
                       .since = trouble->since,
                       .sink = trouble->in_journal ? STR("journal") : STR(""),
                       .lost = trouble->lost,
                       .in_journal = trouble->in_journal,
                       .journal_head = trouble->in_journal ? trouble->journal.head : NULL},
    };
    if (found->empty)
        append_own(writer, &last, LINE_OF_FILE, &open);
    if (found->bytes_cut)
        append_own(writer, &last, LINE_OF_FILE, &repaired);
    if (trouble->since.tv_sec)
        append_own(writer, &last, LINE_OF_FILE, &recovered);
    return lines;
}

static void append_heartbeat(struct audit_writer *writer, struct audit_line ***last)
{
    int64_t uptime = deadline_in(0).tv_sec - writer->started.tv_sec;
    struct audit_event event = {
        .type = "heartbeat",
        .self = {.head = writer->chain.head,
                 .heartbeat = {.given = true,
                               .uptime_s = (uint64_t)uptime,
                               .records = writer->records,
                               .lost = writer->lost}},
    };
    append_own(writer, last, LINE_OF_LOG, &event);
}

struct audit_line *notices_due(struct audit_writer *writer, bool closing)
{
    struct audit_line *lines = NULL, **last = &lines;
    struct audit_event event;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    while (writer->repeats && repeats_take(writer->repeats, &now, closing, &event))
        append_own(writer, &last, LINE_OF_LOG, &event);
    if (writer->options->heartbeat_s && deadline_is_past(&writer->heartbeat)) {
        append_heartbeat(writer, &last);
        writer->heartbeat = deadline_in(writer->options->heartbeat_s);
    }
    return lines;
}
