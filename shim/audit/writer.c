/* SPDX-License-Identifier: Apache-2.0 */
/* Makes groups of lines durable, goes around a file that fails, and comes back to it. */
#include "audit/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "audit/notices.h"
#include "base/deadline.h"
#include "base/say.h"
#include "base/thread.h"

#define PARTS_MAX 256 /* lines a writev() */

/* What nobody waits for stays unsynced for so long at most, and up to so many bytes. */
#define SYNC_SECONDS 1
#define UNSYNCED_MAX ((size_t)256 * 1024)

/* While the journal takes the records, the file that fails is tried so often. */
#define RETRY_SECONDS 1

/* Without anything to do the writer looks around so often. */
#define IDLE_SECONDS 60

/* What the writer holds: written, or about to be, and not yet synced. */
struct group {
    struct audit_line *first, **last;
    size_t bytes, handed;     /* all of it; what the queue counts */
    bool awaited;             /* somebody waits for one of its records */
    struct timespec deadline; /* to be synced by then; CLOCK_MONOTONIC */
};

/* --- groups -------------------------------------------------------------------------------- */

static void group_add(struct group *group, struct audit_line *lines)
{
    if (!group->first)
        *group = (struct group){.last = &group->first, .deadline = deadline_in(SYNC_SECONDS)};
    *group->last = lines;
    for (; lines; lines = lines->next) {
        group->bytes += audit_line_size(lines);
        group->handed += lines->origin == LINE_HANDED_OVER ? audit_line_size(lines) : 0;
        group->awaited |= lines->done != NULL;
        group->last = &lines->next;
    }
}

/* Numbers and links the lines, in their order. */
static int seal(struct audit_writer *writer, struct chain *chain, struct audit_line *lines,
                struct err *err)
{
    for (; lines; lines = lines->next) {
        lines->seq = ++writer->seq;
        if (chain_seal(chain, lines, err) < 0)
            return -1;
    }
    return 0;
}

static int write_lines(struct audit_file *file, const struct audit_line *lines, struct err *err)
{
    struct iovec parts[PARTS_MAX];
    while (lines) {
        size_t count = 0;
        for (; lines && count < PARTS_MAX; lines = lines->next)
            parts[count++] = (struct iovec){.iov_base = (char *)lines->text + lines->start,
                                            .iov_len = lines->length};
        if (audit_file_write(file, parts, count, err) < 0)
            return -1;
    }
    return 0;
}

/* --- trouble ------------------------------------------------------------------------------- */

static void count_losses(struct audit_writer *writer, uint64_t count)
{
    if (count == 0)
        return;
    if (!writer->trouble.since.tv_sec)
        clock_gettime(CLOCK_REALTIME, &writer->trouble.since);
    writer->trouble.lost += count;
    writer->lost += count;
}

/* Hands one line to the journal. -1: it did not take it. */
static int send_to_journal(struct audit_writer *writer, struct audit_line *line, struct err *err)
{
    struct audit_trouble *trouble = &writer->trouble;
    struct chain before = trouble->journal;
    line->seq = ++writer->seq;
    if (trouble->journal_fails || chain_seal(&trouble->journal, line, err) < 0 ||
        audit_journal_send(&writer->sink,
                           (struct str){.data = line->text + line->start, .len = line->length},
                           err) < 0) {
        trouble->journal_fails = true;
        trouble->journal = before;
        return -1;
    }
    trouble->in_journal++;
    writer->records++;
    writer->settled_seq = writer->seq; /* what the journal has is not taken back */
    return 0;
}

/* The first record in the journal says what is wrong with the file. */
static void announce(struct audit_writer *writer)
{
    struct audit_trouble *trouble = &writer->trouble;
    struct audit_event event = {
        .type = "audit.degraded",
        .error = str_of(trouble->cause.text),
        .self.audit = {.given = true, .since = trouble->since, .sink = STR("journal")},
    };
    struct err err;
    OWNED_MEM struct audit_line *line = audit_line_make(writer->origin, &event, &err);
    if (!line)
        writer->untold++;
    else if (send_to_journal(writer, line, &err) < 0)
        writer->seq--; /* no sink has seen it, and nobody misses it */
}

static void begin_trouble(struct audit_writer *writer, const struct err *cause)
{
    struct audit_trouble *trouble = &writer->trouble;
    trouble->now = true;
    trouble->cause = *cause;
    trouble->journal = writer->settled;
    if (!trouble->since.tv_sec)
        clock_gettime(CLOCK_REALTIME, &trouble->since);
    if (writer->sink.path)
        announce(writer);
    say_field("CRIGATE_EVENT=audit-failed");
    say_error("%s; until it can be written, records %s", cause->text,
              trouble->journal_fails ? "are lost: there is no other sink"
                                     : "go to the systemd journal");
}

static void end_trouble(struct audit_writer *writer)
{
    struct audit_trouble *trouble = &writer->trouble;
    if (!trouble->since.tv_sec)
        return;
    say_field("CRIGATE_EVENT=audit-mended");
    say_field("CRIGATE_AUDIT_IN_JOURNAL=%" PRIu64, trouble->in_journal);
    say_field("CRIGATE_AUDIT_LOST=%" PRIu64, trouble->lost);
    say_warn("audit log %s: can be written again; records in the journal: %" PRIu64
             ", records lost: %" PRIu64,
             writer->options->path, trouble->in_journal, trouble->lost);
    *trouble = (struct audit_trouble){0};
}

/* The file was tried, and failed. */
static void note_failure(struct audit_writer *writer, const struct err *cause)
{
    writer->trouble.retry = deadline_in(RETRY_SECONDS);
    writer->trouble.journal_fails = !writer->sink.path;
    if (!writer->trouble.now)
        begin_trouble(writer, cause);
}

/* Retrying has a price when a disk hangs; without a journal there is nothing to lose by it. */
static bool may_try_file(const struct audit_writer *writer)
{
    const struct audit_trouble *trouble = &writer->trouble;
    return !trouble->now || trouble->journal_fails || deadline_is_past(&trouble->retry);
}

/* --- one group ----------------------------------------------------------------------------- */

static void turn_file_over(struct audit_writer *writer)
{
    struct timespec now;
    struct err err;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!audit_file_is_due(&writer->file, now.tv_sec) || !deadline_is_past(&writer->rotation))
        return;
    if (audit_file_rotate(&writer->file, writer->seq, &now, &err) < 0) {
        say_warn("%s; the file grows on", err.text);
        writer->rotation = deadline_in(IDLE_SECONDS);
    }
}

/* Opens, turns the file over when it is time, and puts what has to be first in front. */
static int begin_group(struct audit_writer *writer, struct group *group, struct err *err)
{
    struct audit_file_found found;
    turn_file_over(writer);
    if (audit_file_begin(&writer->file, &found, err) < 0)
        return -1;
    if (!writer->chained) {
        memcpy(writer->chain.head, found.head, sizeof(found.head));
        writer->settled = writer->chain;
        writer->chained = true;
    }
    writer->seq += writer->untold;
    writer->settled_seq = writer->seq;
    count_losses(writer, writer->untold);
    writer->untold = 0;
    struct audit_line *first = notices_first(writer, &found);
    if (!first)
        return 0;
    group_add(group, first);
    if (seal(writer, &writer->chain, first, err) < 0) {
        audit_file_undo(&writer->file);
        return -1;
    }
    return write_lines(&writer->file, first, err);
}

static int write_more(struct audit_writer *writer, struct audit_line *lines, struct err *err)
{
    if (!lines)
        return 0;
    if (seal(writer, &writer->chain, lines, err) < 0) {
        audit_file_undo(&writer->file);
        return -1;
    }
    return write_lines(&writer->file, lines, err);
}

static void tell(const struct audit_line *line, const struct err *error)
{
    if (line->done)
        line->done(line->cookie, error);
}

/* All of the group is durable. */
static void settle(struct audit_writer *writer, struct group *group)
{
    audit_queue_settled(writer->queue, group->handed);
    writer->settled = writer->chain;
    writer->settled_seq = writer->seq;
    end_trouble(writer);
    for (struct audit_line *line = group->first; line; line = line->next) {
        writer->records++;
        tell(line, NULL);
    }
    if (writer->second)
        second_take(writer->second, group->first);
    else
        audit_lines_free(group->first);
    *group = (struct group){0};
}

/* One line of a group that the file did not take: to the journal, or lost. */
static void divert_line(struct audit_writer *writer, struct audit_line *line)
{
    struct err err;
    if (line->origin == LINE_OF_FILE)
        return;
    if (send_to_journal(writer, line, &err) == 0) {
        tell(line, NULL);
        return;
    }
    count_losses(writer, 1);
    if (line->has_key)
        repeats_forget(writer->repeats, line->key);
    tell(line, writer->options->continue_on_failure ? NULL : &writer->trouble.cause);
}

static void divert(struct audit_writer *writer, struct group *group)
{
    audit_queue_settled(writer->queue, group->handed);
    for (struct audit_line *line = group->first; line; line = line->next)
        divert_line(writer, line);
    writer->settled_seq = writer->seq;
    audit_lines_free(group->first);
    *group = (struct group){0};
}

/* The group goes as it came: its numbers and links were those of the file. */
static void take_back(struct audit_writer *writer)
{
    writer->chain = writer->settled;
    writer->seq = writer->settled_seq;
}

/* Without those that had a meaning in a file that is gone. */
static struct audit_line *keep_for_another_file(struct audit_line *lines)
{
    struct audit_line *kept = NULL, **last = &kept;
    while (lines) {
        struct audit_line *line = lines;
        lines = line->next;
        line->next = NULL;
        if (line->origin == LINE_OF_FILE) {
            free(line);
            continue;
        }
        *last = line;
        last = &line->next;
    }
    return kept;
}

/* The file was deleted under the group, which goes into a new one. */
static int write_again(struct audit_writer *writer, struct group *group, struct err *err)
{
    struct audit_line *lines = keep_for_another_file(group->first);
    *group = (struct group){0};
    take_back(writer);
    int result = begin_group(writer, group, err);
    if (result == 0)
        result = write_more(writer, lines, err);
    if (lines)
        group_add(group, lines);
    if (result == 0)
        result = audit_file_commit(&writer->file, err);
    return result > 0
               ? err_set(err, "audit log %s: is deleted again and again", writer->options->path)
               : result;
}

/*
 * Adds what has come (NULL: nothing has) to the group; syncs and settles the group if it is time.
 * Records that nobody waits for are written at once and synced along with the next one that
 * somebody does wait for: a second record does not make the next pod wait for the disk twice.
 */
static void advance(struct audit_writer *writer, struct group *group, struct audit_line *lines)
{
    struct err err;
    bool tried = group->first || may_try_file(writer);
    int result = tried ? 0 : -1;
    if (tried && !group->first)
        result = begin_group(writer, group, &err);
    if (result == 0)
        result = write_more(writer, lines, &err);
    if (lines)
        group_add(group, lines);
    if (!group->first && result == 0)
        return;
    if (result == 0 && lines && !group->awaited && group->bytes < UNSYNCED_MAX &&
        !deadline_is_past(&group->deadline))
        return;
    if (result == 0)
        result = audit_file_commit(&writer->file, &err);
    if (result > 0)
        result = write_again(writer, group, &err);
    if (result == 0) {
        settle(writer, group);
        return;
    }
    take_back(writer);
    if (tried)
        note_failure(writer, &err);
    divert(writer, group);
}

/* For whoever looks; each time that something has changed. */
static void show(struct audit_writer *writer)
{
    const struct audit_trouble *trouble = &writer->trouble;
    struct audit_view view = {
        .sink = !trouble->now            ? AUDIT_TO_FILE
                : trouble->journal_fails ? AUDIT_TO_NOBODY
                                         : AUDIT_TO_JOURNAL,
        .seq = writer->settled_seq,
        .records = writer->records,
        .lost = writer->lost,
    };
    static_assert(sizeof(view.head) == sizeof(writer->settled.head), "one hash");
    memcpy(view.head, writer->settled.head, sizeof(view.head));
    audit_queue_show(writer->queue, &view);
}

/* --- the thread ---------------------------------------------------------------------------- */

static void at_least(struct timespec *deadline, const struct timespec *other)
{
    if (deadline_is_before(other, deadline))
        *deadline = *other;
}

static struct timespec next_deadline(const struct audit_writer *writer, const struct group *group)
{
    const struct audit_options *options = writer->options;
    struct timespec deadline = deadline_in(IDLE_SECONDS);
    if (options->heartbeat_s)
        at_least(&deadline, &writer->heartbeat);
    if (group->first)
        at_least(&deadline, &group->deadline);
    if (writer->trouble.now)
        at_least(&deadline, &writer->trouble.retry);
    if (options->repeat_window_s && options->repeat_window_s < IDLE_SECONDS) {
        struct timespec window = deadline_in(options->repeat_window_s);
        at_least(&deadline, &window);
    }
    return deadline;
}

static void *write_groups(void *cookie)
{
    struct audit_writer *writer = cookie;
    struct group group = {0};
    struct audit_work work;
    do {
        struct timespec deadline = next_deadline(writer, &group);
        work = audit_queue_take(writer->queue, &deadline);
        writer->untold += work.lost;
        if (work.lines)
            advance(writer, &group, work.lines);
        struct audit_line *own = notices_due(writer, work.over);
        if (own)
            advance(writer, &group, own);
        bool due = group.first ? work.over || work.reopen || deadline_is_past(&group.deadline)
                               : writer->trouble.now && deadline_is_past(&writer->trouble.retry);
        if (due || (work.over && writer->untold))
            advance(writer, &group, NULL);
        if (work.reopen) {
            audit_file_reopen(&writer->file);
            if (writer->second)
                second_reopen(writer->second);
            advance(writer, &group, NULL);
        }
        show(writer);
    } while (!work.over);
    return NULL;
}

int audit_writer_start(struct audit_writer *writer, struct err *err)
{
    struct err cause;
    if (chain_begin(&writer->chain, (struct str){0}, err) < 0)
        return -1;
    writer->settled = writer->chain;
    writer->started = deadline_in(0);
    writer->rotation = writer->started;
    writer->heartbeat = deadline_in(writer->options->heartbeat_s);
    /* Who starts a gate sees at once that its log cannot be written. */
    if (audit_file_open(&writer->file, &cause) < 0)
        note_failure(writer, &cause);
    show(writer);
    return thread_start(&writer->thread, "audit", write_groups, writer, err);
}

void audit_writer_stop(struct audit_writer *writer)
{
    pthread_join(writer->thread, NULL);
    if (writer->trouble.lost)
        say_warn("audit log %s: closed; records lost: %" PRIu64, writer->options->path,
                 writer->trouble.lost);
    audit_file_close(&writer->file);
    audit_journal_close(&writer->sink);
}
