/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals that come again: what is equal, when a window is over, and that nothing goes uncounted
 * when there are more than there is room for. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "audit/repeats.h"

#define WINDOW 300

static struct repeats *repeats;
static struct timespec now;
static char name[32];
static struct pod_facts pod;

static void setup(void)
{
    now = (struct timespec){.tv_sec = 1795479230};
    repeats = repeats_create(WINDOW);
    cr_assert_not_null(repeats);
}

static void teardown(void)
{
    repeats_destroy(repeats);
}

TestSuite(repeats, .init = setup, .fini = teardown, .timeout = 60);

static struct audit_event refusal_of(const char *pod_name, const char *stage, uint64_t request)
{
    pod = (struct pod_facts){.namespace = STR("agents"), .name = str_of(pod_name)};
    return (struct audit_event){.type = "pod.decision",
                                .stage = stage,
                                .request_id = request,
                                .pod = &pod,
                                .action = AUDIT_REFUSE,
                                .rule = STR("no-hosts")};
}

/* Whether it is only counted. */
static bool is_counted(const struct audit_event *event)
{
    unsigned char key[REPEATS_KEY_SIZE];
    cr_assert(repeats_key(event, key));
    return repeats_count(repeats, key, event, &now);
}

static bool decide(const char *pod_name, uint64_t request)
{
    struct audit_event event = refusal_of(pod_name, "decided", request);
    return is_counted(&event);
}

static bool complete(const char *pod_name, uint64_t request)
{
    struct audit_event event = refusal_of(pod_name, "completed", request);
    return is_counted(&event);
}

static const char *numbered(size_t number)
{
    snprintf(name, sizeof(name), "build-%zu", number);
    return name;
}

/* All that is told now. */
static uint64_t take_all(bool closing)
{
    struct audit_event event;
    uint64_t count = 0;
    while (repeats_take(repeats, &now, closing, &event))
        count += event.repeated.count;
    return count;
}

Test(repeats, only_refusals_have_a_key)
{
    unsigned char key[REPEATS_KEY_SIZE];
    struct audit_event event = refusal_of("build-7", "decided", 1);
    event.action = AUDIT_ALLOW;
    cr_assert_not(repeats_key(&event, key));
    event.action = AUDIT_WOULD_REFUSE;
    cr_assert_not(repeats_key(&event, key));
}

Test(repeats, a_field_cannot_pass_for_two_others)
{
    unsigned char one[REPEATS_KEY_SIZE], two[REPEATS_KEY_SIZE];
    struct audit_event event = refusal_of("ab", "decided", 1);
    event.rule = STR("c");
    cr_assert(repeats_key(&event, one));
    event = refusal_of("a", "decided", 1);
    event.rule = STR("bc");
    cr_assert(repeats_key(&event, two));
    cr_assert(memcmp(one, two, sizeof(one)) != 0);
}

Test(repeats, both_stages_of_the_first_are_whole)
{
    cr_assert_not(decide("build-7", 1));
    cr_assert(decide("build-7", 2), "it comes again before the first has ended");
    cr_assert_not(complete("build-7", 1));
    cr_assert(complete("build-7", 2));
    cr_assert_eq(take_all(true), 1, "the count is of calls");
}

Test(repeats, a_window_tells_its_count_once_and_ends)
{
    struct audit_event event;
    cr_assert_not(decide("build-7", 1));
    now.tv_sec += 15;
    cr_assert(decide("build-7", 2));
    now.tv_sec += WINDOW - 16;
    cr_assert(decide("build-7", 3));
    cr_assert_not(repeats_take(repeats, &now, false, &event), "not yet");
    now.tv_sec += 1;
    cr_assert(repeats_take(repeats, &now, false, &event));
    cr_assert_eq(event.repeated.count, 2);
    cr_assert_eq(event.repeated.last.tv_sec - event.repeated.first.tv_sec, WINDOW - 1);
    cr_assert_eq(event.request_id, 1);
    cr_assert(str_eq(event.pod->name, STR("build-7")));
    cr_assert_not(repeats_take(repeats, &now, false, &event));
    cr_assert_not(decide("build-7", 4), "whole again");
}

Test(repeats, a_clock_that_is_put_back_ends_the_window)
{
    cr_assert_not(decide("build-7", 1));
    cr_assert(decide("build-7", 2));
    now.tv_sec -= 3600;
    cr_assert_eq(take_all(false), 1);
    cr_assert_not(decide("build-7", 3));
}

/* Memory is bounded; what finds no room is written whole, each time. */
Test(repeats, more_than_there_is_room_for_is_written_whole)
{
    for (size_t i = 0; i < REPEATS_MOST; i++) {
        cr_assert_not(decide(numbered(i), 1));
        cr_assert(decide(numbered(i), 2));
    }
    for (int i = 0; i < 3; i++)
        cr_assert_not(decide("one-more", 3));
    for (size_t i = 0; i < REPEATS_MOST; i += 1000)
        cr_assert(decide(numbered(i), 4), "what is in the table stays in it");
    cr_assert_eq(take_all(true), REPEATS_MOST + REPEATS_MOST / 1000);
    cr_assert_not(decide("one-more", 5));
    cr_assert(decide("one-more", 6), "there is room again");
}

/* One that never came again makes room for others. */
Test(repeats, the_oldest_with_nothing_to_tell_goes_first)
{
    for (size_t i = 0; i < REPEATS_MOST; i++)
        cr_assert_not(decide(numbered(i), 1));
    cr_assert_not(decide("one-more", 1));
    cr_assert(decide("one-more", 2));
    cr_assert_not(decide(numbered(0), 2));
    cr_assert(decide(numbered(REPEATS_MOST - 1), 2));
}

Test(repeats, a_first_that_was_lost_is_written_again_and_its_count_is_told)
{
    unsigned char key[REPEATS_KEY_SIZE];
    struct audit_event event = refusal_of("build-7", "decided", 1);
    cr_assert(repeats_key(&event, key));
    cr_assert_not(is_counted(&event));
    cr_assert(decide("build-7", 2));
    repeats_forget(repeats, key);
    cr_assert_eq(take_all(false), 1);
    cr_assert_not(decide("build-7", 3));
    repeats_forget(repeats, key);
    cr_assert_not(decide("build-7", 4));
}
