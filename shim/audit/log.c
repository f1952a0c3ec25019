/* SPDX-License-Identifier: Apache-2.0 */
/* Queues formatted records and makes them durable group by group on a thread of its own. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "audit/audit.h"
#include "audit/chain.h"
#include "audit/file.h"
#include "audit/line.h"
#include "base/say.h"

/* Bytes that wait for the disk: a decision's records are held up to the larger bound. Each call has
 * one or two of them, and the next one on its connection waits for them. */
#define DECISIONS_MAX ((size_t)64 * 1024 * 1024)
#define OTHERS_MAX ((size_t)8 * 1024 * 1024)
#define PARTS_MAX 256 /* lines a writev() */

/* What nobody waits for stays unsynced for so long at most, and up to so many bytes. */
#define SYNC_SECONDS 1
#define UNSYNCED_MAX ((size_t)256 * 1024)

struct audit {
    struct record_origin origin;

    pthread_mutex_t lock; /* over the next four */
    struct audit_line *first, **last;
    size_t queued; /* bytes handed over and not yet settled */
    uint64_t lost; /* records that failed since the file last could be written */
    bool stopping;
    pthread_cond_t work;

    /* The writer's own. */
    struct audit_file file;
    struct chain chain, settled; /* with what is being written, and without */
    uint64_t seq;                /* the last one given */
    bool failing;
    pthread_t writer;

    char *path, *node;
};

/* What the writer holds: written, or about to be, and not yet synced. */
struct group {
    struct audit_line *first, **last;
    size_t bytes;
    bool awaited;             /* somebody waits for one of its records */
    struct timespec deadline; /* to be synced by then; CLOCK_MONOTONIC */
};

static bool is_past(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* All that is queued; waits for it, with something unsynced in hand only to its deadline. NULL: the
 * deadline has come, or the log is being closed and nothing is left. */
static struct audit_line *take_lines(struct audit *audit, const struct group *group)
{
    int timed_out = 0;
    pthread_mutex_lock(&audit->lock);
    while (!audit->first && !audit->stopping && !timed_out) {
        if (group->first)
            timed_out = pthread_cond_timedwait(&audit->work, &audit->lock, &group->deadline);
        else
            pthread_cond_wait(&audit->work, &audit->lock);
    }
    struct audit_line *lines = audit->first;
    audit->first = NULL;
    audit->last = &audit->first;
    pthread_mutex_unlock(&audit->lock);
    return lines;
}

static void add_to_group(struct group *group, struct audit_line *lines)
{
    if (!group->first) {
        *group = (struct group){.last = &group->first};
        clock_gettime(CLOCK_MONOTONIC, &group->deadline);
        group->deadline.tv_sec += SYNC_SECONDS;
    }
    *group->last = lines;
    for (; lines; lines = lines->next) {
        group->bytes += audit_line_size(lines);
        group->awaited |= lines->done != NULL;
        group->last = &lines->next;
    }
}

/* Numbers are given once, links anew for each sink. */
static int seal_lines(struct audit *audit, struct audit_line *lines, struct err *err)
{
    for (; lines; lines = lines->next) {
        if (lines->seq == 0)
            lines->seq = ++audit->seq;
        if (chain_seal(&audit->chain, lines, err) < 0)
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

/* Says once that records are being lost, and once, with their number, that it is over. */
static void report(struct audit *audit, uint64_t lost, const struct err *error)
{
    if (error && !audit->failing)
        say_error("%s; records are lost until it can be written", error->text);
    else if (!error && (audit->failing || lost))
        say_warn("audit log %s: can be written again; records lost: %" PRIu64, audit->path, lost);
    audit->failing = error != NULL;
}

/* Tells each record of the group how it went, and frees it. `error` NULL: it is durable. */
static void settle(struct audit *audit, struct group *group, const struct err *error)
{
    size_t count = 0;
    for (const struct audit_line *line = group->first; line; line = line->next)
        count++;
    pthread_mutex_lock(&audit->lock);
    audit->queued -= group->bytes;
    uint64_t lost = audit->lost;
    audit->lost = error ? lost + count : 0;
    pthread_mutex_unlock(&audit->lock);

    report(audit, lost, error);
    while (group->first) {
        OWNED_MEM struct audit_line *line = group->first;
        group->first = line->next;
        if (line->done)
            line->done(line->cookie, error);
    }
}

/* Adds what has come (NULL: nothing has) to the group; syncs and settles the group if it is time.
 * Records that nobody waits for are written at once and synced along with the next one that
 * somebody does wait for: a second record does not make the next pod wait for the disk twice. */
static void advance(struct audit *audit, struct group *group, struct audit_line *lines)
{
    struct err err;
    int result = group->first ? 0 : audit_file_begin(&audit->file, &err);
    if (result == 0)
        result = seal_lines(audit, lines, &err);
    if (result == 0)
        result = write_lines(&audit->file, lines, &err);
    add_to_group(group, lines);
    if (result == 0 && lines && !group->awaited && group->bytes < UNSYNCED_MAX &&
        !is_past(&group->deadline))
        return;
    if (result == 0)
        result = audit_file_commit(&audit->file, &err);
    *(result < 0 ? &audit->chain : &audit->settled) =
        *(result < 0 ? &audit->settled : &audit->chain);
    settle(audit, group, result < 0 ? &err : NULL);
}

static void *write_groups(void *cookie)
{
    struct audit *audit = cookie;
    struct group group = {0};
    struct audit_line *lines;
    while ((lines = take_lines(audit, &group)) || group.first)
        advance(audit, &group, lines);
    return NULL;
}

/* Signals are for the main thread; a blocked SIGXFSZ leaves EFBIG to us instead of killing. */
static int start_writer(struct audit *audit, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&audit->writer, NULL, write_groups, audit);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set_errno(err, failed, "audit log: cannot start its thread");
    pthread_setname_np(audit->writer, "audit");
    return 0;
}

static int make_instance(char *text, struct err *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return err_set_errno(err, errno, "audit log: no random bytes");
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* All but the thread. */
static void audit_free(struct audit *audit)
{
    audit_file_close(&audit->file);
    pthread_cond_destroy(&audit->work);
    pthread_mutex_destroy(&audit->lock);
    free(audit->path);
    free(audit->node);
    free(audit);
}
DEFINE_OWNED(own_unstarted, struct audit, audit_free)

int audit_open(const struct audit_options *options, struct audit **audit, struct err *err)
{
    OWNED(own_unstarted) struct audit *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "audit log %s: out of memory", options->path);
    made->last = &made->first;
    made->file.fd = -1;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    made->path = strdup(options->path);
    made->node = strndup(options->node.data, options->node.len);
    if (!made->path || !made->node)
        return err_set(err, "audit log %s: out of memory", options->path);
    made->origin.node = (struct str){.data = made->node, .len = options->node.len};
    made->file.path = made->path;
    if (make_instance(made->origin.instance, err) < 0 ||
        chain_begin(&made->chain, (struct str){0}, err) < 0)
        return -1;
    made->settled = made->chain;

    struct err cause;
    if (audit_file_open(&made->file, &cause) < 0)
        report(made, 0, &cause);
    if (start_writer(made, err) < 0)
        return -1;
    *audit = steal_ptr(&made);
    return 0;
}

/* NULL when memory is out. */
static struct audit_line *make_line(struct audit *audit, const struct audit_event *event,
                                    struct err *err)
{
    char body[RECORD_BODY_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int length = record_body(&audit->origin, &now, event, body, err);
    if (length < 0)
        return NULL;
    struct audit_line *line = malloc(sizeof(*line) + RECORD_HEAD_MAX + (size_t)length);
    if (!line) {
        err_set(err, "audit log %s: out of memory", audit->path);
        return NULL;
    }
    *line = (struct audit_line){.length = (size_t)length};
    memcpy(line->text + RECORD_HEAD_MAX, body, (size_t)length);
    return line;
}

/* Queues `line`, or, when it is NULL or there is no room, counts it as lost. */
static enum audit_outcome hand_over(struct audit *audit, struct audit_line **line, size_t most,
                                    struct err *err)
{
    enum audit_outcome outcome = AUDIT_REFUSED;
    pthread_mutex_lock(&audit->lock);
    if (*line && audit->queued + audit_line_size(*line) > most) {
        err_set(err, "audit log %s: its queue of %zu bytes is full; the disk is too slow",
                audit->path, most);
    } else if (*line) {
        audit->queued += audit_line_size(*line);
        *audit->last = *line;
        audit->last = &(*line)->next;
        *line = NULL;
        pthread_cond_signal(&audit->work);
        outcome = AUDIT_QUEUED;
    }
    audit->lost += outcome == AUDIT_REFUSED;
    pthread_mutex_unlock(&audit->lock);
    return outcome;
}

enum audit_outcome audit_record(struct audit *audit, const struct audit_event *event,
                                audit_done_fn *done, void *cookie, struct err *err)
{
    OWNED_MEM struct audit_line *line = make_line(audit, event, err);
    if (line) {
        line->done = done;
        line->cookie = cookie;
    }
    return hand_over(audit, &line, event->stage ? DECISIONS_MAX : OTHERS_MAX, err);
}

void audit_close(struct audit *audit)
{
    if (!audit)
        return;
    pthread_mutex_lock(&audit->lock);
    audit->stopping = true;
    pthread_cond_signal(&audit->work);
    pthread_mutex_unlock(&audit->lock);
    pthread_join(audit->writer, NULL);
    if (audit->lost)
        say_warn("audit log %s: closed; records lost: %" PRIu64, audit->path, audit->lost);
    audit_free(audit);
}
