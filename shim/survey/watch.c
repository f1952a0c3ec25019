/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that asks, the answer that it hands over, and the one that was looked at. */
#include "survey/watch.h"

#include <stdlib.h>

#include "base/deadline.h"
#include "base/thread.h"

#define PERIOD_MS 10000

/* Nobody waits for it; a containerd that is busy starting pods may take its time. */
#define TIMEOUT_MS 5000

/* A question and what came of it. */
struct outcome {
    int64_t asked; /* milliseconds, CLOCK_MONOTONIC */
    bool failed;
    struct err err;             /* if it failed */
    struct sandbox_query query; /* if not */
};

struct survey_watch {
    const char *socket;
    pthread_t thread;
    struct sandbox_query_brake brake;

    pthread_mutex_t lock; /* over all below, until the next empty line */
    pthread_cond_t wanted;
    bool busy; /* a question is wanted, or on its way */
    bool over;
    bool has_news;
    struct outcome news; /* not looked at yet */

    struct outcome told; /* the last that did not fail; the looker's, as what follows */
    bool has_told, failed;
    struct err err;
    int64_t asked; /* last */
    bool has_asked;
};

/* --- the thread that asks ------------------------------------------------------------------ */

static void ask(struct survey_watch *watch, struct outcome *outcome)
{
    const struct sandbox_query_options options = {
        .socket = watch->socket, .timeout_ms = TIMEOUT_MS, .brake = &watch->brake};
    *outcome = (struct outcome){.asked = deadline_now_ms()};
    outcome->failed = sandbox_query_run(&options, &outcome->query, &outcome->err) < 0;
}

static void *run(void *cookie)
{
    struct survey_watch *watch = cookie;
    struct outcome outcome;
    pthread_mutex_lock(&watch->lock);
    for (;;) {
        while (!watch->busy && !watch->over)
            pthread_cond_wait(&watch->wanted, &watch->lock);
        if (watch->over)
            break;
        pthread_mutex_unlock(&watch->lock);
        ask(watch, &outcome);
        pthread_mutex_lock(&watch->lock);
        watch->news = outcome;
        watch->has_news = true;
        watch->busy = false;
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

/* --- the looker ---------------------------------------------------------------------------- */

/* Under the lock. There are no more news until another question was wanted. */
static void take_news(struct survey_watch *watch)
{
    if (!watch->has_news)
        return;
    watch->has_news = false;
    watch->failed = watch->news.failed;
    if (watch->news.failed) {
        watch->err = watch->news.err;
        return;
    }
    sandbox_query_free(&watch->told.query);
    watch->told = watch->news;
    watch->has_told = true;
}

/* Under the lock. */
static void want_news(struct survey_watch *watch, int64_t now)
{
    if (watch->busy || (watch->has_asked && now - watch->asked < PERIOD_MS))
        return;
    watch->asked = now;
    watch->has_asked = true;
    watch->busy = true;
    pthread_cond_signal(&watch->wanted);
}

void survey_watch_look(struct survey_watch *watch, struct survey_view *view)
{
    int64_t now = deadline_now_ms();
    pthread_mutex_lock(&watch->lock);
    take_news(watch);
    want_news(watch, now);
    pthread_mutex_unlock(&watch->lock);
    int64_t age = watch->has_told ? now - watch->told.asked : 0;
    *view = (struct survey_view){
        .query = watch->has_told ? &watch->told.query : NULL,
        .age_s = age > 0 ? (uint64_t)age / 1000 : 0,
        .trouble = watch->failed ? watch->err.text : NULL,
    };
}

/* --- start and end ------------------------------------------------------------------------- */

static void free_watch(struct survey_watch *watch)
{
    if (watch->has_news)
        sandbox_query_free(&watch->news.query);
    sandbox_query_free(&watch->told.query);
    pthread_cond_destroy(&watch->wanted);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

int survey_watch_start(const char *socket, struct survey_watch **watch, struct err *err)
{
    struct survey_watch *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "the survey of sandboxes: out of memory");
    *made = (struct survey_watch){.socket = socket,
                                  .brake = SANDBOX_QUERY_BRAKE,
                                  .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .wanted = PTHREAD_COND_INITIALIZER};
    if (thread_start(&made->thread, "survey", run, made, err) < 0) {
        free_watch(made);
        return -1;
    }
    *watch = made;
    return 0;
}

void survey_watch_destroy(struct survey_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->over = true;
    pthread_cond_signal(&watch->wanted);
    pthread_mutex_unlock(&watch->lock);
    sandbox_query_brake(&watch->brake);
    pthread_join(watch->thread, NULL);
    free_watch(watch);
}
