/* SPDX-License-Identifier: Apache-2.0 */
/* A list and its watch: what the labels become, and what is no change of them. */
#include <criterion/criterion.h>
#include <time.h>

#include "bed.h"

#define SAMPLES SOURCE_ROOT "/tests/api/samples/"

static struct bed bed;

static void make(void)
{
    bed_make(&bed, API_FILES);
}

static void clean(void)
{
    bed_free(&bed);
}

TestSuite(watch, .init = make, .fini = clean, .timeout = 60);

static void set_fault(enum api_when when, enum api_fault_kind kind, unsigned times)
{
    struct api_fault fault = {.kind = kind, .times = times};
    api_set_fault(bed.api, when, &fault);
}

Test(watch, tells_unknown_and_then_the_list)
{
    bed_watch(&bed);
    cr_expect(bed_changes(&bed) >= 1);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_str_eq(node_labels_origin(bed.labels).source, "kubernetes");
    cr_expect_leq(bed_changes(&bed), 2);
    bed_await_log(&bed, "6 of Node lab, watched at https://");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    struct api_seen seen = api_seen(bed.api);
    cr_expect_str_eq(seen.path, "/api/v1/nodes");
    cr_expect(strstr(seen.query, "fieldSelector=metadata.name%3Dlab"), "%s", seen.query);
    cr_expect(strstr(seen.query, "allowWatchBookmarks=true"), "%s", seen.query);
    cr_expect(strstr(seen.query, "timeoutSeconds="), "%s", seen.query);
    cr_expect_str_eq(seen.agent, "crigate");
}

Test(watch, sees_a_label_flip)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_labels(bed.api, BED_KEY "=runc,a=b");
    bed_await_value(&bed, BED_KEY, "runc");
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, BED_KEY, NULL);
    api_set_labels(bed.api, "");
    bed_await_value(&bed, "a", NULL);
    cr_expect_not(bed_is_unknown(&bed), "no labels are labels");
    cr_expect_eq(api_seen(bed.api).counts[API_LISTS], 1);
    cr_expect_eq(bed_logged(&bed, "warning"), 0);
}

Test(watch, tells_only_changes)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    unsigned before = bed_changes(&bed);
    for (int i = 0; i < 20; i++)
        api_touch(bed.api);
    api_bookmark(bed.api);
    api_set_labels(bed.api, "last=one");
    bed_await_value(&bed, "last", "one");
    cr_expect_eq(bed_changes(&bed), before + 1);
}

Test(watch, replays_a_real_watch)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    cr_assert(api_replay(bed.api, SAMPLES "node-watch.jsonl"));
    bed_await_value(&bed, BED_KEY, "runc");
    cr_expect(bed_has(&bed, "tier", "agents"));
    cr_assert(api_replay(bed.api, SAMPLES "node-watch-deleted.jsonl"));
    bed_await_unknown(&bed);
}

Test(watch, goes_on_from_the_last_version)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_labels(bed.api, "a=1");
    bed_await_value(&bed, "a", "1");
    api_end_watches(bed.api);
    cr_assert(api_await(bed.api, API_WATCHES, 2));
    api_set_labels(bed.api, "a=2");
    bed_await_value(&bed, "a", "2");
    cr_expect_eq(api_seen(bed.api).counts[API_LISTS], 1, "a watch that ended needs no list");
    cr_expect_eq(bed_logged(&bed, "warning"), 0);
}

Test(watch, lists_again_after_410_in_mid_stream)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_expire(bed.api);
    cr_assert(api_await(bed.api, API_LISTS, 2));
    cr_assert(api_await(bed.api, API_WATCHES, 2));
    api_set_labels(bed.api, "a=2");
    bed_await_value(&bed, "a", "2");
    cr_expect_eq(bed_logged(&bed, "warning"), 0, "410 is usual");
}

Test(watch, lists_again_after_410_at_once)
{
    set_fault(API_ON_WATCH, API_GONE, 2);
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_WATCHES, 3));
    cr_expect_geq(api_seen(bed.api).counts[API_LISTS], 3);
    api_set_labels(bed.api, "a=2");
    bed_await_value(&bed, "a", "2");
    bed_await_log(&bed, "410");
}

Test(watch, knows_when_the_Node_is_deleted_and_made_again)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_delete_node(bed.api);
    bed_await_unknown(&bed);
    bed_await_log(&bed, "has no Node lab");
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(watch, waits_for_a_Node_that_is_not_there_yet)
{
    api_delete_node(bed.api);
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    cr_expect(bed_is_unknown(&bed));
    bed_await_log(&bed, "there is no Node lab");
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(watch, reads_large_Nodes)
{
    api_set_padding(bed.api, 50 * 1024);
    api_set_labels(bed.api, "size=50k");
    bed_watch(&bed);
    bed_await_value(&bed, "size", "50k");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_padding(bed.api, 1024 * 1024);
    api_set_labels(bed.api, "size=1m");
    bed_await_value(&bed, "size", "1m");
    cr_expect_eq(bed_logged(&bed, "warning"), 0);
}

Test(watch, gives_up_an_event_without_end)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_padding(bed.api, 5 * 1024 * 1024);
    api_touch(bed.api);
    bed_await_log(&bed, "larger than 4 MiB");
    cr_expect(bed_has(&bed, BED_KEY, "gvisor"));
    api_set_padding(bed.api, 1);
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(watch, keeps_the_labels_over_garbage)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_push(bed.api, "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Node\",\"metadata\":{\"name\":"
                      "\"lab\",\"resourceVersion\":\"999\",\"labels\":[]}}}");
    bed_await_log(&bed, "metadata.labels is no object");
    cr_expect(bed_has(&bed, BED_KEY, "gvisor"));
}

Test(watch, knows_when_it_was_confirmed)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_leq(kubernetes_seen(bed.kubernetes), time(NULL));
    cr_expect_geq(kubernetes_seen(bed.kubernetes), time(NULL) - 60);
}

Test(watch, is_refused_for_what_is_no_Node)
{
    struct err err = {0};
    struct kubernetes *none = NULL;
    struct kubernetes_options options = {.kubeconfig = bed.kubeconfig, .node = "My_Host"};
    cr_assert_eq(kubernetes_start(&options, NULL, NULL, &none, &err), -1);
    cr_expect(strstr(err.text, "node.name is not a DNS name"), "%s", err.text);
}
