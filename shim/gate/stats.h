/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gate has done since it started, counted: calls, decisions, refusals, and the last
 * decisions in full. Plain numbers that belong to the loop's thread: counting costs no lock and no
 * atomic; who else wants to know is given a copy.
 */
#ifndef CRIGATE_GATE_STATS_H
#define CRIGATE_GATE_STATS_H

#include <time.h>

#include "audit/words.h"
#include "gate/method.h"

/* Upper bounds of a histogram's buckets, in microseconds; one bucket more has what is above. */
#define STATS_BOUNDS 19
extern const uint32_t stats_bounds_us[STATS_BOUNDS];

struct stats_histogram {
    uint64_t counts[STATS_BOUNDS + 1]; /* each bucket's own */
    uint64_t sum_us;
};

struct stats_method {
    uint64_t by_code[AUDIT_CODES];
    struct stats_histogram took; /* from the arrival until the answer has gone */
};

enum stats_kind { STATS_POD, STATS_CONTAINER, STATS_KINDS };

/* A decision; as an argument all is borrowed. */
struct stats_decision {
    enum stats_kind kind;
    enum audit_action action;
    enum verdict_reason reason;
    struct str rule, runtime; /* empty: no rule came into it; it runs under none */
};

/* How often one like it was made. */
struct stats_series {
    struct stats_decision like;
    uint64_t count;
};

/* Of so many that differ; the others count as one, with STATS_OTHER as their rule. */
#define STATS_SERIES_MAX 1000
#define STATS_OTHER "(other)"

#define STATS_RECENT 100

/* Texts are cut, and end with a NUL. */
struct stats_recent {
    struct timespec at; /* CLOCK_REALTIME */
    enum stats_kind kind;
    enum audit_action action;
    enum verdict_reason reason;
    uint64_t number; /* of decisions, from 1 */
    char namespace[64], pod[128], container[64], requested[64], runtime[64], rule[128];
    char message[512];
};

struct stats {
    struct stats_method *methods; /* those of method_table(), and all others together behind them */
    size_t method_count;
    struct stats_histogram decided[STATS_KINDS]; /* arrival until the record of it is durable */
    struct stats_series *series;
    size_t series_count;
    uint16_t *chains; /* finds a series; see stats.c */
    uint64_t images_refused, services_refused;
    uint64_t decisions;
    struct stats_recent *recent; /* a ring: decision N is in place N % STATS_RECENT */
};

/* NULL: memory is out. */
struct stats *stats_create(void) MUST_CHECK;
void stats_destroy(struct stats *stats);
DEFINE_OWNED(own_stats, struct stats, stats_destroy)

/* A copy to read, on any thread. NULL: memory is out. */
struct stats *stats_copy(const struct stats *stats) MUST_CHECK;

/* `method` is one of method_table(), or NULL. */
void stats_call(struct stats *stats, const struct method *method, int code, uint64_t took_us);

/* Counts the decision. The caller fills what is left of the entry that is returned: its texts, with
 * stats_text(). */
struct stats_recent *stats_decision(struct stats *stats, const struct stats_decision *decision,
                                    uint64_t took_us);

/* Copies what fits, and no half of a character. */
#define stats_text(to, from) stats_text_put(to, sizeof(to), from)
void stats_text_put(char *to, size_t size, struct str from);

#endif
