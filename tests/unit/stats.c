/* SPDX-License-Identifier: Apache-2.0 */
/* The counters: series of decisions and their bound, the last ones, texts that are cut. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gate/stats.h"

static void decide(struct stats *stats, const char *rule)
{
    struct stats_decision decision = {
        .kind = STATS_POD, .action = AUDIT_REFUSE, .reason = REASON_RULE};
    if (rule) /* else a text without a pointer */
        decision.rule = str_of(rule);
    stats_decision(stats, &decision, 120);
}

static uint64_t count_of(const struct stats *stats, const char *rule)
{
    for (size_t i = 0; i < stats->series_count; i++) {
        if (str_eq(stats->series[i].like.rule, str_of(rule)))
            return stats->series[i].count;
    }
    return 0;
}

Test(stats, counts_what_is_alike)
{
    OWNED(own_stats) struct stats *stats = stats_create();
    cr_assert_not_null(stats);
    decide(stats, "one");
    decide(stats, "two");
    decide(stats, "one");
    decide(stats, NULL);
    cr_expect_eq(count_of(stats, "one"), 2);
    cr_expect_eq(count_of(stats, ""), 1);
    cr_expect_eq(stats->decided[STATS_POD].counts[1], 4); /* up to 250 us */
    OWNED(own_stats) struct stats *copy = stats_copy(stats);
    cr_assert_not_null(copy);
    decide(stats, "one");
    cr_expect_eq(count_of(copy, "one"), 2);
}

Test(stats, bounds_the_series)
{
    OWNED(own_stats) struct stats *stats = stats_create();
    cr_assert_not_null(stats);
    for (int i = 0; i < STATS_SERIES_MAX + 7; i++) {
        char rule[32];
        snprintf(rule, sizeof(rule), "rule-%d", i);
        decide(stats, rule);
    }
    cr_expect_eq(stats->series_count, STATS_SERIES_MAX + 1);
    cr_expect_eq(count_of(stats, STATS_OTHER), 7);
    cr_expect_eq(stats->decisions, STATS_SERIES_MAX + 7);
    cr_expect_str_eq(stats->recent[stats->decisions % STATS_RECENT].rule, "rule-1006");
}

Test(stats, cuts_no_character_in_half)
{
    char text[6];
    stats_text(text, str_of("abcd\xc3\xa9z"));
    cr_expect_str_eq(text, "abcd");
    stats_text(text, str_of("abc\xc3\xa9"));
    cr_expect_str_eq(text, "abc\xc3\xa9");
}
