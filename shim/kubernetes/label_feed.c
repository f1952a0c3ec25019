/* SPDX-License-Identifier: Apache-2.0 */
/* Turns news of a Node into changes of labels, and remembers the last in the cache file. */
#include "kubernetes/label_feed.h"

#include <time.h>

#include "base/say.h"
#include "kubernetes/label_cache.h"

/* How much older than the truth the cache file's age may be. */
#define KEPT_LATE_S 300

static int64_t wall_clock(void)
{
    return (int64_t)time(NULL);
}

/* --- the cache file ---------------------------------------------------------------------- */

static void complain(struct label_feed *feed, const struct err *err)
{
    if (!feed->cache_failed)
        say_warn("node labels: the cache %s; after a restart they are unknown until the API server "
                 "answers",
                 err->text);
    feed->cache_failed = true;
}

static void drop_cache(struct label_feed *feed)
{
    struct err err = {0};
    if (!feed->options->cache)
        return;
    if (label_cache_remove(feed->options->cache, &err))
        complain(feed, &err);
    else
        feed->kept = 0;
}

/* Labels that have changed must not come back after a restart: no file is better than that. */
static void keep(struct label_feed *feed, bool is_change)
{
    struct err err = {0};
    const struct kubernetes_options *options = feed->options;
    int64_t seen = feed->seen;
    if (!options->cache)
        return;
    if (label_cache_write(options->cache, options->node, node_labels_set(feed->labels), seen,
                          &err)) {
        complain(feed, &err);
        if (is_change)
            drop_cache(feed);
        return;
    }
    if (feed->cache_failed)
        say_info("node labels: the cache %s is written again", options->cache);
    feed->cache_failed = false;
    feed->kept = seen;
}

/* --- begin ------------------------------------------------------------------------------- */

/* "3 hours" and the like. */
static void write_age(int64_t seconds, char *text, size_t size)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t unit = 0;
    while (unit < 3 && seconds < units[unit].seconds)
        unit++;
    long long count = (long long)(seconds / units[unit].seconds);
    snprintf(text, size, "%lld %s%s", count, units[unit].name, count == 1 ? "" : "s");
}

void label_feed_age(const struct label_feed *feed, char *text, size_t size)
{
    int64_t now = wall_clock(), seen = feed->seen;
    write_age(now > seen ? now - seen : 0, text, size);
}

static void read_cache(struct label_feed *feed)
{
    struct err err = {0};
    char age[LABEL_FEED_AGE_SIZE];
    int64_t now = wall_clock();
    const char *path = feed->options->cache;
    switch (label_cache_read(path, feed->options->node, now, &feed->labels, &err)) {
    case LABEL_CACHE_READ:
        break;
    case LABEL_CACHE_WRONG:
        say_warn("node labels: the cache is not used: %s", err.text);
        return;
    case LABEL_CACHE_MISSING:
        return;
    }
    feed->kept = node_labels_origin(feed->labels).seen;
    feed->seen = feed->kept;
    label_feed_age(feed, age, sizeof(age));
    say_info("node labels: %zu from the cache %s, confirmed %s ago, until the API server answers",
             node_labels_set(feed->labels)->count, path, age);
}

int label_feed_begin(struct label_feed *feed, struct err *err)
{
    if (feed->options->cache)
        read_cache(feed);
    if (!feed->labels)
        feed->labels = node_labels_unknown();
    if (!feed->labels)
        return err_set(err, "memory is out");
    feed->changed(feed->cookie, node_labels_ref(feed->labels));
    return 0;
}

void label_feed_free(struct label_feed *feed)
{
    if (feed->labels)
        node_labels_unref(feed->labels);
    feed->labels = NULL;
}

/* --- news -------------------------------------------------------------------------------- */

/* -1: memory is out; what was told last stays, and the next news try again. */
static int replace(struct label_feed *feed, const struct label_set *labels)
{
    struct node_labels_origin origin = {.source = "kubernetes", .seen = wall_clock()};
    struct node_labels *fresh = labels ? node_labels_make(labels, origin) : node_labels_unknown();
    if (!fresh) {
        say_error("node labels: a change is lost: memory is out");
        return -1;
    }
    node_labels_unref(feed->labels);
    feed->labels = fresh;
    feed->seen = origin.seen;
    feed->changed(feed->cookie, node_labels_ref(fresh));
    return 0;
}

void label_feed_take(struct label_feed *feed, const struct label_set *labels)
{
    if (label_set_equal(node_labels_set(feed->labels), labels)) {
        label_feed_confirm(feed);
        return;
    }
    if (replace(feed, labels))
        return;
    if (labels) {
        keep(feed, true);
        return;
    }
    say_warn("node labels: the API server has no Node %s (any more): they are unknown now",
             feed->options->node);
    drop_cache(feed);
}

/* What only the cache knew so far has another origin from now on. */
void label_feed_confirm(struct label_feed *feed)
{
    int64_t now = wall_clock();
    bool is_cached = strcmp(node_labels_origin(feed->labels).source, "cache") == 0;
    if (is_cached && replace(feed, node_labels_set(feed->labels)))
        return;
    feed->seen = now;
    if (node_labels_set(feed->labels) && (now - feed->kept >= KEPT_LATE_S || now < feed->kept))
        keep(feed, false);
}
