/* SPDX-License-Identifier: Apache-2.0 */
/* The counters, and the table of decisions: series in the order in which they came up, found by a
 * hash table of their numbers with open addressing. */
#include "gate/stats.h"

#include <stdlib.h>

const uint32_t stats_bounds_us[STATS_BOUNDS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,     50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 100000000, 300000000};

/* A power of two, twice what is kept at least: a probe ends soon. */
#define CHAINS 4096
#define NO_SERIES UINT16_MAX

static void *copy_array(const void *items, size_t count, size_t size)
{
    void *copy = malloc(count * size);
    if (copy)
        memcpy(copy, items, count * size);
    return copy;
}

struct stats *stats_create(void)
{
    OWNED(own_stats) struct stats *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    method_table(&made->method_count);
    made->method_count++;
    made->methods = calloc(made->method_count, sizeof(*made->methods));
    made->series = calloc(STATS_SERIES_MAX + 1, sizeof(*made->series));
    made->chains = malloc(CHAINS * sizeof(*made->chains));
    made->recent = calloc(STATS_RECENT, sizeof(*made->recent));
    if (!made->methods || !made->series || !made->chains || !made->recent)
        return NULL;
    memset(made->chains, 0xff, CHAINS * sizeof(*made->chains));
    return steal_ptr(&made);
}

/* The texts of a series are one block, the rule's. */
void stats_destroy(struct stats *stats)
{
    if (!stats)
        return;
    for (size_t i = 0; i < stats->series_count; i++)
        free((char *)stats->series[i].like.rule.data);
    free(stats->methods);
    free(stats->series);
    free(stats->chains);
    free(stats->recent);
    free(stats);
}

/* --- decisions ----------------------------------------------------------------------------- */

/* -1: memory is out. */
static int set_texts(struct stats_decision *like, struct str rule, struct str runtime)
{
    char *block = malloc(rule.len + runtime.len + 1);
    if (!block)
        return -1;
    /* memcpy() of nothing wants pointers all the same, and an empty text may have none */
    if (rule.len)
        memcpy(block, rule.data, rule.len);
    if (runtime.len)
        memcpy(block + rule.len, runtime.data, runtime.len);
    like->rule = (struct str){block, rule.len};
    like->runtime = (struct str){block + rule.len, runtime.len};
    return 0;
}

static uint32_t hash_text(uint32_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash * 16777619u;
}

static uint32_t hash_of(const struct stats_decision *decision)
{
    uint32_t hash = 2166136261u ^ (uint32_t)(decision->kind << 16 | decision->action << 8) ^
                    (uint32_t)decision->reason;
    return hash_text(hash_text(hash * 16777619u, decision->rule), decision->runtime);
}

static bool is_like(const struct stats_decision *a, const struct stats_decision *b)
{
    return a->kind == b->kind && a->action == b->action && a->reason == b->reason &&
           str_eq(a->rule, b->rule) && str_eq(a->runtime, b->runtime);
}

/* NULL: there are too many, or memory is out. */
static struct stats_series *find_series(struct stats *stats, const struct stats_decision *decision,
                                        size_t most)
{
    uint32_t at = hash_of(decision) % CHAINS;
    while (stats->chains[at] != NO_SERIES) {
        struct stats_series *series = &stats->series[stats->chains[at]];
        if (is_like(&series->like, decision))
            return series;
        at = (at + 1) % CHAINS;
    }
    if (stats->series_count >= most)
        return NULL;
    struct stats_series *made = &stats->series[stats->series_count];
    *made = (struct stats_series){.like = *decision};
    if (set_texts(&made->like, decision->rule, decision->runtime) < 0)
        return NULL;
    stats->chains[at] = (uint16_t)stats->series_count++;
    return made;
}

static void count_decision(struct stats *stats, const struct stats_decision *decision)
{
    static const struct stats_decision other = {.rule = {STATS_OTHER, sizeof(STATS_OTHER) - 1},
                                                .runtime = {"", 0}};
    struct stats_series *series = find_series(stats, decision, STATS_SERIES_MAX);
    if (!series)
        series = find_series(stats, &other, STATS_SERIES_MAX + 1);
    if (series)
        series->count++;
}

/* --- copies -------------------------------------------------------------------------------- */

static int copy_series(struct stats *copy, const struct stats *stats)
{
    copy->series_count = 0;
    copy->series = calloc(stats->series_count + 1, sizeof(*copy->series));
    if (!copy->series)
        return -1;
    for (size_t i = 0; i < stats->series_count; i++) {
        const struct stats_series *from = &stats->series[i];
        copy->series[i] = *from;
        if (set_texts(&copy->series[i].like, from->like.rule, from->like.runtime) < 0)
            return -1;
        copy->series_count++;
    }
    return 0;
}

struct stats *stats_copy(const struct stats *stats)
{
    OWNED(own_stats) struct stats *copy = malloc(sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *stats;
    copy->chains = NULL;
    copy->methods = copy_array(stats->methods, stats->method_count, sizeof(*stats->methods));
    copy->recent = copy_array(stats->recent, STATS_RECENT, sizeof(*stats->recent));
    if (copy_series(copy, stats) < 0 || !copy->methods || !copy->recent)
        return NULL;
    return steal_ptr(&copy);
}

/* --- counting ------------------------------------------------------------------------------ */

static void observe(struct stats_histogram *histogram, uint64_t took_us)
{
    size_t bucket = 0;
    while (bucket < STATS_BOUNDS && took_us > stats_bounds_us[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum_us += took_us;
}

void stats_call(struct stats *stats, const struct method *method, int code, uint64_t took_us)
{
    size_t count;
    const struct method *table = method_table(&count);
    struct stats_method *counted = &stats->methods[method ? (size_t)(method - table) : count];
    counted->by_code[code >= 0 && code < AUDIT_CODES ? code : 2]++; /* 2: UNKNOWN */
    observe(&counted->took, took_us);
}

struct stats_recent *stats_decision(struct stats *stats, const struct stats_decision *decision,
                                    uint64_t took_us)
{
    count_decision(stats, decision);
    observe(&stats->decided[decision->kind], took_us);
    uint64_t number = ++stats->decisions;
    struct stats_recent *recent = &stats->recent[number % STATS_RECENT];
    *recent = (struct stats_recent){
        .kind = decision->kind,
        .action = decision->action,
        .reason = decision->reason,
        .number = number,
    };
    clock_gettime(CLOCK_REALTIME, &recent->at);
    stats_text(recent->rule, decision->rule);
    stats_text(recent->runtime, decision->runtime);
    return recent;
}

void stats_text_put(char *to, size_t size, struct str from)
{
    size_t length = from.len < size ? from.len : size - 1;
    /* the bytes 10xxxxxx go on with a character */
    while (length < from.len && length > 0 && ((unsigned char)from.data[length] & 0xc0) == 0x80)
        length--;
    if (length)
        memcpy(to, from.data, length);
    to[length] = '\0';
}
