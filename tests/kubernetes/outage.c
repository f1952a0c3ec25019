/* SPDX-License-Identifier: Apache-2.0 */
/* An API server that errs, hangs, cuts or is away, and the cache that bridges a restart. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>

#include "bed.h"

static struct bed bed;

static void make(void)
{
    bed_make(&bed, API_FILES);
}

static void clean(void)
{
    bed_free(&bed);
}

TestSuite(outage, .init = make, .fini = clean, .timeout = 60);

static void set_fault(enum api_when when, struct api_fault fault)
{
    api_set_fault(bed.api, when, &fault);
}

static void watch_first(void)
{
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
}

Test(outage, recovers_from_500s)
{
    set_fault(API_ON_LIST, (struct api_fault){.kind = API_STATUS, .times = 3, .status = 500});
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 500");
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_eq(bed_logged(&bed, "HTTP 500"), 1, "once, not at each try");
    cr_expect_eq(api_seen(bed.api).counts[API_LISTS], 4);
}

Test(outage, is_told_once_and_so_is_its_end)
{
    watch_first();
    api_down(bed.api);
    bed_await_log(&bed, "those last seen stay in force");
    cr_expect(bed_has(&bed, BED_KEY, "gvisor"));
    api_up(bed.api);
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
    bed_await_log(&bed, "is back after");
    cr_expect_eq(bed_logged(&bed, "warning"), 1);
}

Test(outage, leaves_a_busy_server_alone)
{
    set_fault(API_ON_LIST, (struct api_fault){
                               .kind = API_STATUS, .times = 1, .status = 429, .retry_after_s = 2});
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 429");
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_eq(api_seen(bed.api).counts[API_LISTS], 2);
}

Test(outage, explains_403_and_401)
{
    set_fault(API_ON_LIST, (struct api_fault){.kind = API_STATUS, .times = 1, .status = 403});
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 403: is node.name lab the Node of");
    bed_await_value(&bed, BED_KEY, "gvisor");
    bed_stop(&bed);
    unlink(bed.cache);
    set_fault(API_ON_LIST, (struct api_fault){.kind = API_STATUS, .times = 1, .status = 401});
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 401: the credential of");
    bed_await_value(&bed, BED_KEY, "gvisor");
}

static void expect_recovery(enum api_when when, enum api_fault_kind kind)
{
    set_fault(when, (struct api_fault){.kind = kind, .times = 1});
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_WATCHES, 1));
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(outage, survives_a_cut_connection)
{
    expect_recovery(API_ON_CONNECT, API_CUT);
}

Test(outage, survives_a_cut_list)
{
    expect_recovery(API_ON_LIST, API_CUT_BODY);
}

Test(outage, survives_cut_headers)
{
    expect_recovery(API_ON_LIST, API_CUT_HEADERS);
}

Test(outage, survives_a_list_of_garbage)
{
    expect_recovery(API_ON_LIST, API_GARBAGE);
    cr_expect_eq(bed_logged(&bed, "no JSON"), 1);
}

Test(outage, survives_an_empty_list)
{
    expect_recovery(API_ON_LIST, API_EMPTY);
}

Test(outage, survives_a_watch_of_garbage)
{
    expect_recovery(API_ON_WATCH, API_GARBAGE);
}

Test(outage, survives_a_watch_that_ends_at_once)
{
    expect_recovery(API_ON_WATCH, API_EMPTY);
}

Test(outage, survives_a_refused_watch)
{
    set_fault(API_ON_WATCH, (struct api_fault){.kind = API_STATUS, .times = 1, .status = 503});
    bed_watch(&bed);
    bed_await_log(&bed, "the watch: HTTP 503");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
}

Test(outage, survives_a_cut_in_mid_event)
{
    watch_first();
    set_fault(API_ON_WATCH, (struct api_fault){.kind = API_CUT_BODY, .times = 1});
    api_cut_watches(bed.api);
    cr_assert(api_await(bed.api, API_WATCHES, 2));
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
    cr_expect(bed_logged(&bed, "warning") >= 1);
}

Test(outage, reads_a_slow_drip)
{
    set_fault(API_ON_WATCH, (struct api_fault){.kind = API_DRIP, .delay_ms = 1});
    watch_first();
    api_push(bed.api, "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Node\",\"metadata\":{\"name\":"
                      "\"lab\",\"resourceVersion\":\"9999\",\"labels\":{\"a\":\"b\"}}}}");
    bed_await_value(&bed, "a", "b");
}

/* bed_free() measures how long the stop takes. */
Test(outage, stops_while_nothing_is_accepted)
{
    set_fault(API_ON_CONNECT, (struct api_fault){.kind = API_HANG});
    bed_watch(&bed);
}

Test(outage, stops_in_a_handshake_that_hangs)
{
    set_fault(API_ON_CONNECT, (struct api_fault){.kind = API_HANG_TLS});
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_CONNECTIONS, 1));
}

Test(outage, stops_while_a_list_hangs)
{
    set_fault(API_ON_LIST, (struct api_fault){.kind = API_HANG});
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_LISTS, 1));
}

Test(outage, stops_while_a_watch_hangs)
{
    set_fault(API_ON_WATCH, (struct api_fault){.kind = API_HANG_BODY});
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_WATCHES, 1));
}

Test(outage, stops_while_it_waits)
{
    set_fault(API_ON_LIST,
              (struct api_fault){.kind = API_STATUS, .status = 503, .retry_after_s = 30});
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 503");
}

Test(outage, does_not_hammer_a_server_that_ends_each_watch)
{
    set_fault(API_ON_WATCH, (struct api_fault){.kind = API_EMPTY});
    bed_watch(&bed);
    cr_assert(api_await(bed.api, API_WATCHES, 4));
    /* Waits of at least 100, 200, 400, 800, 1600 ms: many more in so short a time is hammering. */
    cr_expect_leq(api_seen(bed.api).counts[API_WATCHES], 6);
}

/* --- the cache --------------------------------------------------------------------------- */

Test(outage, is_bridged_by_the_cache)
{
    watch_first();
    api_set_labels(bed.api, BED_KEY "=gvisor,kept=yes");
    bed_await_value(&bed, "kept", "yes");
    bed_stop(&bed);
    api_down(bed.api);
    bed_watch(&bed);
    cr_expect(bed_has(&bed, "kept", "yes"), "told before the start returns");
    cr_expect_str_eq(node_labels_origin(bed.labels).source, "cache");
    cr_expect_gt(kubernetes_seen(bed.kubernetes), 0);
    bed_await_log(&bed, "2 from the cache");
    unsigned before = bed_changes(&bed);
    api_up(bed.api);
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    cr_expect_eq(bed_changes(&bed), before + 1, "the same labels have another origin");
    cr_expect(bed_has(&bed, "kept", "yes"));
    cr_expect_str_eq(node_labels_origin(bed.labels).source, "kubernetes");
    api_set_labels(bed.api, "kept=no");
    bed_await_value(&bed, "kept", "no");
}

Test(outage, ignores_the_cache_of_another_node)
{
    bed_write(bed.cache,
              "{\"v\":1,\"node\":\"other\",\"seen\":1700000000,\"labels\":{\"a\":\"b\"}}");
    chmod(bed.cache, 0600);
    api_down(bed.api);
    bed_watch(&bed);
    cr_expect(bed_is_unknown(&bed));
    cr_expect_eq(kubernetes_seen(bed.kubernetes), 0);
    bed_await_log(&bed, "holds the labels of another node");
}

Test(outage, has_no_cache_of_a_deleted_Node)
{
    watch_first();
    api_delete_node(bed.api);
    bed_await_unknown(&bed);
    bed_stop(&bed);
    cr_expect_neq(access(bed.cache, F_OK), 0);
    api_down(bed.api);
    bed_watch(&bed);
    cr_expect(bed_is_unknown(&bed));
}

Test(outage, goes_on_without_a_place_for_the_cache)
{
    snprintf(bed.cache, sizeof(bed.cache), "%s/nowhere/labels.json", bed.dir);
    watch_first();
    api_set_labels(bed.api, "a=1");
    bed_await_value(&bed, "a", "1");
    api_set_labels(bed.api, "a=2");
    bed_await_value(&bed, "a", "2");
    bed_stop(&bed);
    cr_expect_eq(bed_logged(&bed, "the cache"), 1, "complained about once");
}
