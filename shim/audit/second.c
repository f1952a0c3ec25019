/* SPDX-License-Identifier: Apache-2.0 */
/* Converts the lines of the log on a thread of its own and appends them to a second file. */
#include "audit/second.h"

#include <inttypes.h>
#include <string.h>

#include "audit/file.h"
#include "base/deadline.h"
#include "base/say.h"
#include "base/thread.h"

#define GROUP_LINES 64 /* lines a writev() */
#define RETRY_SECONDS 1
#define CALM_SECONDS 10 /* without a loss, and the trouble is over */
#define ROTATE_RETRY_SECONDS 60

/* What waits for the thread. */
struct queue {
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t work;
    struct audit_line *first, **last;
    size_t held;      /* bytes of the lines that wait or are being written */
    uint64_t dropped; /* lines that there was no room for, not yet taken */
    bool reopen, stopping;
};

struct work {
    struct audit_line *lines;
    uint64_t dropped;
    bool reopen, over;
};

struct second {
    struct queue queue;
    enum audit_format format;
    char *path;
    struct audit_options options; /* the path is this file's */
    pthread_t thread;

    /* The thread's own. */
    struct audit_file file;
    bool failing;      /* lines are being left out; the daemon's log has been told why */
    uint64_t left_out; /* since then */
    struct timespec retry, rotate, calm; /* CLOCK_MONOTONIC; not before */
};

/* Converted lines on their way into the file. */
struct group {
    struct iovec parts[GROUP_LINES];
    char *texts[GROUP_LINES]; /* owned; writing uses up the parts */
    size_t count;
    uint64_t seq; /* of the last line */
};

static void group_clear(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        free(group->texts[i]);
    group->count = 0;
}

/* --- the list ------------------------------------------------------------------------------ */

static void queue_init(struct queue *queue)
{
    *queue = (struct queue){.last = &queue->first};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->work, NULL);
}

static void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->lock);
}

void second_take(struct second *second, struct audit_line *lines)
{
    struct queue *queue = &second->queue;
    struct audit_line *refused = NULL;
    pthread_mutex_lock(&queue->lock);
    while (lines) {
        struct audit_line *line = lines;
        lines = line->next;
        bool fits = queue->held + audit_line_size(line) <= SECOND_MOST;
        line->next = fits ? NULL : refused;
        if (fits) {
            queue->held += audit_line_size(line);
            *queue->last = line;
            queue->last = &line->next;
        } else {
            queue->dropped++;
            refused = line;
        }
    }
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    audit_lines_free(refused);
}

void second_reopen(struct second *second)
{
    pthread_mutex_lock(&second->queue.lock);
    second->queue.reopen = true;
    pthread_cond_signal(&second->queue.work);
    pthread_mutex_unlock(&second->queue.lock);
}

static struct work take_work(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->dropped && !queue->reopen && !queue->stopping)
        pthread_cond_wait(&queue->work, &queue->lock);
    struct work work = {
        .lines = queue->first,
        .dropped = queue->dropped,
        .reopen = queue->reopen,
        .over = queue->stopping && !queue->first,
    };
    queue->first = NULL;
    queue->last = &queue->first;
    queue->dropped = 0;
    queue->reopen = false;
    pthread_mutex_unlock(&queue->lock);
    return work;
}

static void settle(struct queue *queue, size_t bytes)
{
    pthread_mutex_lock(&queue->lock);
    queue->held -= bytes;
    pthread_mutex_unlock(&queue->lock);
}

/* --- trouble ------------------------------------------------------------------------------- */

static void leave_out(struct second *second, uint64_t count, const char *why)
{
    if (count == 0)
        return;
    second->left_out += count;
    second->calm = deadline_in(CALM_SECONDS);
    if (second->failing)
        return;
    second->failing = true;
    say_warn("second audit file %s: %s; records are left out of it", second->path, why);
}

static void tell_left_out(struct second *second)
{
    say_warn("second audit file %s: records left out: %" PRIu64
             "; make them anew with crigate audit convert --to %s",
             second->path, second->left_out, audit_format_name(second->format));
    second->failing = false;
    second->left_out = 0;
}

/* --- the file ------------------------------------------------------------------------------ */

static void turn_file_over(struct second *second, uint64_t seq)
{
    struct timespec now;
    struct err err;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!audit_file_is_due(&second->file, now.tv_sec) || !deadline_is_past(&second->rotate))
        return;
    if (audit_file_rotate(&second->file, seq, &now, &err) < 0) {
        say_warn("%s; the file grows on", err.text);
        second->rotate = deadline_in(ROTATE_RETRY_SECONDS);
    }
}

/* Durable some time later, as the kernel likes. */
static int write_parts(struct second *second, struct group *group, struct err *err)
{
    struct audit_file_found found;
    if (audit_file_begin(&second->file, &found, err) < 0 ||
        audit_file_write(&second->file, group->parts, group->count, err) < 0)
        return -1;
    turn_file_over(second, group->seq);
    return 0;
}

static void write_group(struct second *second, struct group *group)
{
    struct err err;
    if (group->count == 0)
        return;
    if (second->file.fd < 0 && !deadline_is_past(&second->retry)) {
        leave_out(second, group->count, "cannot be written");
    } else if (write_parts(second, group, &err) < 0) {
        second->retry = deadline_in(RETRY_SECONDS);
        leave_out(second, group->count, err.text);
    }
    group_clear(group);
}

static void add_line(struct second *second, struct group *group, const struct audit_line *line)
{
    struct str native = {.data = line->text + line->start, .len = line->length};
    char *text;
    size_t length;
    struct err err;
    if (audit_convert(second->format, native, &text, &length, &err) < 0) {
        leave_out(second, 1, err.text);
        return;
    }
    group->texts[group->count] = text;
    group->parts[group->count++] = (struct iovec){.iov_base = text, .iov_len = length};
    group->seq = line->seq;
}

/* Frees the lines. */
static void write_lines(struct second *second, struct audit_line *lines)
{
    struct group group = {.count = 0};
    while (lines) {
        size_t bytes = 0;
        while (lines && group.count < GROUP_LINES) {
            OWNED_MEM struct audit_line *line = lines;
            lines = line->next;
            bytes += audit_line_size(line);
            add_line(second, &group, line);
        }
        write_group(second, &group);
        settle(&second->queue, bytes);
    }
}

/* --- the thread ---------------------------------------------------------------------------- */

static void *follow(void *cookie)
{
    struct second *second = cookie;
    struct work work;
    do {
        work = take_work(&second->queue);
        write_lines(second, work.lines);
        leave_out(second, work.dropped, "cannot keep up");
        if (second->failing && second->file.fd >= 0 && deadline_is_past(&second->calm))
            tell_left_out(second);
        if (work.reopen)
            audit_file_reopen(&second->file);
    } while (!work.over);
    return NULL;
}

/* "/var/log/audit.jsonl" is "/var/log/ecs-audit.jsonl": a name that no pattern for the log's own
 * files, such as audit*.jsonl, takes along. NULL: memory is out. */
static char *path_beside(const char *path, const char *word)
{
    const char *slash = strrchr(path, '/');
    int directory = (int)(slash ? slash + 1 - path : 0);
    char *made;
    return asprintf(&made, "%.*s%s-%s", directory, path, word, path + directory) < 0 ? NULL : made;
}

static void free_second(struct second *second)
{
    audit_file_close(&second->file);
    queue_destroy(&second->queue);
    free(second->path);
    free(second);
}
DEFINE_OWNED(own_half, struct second, free_second)

int second_open(const struct audit_options *options, enum audit_format format,
                struct second **second, struct err *err)
{
    struct err cause;
    struct second *allocated = calloc(1, sizeof(*allocated));
    if (!allocated)
        return err_set(err, "second audit file: out of memory");
    OWNED(own_half) struct second *made = allocated;
    queue_init(&made->queue);
    made->format = format;
    made->path = path_beside(options->path, audit_format_name(format));
    made->options = *options;
    made->options.path = made->path;
    made->options.node = (struct str){0}; /* who opens it may free its strings */
    made->options.journal = NULL;
    made->file = audit_file_make(&made->options, made->path, audit_format_start(format));
    if (!made->path)
        return err_set(err, "second audit file: out of memory");
    if (audit_file_open(&made->file, &cause) < 0) {
        say_warn("second audit file %s: %s; it is tried again", made->path, cause.text);
        made->retry = deadline_in(RETRY_SECONDS);
    }
    if (thread_start(&made->thread, "audit-second", follow, made, err) < 0)
        return -1;
    *second = steal_ptr(&made);
    return 0;
}

void second_close(struct second *second)
{
    struct err err;
    if (!second)
        return;
    pthread_mutex_lock(&second->queue.lock);
    second->queue.stopping = true;
    pthread_cond_signal(&second->queue.work);
    pthread_mutex_unlock(&second->queue.lock);
    pthread_join(second->thread, NULL);
    if (second->file.fd >= 0 && audit_file_commit(&second->file, &err) < 0)
        say_warn("second audit file %s: not synced: %s", second->path, err.text);
    if (second->left_out)
        tell_left_out(second);
    free_second(second);
}
