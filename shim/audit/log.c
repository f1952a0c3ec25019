/* SPDX-License-Identifier: Apache-2.0 */
/* Queues formatted records and makes them durable group by group on a thread of its own. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "audit/audit.h"
#include "audit/file.h"
#include "audit/record.h"
#include "base/say.h"

#define QUEUE_MAX ((size_t)8 * 1024 * 1024)
#define PARTS_MAX 256 /* lines a writev() */

struct line {
    struct line *next;
    audit_done_fn *done;
    void *cookie;
    size_t len;
    char text[];
};

struct audit {
    struct record_origin origin;

    /* Held from taking a seq until its line is queued: the file is in the order of seq. */
    pthread_mutex_t order;
    uint64_t seq; /* the last one taken */

    pthread_mutex_t lock; /* over the next four */
    struct line *first, **last;
    size_t queued; /* bytes handed over and not yet settled */
    uint64_t lost; /* records that failed since the file last could be written */
    bool stopping;
    pthread_cond_t work;

    /* The writer's own. */
    struct audit_file file;
    bool failing;
    pthread_t writer;

    char *path, *node;
};

/* All that is queued; waits for it. NULL: nothing is left and the log is being closed. */
static struct line *take_group(struct audit *audit)
{
    pthread_mutex_lock(&audit->lock);
    while (!audit->first && !audit->stopping)
        pthread_cond_wait(&audit->work, &audit->lock);
    struct line *group = audit->first;
    audit->first = NULL;
    audit->last = &audit->first;
    pthread_mutex_unlock(&audit->lock);
    return group;
}

static int write_group(struct audit_file *file, struct line *group, struct err *err)
{
    struct iovec parts[PARTS_MAX];
    if (audit_file_begin(file, err) < 0)
        return -1;
    while (group) {
        size_t count = 0;
        for (; group && count < PARTS_MAX; group = group->next)
            parts[count++] = (struct iovec){.iov_base = group->text, .iov_len = group->len};
        if (audit_file_write(file, parts, count, err) < 0)
            return -1;
    }
    return audit_file_commit(file, err);
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
static void settle_group(struct audit *audit, struct line *group, const struct err *error)
{
    size_t bytes = 0, count = 0;
    for (const struct line *line = group; line; line = line->next) {
        bytes += line->len;
        count++;
    }
    pthread_mutex_lock(&audit->lock);
    audit->queued -= bytes;
    uint64_t lost = audit->lost;
    audit->lost = error ? lost + count : 0;
    pthread_mutex_unlock(&audit->lock);

    report(audit, lost, error);
    while (group) {
        OWNED_MEM struct line *line = group;
        group = line->next;
        if (line->done)
            line->done(line->cookie, error);
    }
}

static void *write_groups(void *cookie)
{
    struct audit *audit = cookie;
    struct line *group;
    while ((group = take_group(audit))) {
        struct err err;
        bool durable = write_group(&audit->file, group, &err) == 0;
        settle_group(audit, group, durable ? NULL : &err);
    }
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
    pthread_mutex_destroy(&audit->order);
    free(audit->path);
    free(audit->node);
    free(audit);
}
DEFINE_OWNED(own_unstarted, struct audit, audit_free)

int audit_open(const char *path, struct str node, struct audit **audit, struct err *err)
{
    OWNED(own_unstarted) struct audit *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "audit log %s: out of memory", path);
    made->last = &made->first;
    made->file.fd = -1;
    pthread_mutex_init(&made->order, NULL);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work, NULL);
    made->path = strdup(path);
    made->node = malloc(node.len + 1);
    if (!made->path || !made->node)
        return err_set(err, "audit log %s: out of memory", path);
    if (node.len)
        memcpy(made->node, node.data, node.len);
    made->origin.node = (struct str){.data = made->node, .len = node.len};
    made->file.path = made->path;
    if (make_instance(made->origin.instance, err) < 0)
        return -1;

    struct err cause;
    if (audit_file_open(&made->file, &cause) < 0)
        report(made, 0, &cause);
    if (start_writer(made, err) < 0)
        return -1;
    *audit = steal_ptr(&made);
    return 0;
}

/* Takes the next seq and formats its line; NULL when memory is out. */
static struct line *make_line(struct audit *audit, const struct audit_event *event, struct err *err)
{
    char text[RECORD_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int len = record_format(&audit->origin, ++audit->seq, &now, event, text, err);
    if (len < 0)
        return NULL;
    struct line *line = malloc(sizeof(*line) + (size_t)len);
    if (!line) {
        err_set(err, "audit log %s: out of memory", audit->path);
        return NULL;
    }
    *line = (struct line){.len = (size_t)len};
    memcpy(line->text, text, (size_t)len);
    return line;
}

/* Queues `line`, or, when it is NULL or there is no room, counts it as lost. */
static int hand_over(struct audit *audit, struct line **line, struct err *err)
{
    int result = -1;
    pthread_mutex_lock(&audit->lock);
    if (*line && audit->queued + (*line)->len > QUEUE_MAX) {
        err_set(err, "audit log %s: its queue of %zu bytes is full; the disk is too slow",
                audit->path, QUEUE_MAX);
    } else if (*line) {
        audit->queued += (*line)->len;
        *audit->last = *line;
        audit->last = &(*line)->next;
        *line = NULL;
        pthread_cond_signal(&audit->work);
        result = 0;
    }
    audit->lost += result < 0;
    pthread_mutex_unlock(&audit->lock);
    return result;
}

int audit_record(struct audit *audit, const struct audit_event *event, audit_done_fn *done,
                 void *cookie, struct err *err)
{
    pthread_mutex_lock(&audit->order);
    OWNED_MEM struct line *line = make_line(audit, event, err);
    if (line) {
        line->done = done;
        line->cookie = cookie;
    }
    int result = hand_over(audit, &line, err);
    pthread_mutex_unlock(&audit->order);
    return result;
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
