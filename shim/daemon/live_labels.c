/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources, told on two threads, become one snapshot under a lock; the loop takes it from
 * there. */
#include "daemon/live_labels.h"

#include <pthread.h>
#include <time.h>

#include "base/say.h"
#include "daemon/conflicts.h"
#include "daemon/label_changes.h"
#include "daemon/source.h"
#include "kubernetes/kubernetes.h"

#define REFUSED "pods that a rule on them could decide are refused"

struct live_labels {
    struct gate *gate;
    struct source file; /* its path is NULL: no source */
    bool refused;       /* the file holds something else than is known from it */
    struct kubernetes_options api;
    struct kubernetes *kubernetes; /* NULL: no source; set before the loop runs */

    pthread_mutex_t lock;                     /* over all below */
    struct node_labels *from_file, *from_api; /* NULL: no source */
    struct node_labels *newest;               /* what the loop has, or will have */
    bool running;                             /* the loop may be told */
    struct conflicts conflicts;
};

/* What the loop is told. Each has a message of its own: one may wait while the next is made. */
struct news {
    struct loop_op op;
    struct live_labels *live;
    struct node_labels *labels;
};

/* --- on the loop --------------------------------------------------------------------------- */

void live_labels_describe(const struct live_labels *live, struct audit_event *event)
{
    struct node_labels_origin origin = node_labels_origin(live->gate->labels);
    int64_t seen = live->kubernetes ? kubernetes_seen(live->kubernetes) : origin.seen;
    int64_t now = (int64_t)time(NULL);
    event->labels.source = origin.source;
    event->labels.known = node_labels_set(live->gate->labels) != NULL;
    event->labels.age_s = seen && now > seen ? (uint64_t)(now - seen) : 0;
}

static void tell(const struct live_labels *live, const struct label_set *before,
                 const struct label_set *after)
{
    size_t count = 0;
    OWNED_MEM struct audit_change *changes = label_changes_make(before, after, &count);
    struct audit_event event = {
        .type = "node.labels",
        .policy = live->gate->policy,
        .changes = changes,
        .change_count = changes ? count : 0,
    };
    live_labels_describe(live, &event);
    audit_record(live->gate->audit, &event, NULL, NULL, NULL);
    char text[1024];
    struct writer out = writer_make(text, sizeof(text));
    if (changes)
        label_changes_write(&out, changes, count);
    say_field("CRIGATE_EVENT=%s", after ? "labels-known" : "labels-unknown");
    say_field("CRIGATE_LABELS_SOURCE=%s", event.labels.source);
    if (!after)
        say_warn("node labels: not known any more; " REFUSED);
    else if (before && changes && !count)
        say_info("node labels: confirmed, as they were, from %s", event.labels.source);
    else
        say_info("node labels%s, from %s: %s", before ? "" : ": known now", event.labels.source,
                 count ? text : "none");
}

static void on_news(struct loop_op *op, bool ok)
{
    OWNED_MEM struct news *news = container_of(op, struct news, op);
    struct gate *gate = news->live->gate;
    (void)ok;
    OWNED(own_node_labels) struct node_labels *before = gate->labels;
    gate->labels = news->labels;
    tell(news->live, node_labels_set(before), node_labels_set(gate->labels));
}

/* --- on the sources' threads, with the lock ------------------------------------------------ */

static void unref(struct node_labels *labels)
{
    if (labels)
        node_labels_unref(labels);
}

/* One reference; NULL: memory is out. */
static struct node_labels *merge(struct live_labels *live)
{
    if (live->from_file && live->from_api) {
        conflicts_begin(&live->conflicts);
        return node_labels_merge(live->from_file, live->from_api, conflicts_add, &live->conflicts);
    }
    struct node_labels *only = live->from_file ? live->from_file : live->from_api;
    return only ? node_labels_ref(only) : node_labels_unknown();
}

/* What is known, or where it is known from, is not the same. */
static bool differ(const struct node_labels *a, const struct node_labels *b)
{
    const struct label_set *known = node_labels_set(a);
    if (!label_set_equal(known, node_labels_set(b)))
        return true;
    return known && strcmp(node_labels_origin(a).source, node_labels_origin(b).source) != 0;
}

/* Has the loop put in force what the sources say now, if that is something else. */
static void publish(struct live_labels *live)
{
    OWNED(own_node_labels) struct node_labels *merged = merge(live);
    OWNED_MEM struct news *news = calloc(1, sizeof(*news));
    if (!merged || !news) {
        say_error("node labels: memory is out; those in force stay");
        return;
    }
    if (!differ(live->newest, merged))
        return;
    node_labels_unref(live->newest);
    live->newest = node_labels_ref(merged);
    *news = (struct news){.op = {.done = on_news}, .live = live, .labels = steal_ptr(&merged)};
    loop_post(live->gate->loop, &steal_ptr(&news)->op);
}

/* Takes over `labels`. */
static void set_source(struct live_labels *live, struct node_labels **source,
                       struct node_labels *labels)
{
    pthread_mutex_lock(&live->lock);
    unref(*source);
    *source = labels;
    if (live->running)
        publish(live);
    pthread_mutex_unlock(&live->lock);
}

static void on_api(void *cookie, struct node_labels *labels)
{
    struct live_labels *live = cookie;
    set_source(live, &live->from_api, labels);
}

/* --- the file ------------------------------------------------------------------------------ */

/* What the file says, NULL where it says nothing new or nothing right; then `err` may say why. */
static struct node_labels *read_file(struct live_labels *live, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    OWNED(own_node_labels) struct node_labels *labels = NULL;
    struct str text;
    switch (source_look(&live->file, &arena, &text, err)) {
    case SOURCE_SAME:
    case SOURCE_UNREADABLE:
        return NULL;
    case SOURCE_GONE:
        return node_labels_unknown();
    case SOURCE_OTHER:
        if (node_labels_parse_file(live->file.path, text, &labels, err))
            return NULL;
        return steal_ptr(&labels);
    }
    return NULL;
}

void live_labels_look(struct live_labels *live, bool asked)
{
    struct err err = {0};
    if (!live->file.path)
        return;
    if (asked)
        source_forget(&live->file);
    struct node_labels *labels = read_file(live, &err);
    if (labels && err.text[0])
        say_warn("node labels: %s", err.text);
    else if (err.text[0])
        say_error("node labels not taken: %s; what was known before stays in force", err.text);
    else if (labels && live->refused)
        say_info("node labels: %s is right again", live->file.path);
    else if (asked)
        say_info("node labels: %s is read again", live->file.path);
    if (labels || err.text[0])
        live->refused = !labels;
    if (labels)
        set_source(live, &live->from_file, labels);
}

/* --- start and stop ------------------------------------------------------------------------ */

static int start_file(struct live_labels *live, struct err *reason, struct err *err)
{
    if (!live->file.path)
        return 0;
    live->from_file = read_file(live, reason);
    live->refused = !live->from_file;
    if (!live->from_file)
        live->from_file = node_labels_unknown();
    return live->from_file ? 0 : err_set(err, "node labels: out of memory");
}

static int start_api(struct live_labels *live, struct err *err)
{
    if (!live->api.kubeconfig)
        return 0;
    if (kubernetes_start(&live->api, on_api, live, &live->kubernetes, err) < 0)
        return -1;
    return 0;
}

/* The first labels in force need no message: nobody uses the gate yet. */
static int set_first(struct live_labels *live, struct err *reason, struct err *err)
{
    pthread_mutex_lock(&live->lock);
    live->newest = merge(live);
    if (live->newest)
        live->gate->labels = node_labels_ref(live->newest);
    pthread_mutex_unlock(&live->lock);
    if (!live->gate->labels)
        return err_set(err, "node labels: out of memory");
    if (node_labels_set(live->gate->labels))
        return 0;
    if (!live->file.path && !live->kubernetes)
        err_set(reason, "neither node.labels.file nor node.labels.kubernetes is set");
    else if (!reason->text[0])
        err_set(reason, "the API server has not told them yet");
    say_warn("the node's labels are not known: %s; " REFUSED, reason->text);
    return 0;
}

int live_labels_open(const struct settings *settings, struct gate *gate, struct live_labels **live,
                     struct err *err)
{
    OWNED(own_live_labels) struct live_labels *made = calloc(1, sizeof(*made));
    struct err reason = {0};
    if (!made)
        return err_set(err, "node labels: out of memory");
    pthread_mutex_init(&made->lock, NULL);
    made->gate = gate;
    made->file = (struct source){.path = settings->node_labels_file, .most = NODE_LABELS_FILE_MAX};
    made->api = (struct kubernetes_options){.kubeconfig = settings->kubeconfig,
                                            .node = settings->node_name,
                                            .cache = settings->labels_cache};
    if (start_file(made, &reason, err) < 0 || start_api(made, err) < 0 ||
        set_first(made, &reason, err) < 0)
        return -1;
    *live = steal_ptr(&made);
    return 0;
}

void live_labels_start(struct live_labels *live)
{
    pthread_mutex_lock(&live->lock);
    live->running = true;
    publish(live);
    pthread_mutex_unlock(&live->lock);
}

void live_labels_stop(struct live_labels *live)
{
    kubernetes_stop(live->kubernetes);
    live->kubernetes = NULL;
}

void live_labels_destroy(struct live_labels *live)
{
    if (!live)
        return;
    live_labels_stop(live);
    unref(live->from_file);
    unref(live->from_api);
    unref(live->newest);
    conflicts_free(&live->conflicts);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
