/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a session with the API server, one after the other: when the next one begins, and what a
 * person is told of it. */
#include "kubernetes/kubernetes.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/label_syntax.h"
#include "base/say.h"
#include "base/thread.h"
#include "config/diag.h"
#include "config/kubeconfig.h"
#include "kubernetes/api_client.h"
#include "kubernetes/label_feed.h"
#include "kubernetes/node_watch.h"

/* The wait before the next request: half of it for certain, half of it by chance, twice as long
 * after each failure in a row. */
#define WAIT_FIRST_MS 200
#define WAIT_MOST_MS 30000
/* Before the kubeconfig and its files are read again, once one was missing or wrong: a node that
 * joins its cluster gets them at any time, and looking costs nobody else anything. */
#define WAIT_FILES_MS 1000
/* A watch that was open for so long was no failure. */
#define STEADY_MS 10000
/* An outage is told at its begin, and again now and then. */
#define REMIND_MS (10 * 60 * 1000)

struct kubernetes {
    struct kubernetes_options options;
    struct label_feed feed;
    pthread_t thread;
    int stop_fd;
    /* the thread's own */
    unsigned failures; /* in a row */
    bool listing;
    bool connected;     /* at some time */
    int64_t lost_since; /* api_client_now(); 0: not lost */
    int64_t lost_told;
    struct err lost_for; /* the files' fault told last */
};

/* --- what is told ------------------------------------------------------------------------ */

static void say_lost(struct kubernetes *kubernetes, const struct err *err)
{
    int64_t now = api_client_now();
    char age[LABEL_FEED_AGE_SIZE];
    if (kubernetes->lost_since && now - kubernetes->lost_told < REMIND_MS)
        return;
    if (!kubernetes->lost_since)
        kubernetes->lost_since = now;
    kubernetes->lost_told = now;
    if (!node_labels_set(kubernetes->feed.labels)) {
        say_warn("node labels: they are unknown: %s; trying again", err->text);
        return;
    }
    label_feed_age(&kubernetes->feed, age, sizeof(age));
    say_warn("node labels: those last seen stay in force, confirmed %s ago: %s; trying again", age,
             err->text);
}

/* Whoever puts the files right sees at once what is wrong with them next. */
static void say_no_access(struct kubernetes *kubernetes, const struct err *err)
{
    if (strcmp(kubernetes->lost_for.text, err->text) != 0)
        kubernetes->lost_told = api_client_now() - REMIND_MS;
    kubernetes->lost_for = *err;
    say_lost(kubernetes, err);
}

static void say_connected(struct kubernetes *kubernetes, const struct node_watch *watch)
{
    const struct label_set *labels = node_labels_set(kubernetes->feed.labels);
    if (kubernetes->connected)
        return;
    kubernetes->connected = true;
    kubernetes->lost_since = 0;
    if (labels)
        say_info("node labels: %zu of Node %s, watched at %s", labels->count,
                 kubernetes->options.node, node_watch_server(watch));
    else
        say_warn("node labels: there is no Node %s at %s yet: they are unknown",
                 kubernetes->options.node, node_watch_server(watch));
}

/* The watch is of use: not said at a list, behind which watches may still fail one by one. */
static void say_back(struct kubernetes *kubernetes)
{
    if (kubernetes->lost_since && !kubernetes->listing) {
        say_info("node labels: the API server is back after %lld s",
                 (long long)(api_client_now() - kubernetes->lost_since) / 1000);
        kubernetes->lost_since = 0;
    }
}

/* --- news -------------------------------------------------------------------------------- */

static void on_labels(void *cookie, const struct label_set *labels)
{
    struct kubernetes *kubernetes = cookie;
    label_feed_take(&kubernetes->feed, labels);
    say_back(kubernetes);
}

static void on_confirmed(void *cookie)
{
    struct kubernetes *kubernetes = cookie;
    label_feed_confirm(&kubernetes->feed);
    say_back(kubernetes);
}

static void on_steady(void *cookie)
{
    say_back(cookie);
}

/* --- the thread -------------------------------------------------------------------------- */

/* How long to wait now; each wait counts as a failure until a steady watch says otherwise. */
static int64_t next_wait(struct kubernetes *kubernetes, int64_t retry_after)
{
    unsigned doublings = kubernetes->failures < 8 ? kubernetes->failures : 8;
    uint32_t most = (uint32_t)WAIT_FIRST_MS << doublings;
    if (most > WAIT_MOST_MS)
        most = WAIT_MOST_MS;
    int64_t wait = most / 2 + arc4random_uniform(most / 2 + 1);
    if (retry_after > WAIT_MOST_MS / 1000)
        retry_after = WAIT_MOST_MS / 1000;
    kubernetes->failures++;
    return wait > retry_after * 1000 ? wait : retry_after * 1000;
}

/* False: it is time to stop. */
static bool pause_for(const struct kubernetes *kubernetes, int64_t wait_ms)
{
    struct pollfd stop = {.fd = kubernetes->stop_fd, .events = POLLIN};
    int64_t end = api_client_now() + wait_ms;
    for (;;) {
        int64_t left = end - api_client_now();
        int ready = poll(&stop, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return false;
        if (left <= 0)
            return true;
    }
}

/* Watch after watch, up to the first that does not end as it should. */
static enum node_watch_end follow(struct kubernetes *kubernetes, struct node_watch *watch,
                                  struct err *err)
{
    for (;;) {
        int64_t begun = api_client_now();
        enum node_watch_end end = node_watch_follow(watch, err);
        if (api_client_now() - begun >= STEADY_MS)
            kubernetes->failures = 0;
        if (end != NODE_WATCH_OVER)
            return end;
        if (!pause_for(kubernetes, next_wait(kubernetes, node_watch_retry_after(watch))))
            return NODE_WATCH_STOPPED;
    }
}

static enum node_watch_end list_and_follow(struct kubernetes *kubernetes, struct node_watch *watch,
                                           struct err *err)
{
    kubernetes->listing = true;
    enum node_watch_end end = node_watch_list(watch, err);
    kubernetes->listing = false;
    if (end != NODE_WATCH_OVER)
        return end;
    say_connected(kubernetes, watch);
    return follow(kubernetes, watch, err);
}

/* One session and the wait behind it. False: it is time to stop. */
static bool run_session(struct kubernetes *kubernetes)
{
    struct node_watch_options options = {
        .kubeconfig = kubernetes->options.kubeconfig,
        .node = kubernetes->options.node,
        .stop_fd = kubernetes->stop_fd,
        .listener = {.labels = on_labels,
                     .confirmed = on_confirmed,
                     .steady = on_steady,
                     .cookie = kubernetes},
    };
    struct err err = {0};
    int64_t retry_after = 0;
    enum node_watch_end end;
    {
        OWNED(own_node_watch) struct node_watch *watch = NULL;
        if (node_watch_open(&options, &watch, &err)) {
            say_no_access(kubernetes, &err);
            return pause_for(kubernetes, WAIT_FILES_MS);
        }
        kubernetes->lost_for.text[0] = '\0';
        end = list_and_follow(kubernetes, watch, &err);
        retry_after = node_watch_retry_after(watch);
    }
    if (end == NODE_WATCH_STOPPED)
        return false;
    /* A version that is too old is usual, and a new list mends it: at once, but once. */
    bool is_usual = end == NODE_WATCH_EXPIRED && kubernetes->failures == 0;
    if (end == NODE_WATCH_LOST || (end == NODE_WATCH_EXPIRED && !is_usual))
        say_lost(kubernetes, &err);
    int64_t wait = next_wait(kubernetes, retry_after);
    return pause_for(kubernetes, is_usual ? 0 : wait);
}

static void *run(void *cookie)
{
    while (run_session(cookie))
        ;
    return NULL;
}

/* --- start and stop ---------------------------------------------------------------------- */

static int check_kubeconfig(const char *path, struct err *err)
{
    OWNED_DIAGS struct diags diags = {0};
    struct kubeconfig config = {0};
    enum kubeconfig_outcome outcome = kubeconfig_load(path, &diags, &config);
    if (outcome == KUBECONFIG_WRONG)
        return diags_first(&diags, err);
    if (outcome == KUBECONFIG_READ)
        kubeconfig_free(&config);
    if (diags.count)
        diags_print(&diags, stderr);
    return 0;
}

static int check_options(const struct kubernetes_options *options, struct err *err)
{
    const char *fault = dns_name_fault(str_of(options->node));
    if (fault)
        return err_set(err, "node.name %s, so the API server has no such Node", fault);
    if (check_kubeconfig(options->kubeconfig, err))
        return -1;
    return api_client_load(err);
}

static void destroy(struct kubernetes *kubernetes)
{
    label_feed_free(&kubernetes->feed);
    if (kubernetes->stop_fd >= 0)
        close(kubernetes->stop_fd);
    free(kubernetes);
}
DEFINE_OWNED(own_parts, struct kubernetes, destroy)

int kubernetes_start(const struct kubernetes_options *options, kubernetes_fn *changed, void *cookie,
                     struct kubernetes **kubernetes, struct err *err)
{
    if (check_options(options, err))
        return -1;
    OWNED(own_parts) struct kubernetes *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "memory is out");
    made->options = *options;
    made->feed.options = &made->options;
    made->feed.changed = changed;
    made->feed.cookie = cookie;
    made->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (made->stop_fd < 0)
        return err_set_errno(err, errno, "an event descriptor");
    if (label_feed_begin(&made->feed, err) ||
        thread_start(&made->thread, "node-labels", run, made, err))
        return -1;
    *kubernetes = steal_ptr(&made);
    return 0;
}

int64_t kubernetes_seen(const struct kubernetes *kubernetes)
{
    return kubernetes->feed.seen;
}

void kubernetes_stop(struct kubernetes *kubernetes)
{
    if (!kubernetes)
        return;
    uint64_t one = 1;
    ssize_t ignored = write(kubernetes->stop_fd, &one, sizeof(one));
    (void)ignored; /* the counter is far from full */
    pthread_join(kubernetes->thread, NULL);
    destroy(kubernetes);
}
