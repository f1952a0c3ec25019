/* SPDX-License-Identifier: Apache-2.0 */
/* Records on their way from those who hand them over to the one thread that writes them. */
#ifndef CRIGATE_AUDIT_QUEUE_H
#define CRIGATE_AUDIT_QUEUE_H

#include <pthread.h>

#include "audit/audit.h"
#include "audit/line.h"

/* Bytes of lines that wait for the disk, at most. */
#define AUDIT_QUEUE_MAX ((size_t)64 * 1024 * 1024)

struct audit_queue {
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t work;
    struct audit_line *first, **last;
    size_t held;   /* bytes handed over and not yet settled */
    uint64_t lost; /* records that there was no room or no memory for, not yet taken */
    bool reopen, stopping;
    struct audit_view view; /* the writer's word; without `queued` */
};

/* What the writer finds. */
struct audit_work {
    struct audit_line *lines; /* in the order in which they came; the writer's now */
    uint64_t lost;            /* records that had no room since the last time */
    bool reopen;
    bool over; /* the log is being closed, and nothing is left */
};

void audit_queue_init(struct audit_queue *queue);
void audit_queue_destroy(struct audit_queue *queue);

/* Takes `*line` over and makes it NULL, unless more than `most` bytes would then be held, or there
 * is none: then it is counted as lost, and false. Any thread. */
bool audit_queue_put(struct audit_queue *queue, struct audit_line **line, size_t most);

void audit_queue_reopen(struct audit_queue *queue);
void audit_queue_stop(struct audit_queue *queue);

/* Waits for something to do, or for `deadline` (CLOCK_MONOTONIC). The writer only. */
struct audit_work audit_queue_take(struct audit_queue *queue, const struct timespec *deadline);

/* What the writer has to tell, for whoever looks. */
void audit_queue_show(struct audit_queue *queue, const struct audit_view *view);
void audit_queue_look(struct audit_queue *queue, struct audit_view *view);

/* So many bytes of what was taken are settled. The writer only. */
void audit_queue_settled(struct audit_queue *queue, size_t bytes);

#endif
