/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded list of lines under a lock, with a condition that the writer sleeps on. */
#include "audit/queue.h"

void audit_queue_init(struct audit_queue *queue)
{
    *queue = (struct audit_queue){.last = &queue->first};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void audit_queue_destroy(struct audit_queue *queue)
{
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->lock);
}

bool audit_queue_put(struct audit_queue *queue, struct audit_line **line, size_t most)
{
    pthread_mutex_lock(&queue->lock);
    bool taken = *line && queue->held + audit_line_size(*line) <= most;
    if (taken) {
        queue->held += audit_line_size(*line);
        *queue->last = *line;
        queue->last = &(*line)->next;
        *line = NULL;
        pthread_cond_signal(&queue->work);
    }
    queue->lost += !taken;
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void audit_queue_reopen(struct audit_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->reopen = true;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}

void audit_queue_stop(struct audit_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}

struct audit_work audit_queue_take(struct audit_queue *queue, const struct timespec *deadline)
{
    int timed_out = 0;
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->reopen && !queue->stopping && !timed_out)
        timed_out = pthread_cond_timedwait(&queue->work, &queue->lock, deadline);
    struct audit_work work = {
        .lines = queue->first,
        .lost = queue->lost,
        .reopen = queue->reopen,
        .over = queue->stopping && !queue->first,
    };
    queue->first = NULL;
    queue->last = &queue->first;
    queue->lost = 0;
    queue->reopen = false;
    pthread_mutex_unlock(&queue->lock);
    return work;
}

void audit_queue_settled(struct audit_queue *queue, size_t bytes)
{
    pthread_mutex_lock(&queue->lock);
    queue->held -= bytes;
    pthread_mutex_unlock(&queue->lock);
}

void audit_queue_show(struct audit_queue *queue, const struct audit_view *view)
{
    pthread_mutex_lock(&queue->lock);
    queue->view = *view;
    pthread_mutex_unlock(&queue->lock);
}

void audit_queue_look(struct audit_queue *queue, struct audit_view *view)
{
    pthread_mutex_lock(&queue->lock);
    *view = queue->view;
    view->queued = queue->held;
    pthread_mutex_unlock(&queue->lock);
}
