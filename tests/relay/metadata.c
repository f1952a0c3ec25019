/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata goes through in both directions, text and binary, with repeated keys in their order. */
#include <grpc/support/alloc.h>
#include <string.h>

#include "scene.h"

#define BINARY "\0\1\377\200 ,\n"
#define BINARY_LEN (sizeof(BINARY) - 1)

/* Runs a call with these headers, and returns the fake's report; freed with gpr_free(). */
static char *report(struct scene *scene, const char *headers, const struct header *more)
{
    struct rpc rpc;
    grpc_slice reply;
    rpc_start(&rpc, &scene->client, SERVICE "Status", headers, more, NO_DEADLINE);
    rpc_send(&rpc, "abc", 3);
    rpc_half_close(&rpc);
    cr_assert(rpc_receive(&rpc, &reply));
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    char *text = grpc_slice_to_c_string(reply);
    grpc_slice_unref(reply);
    rpc_free(&rpc);
    return text;
}

BOTH(passes_request_metadata)
{
    const struct header more[] = {{"x-bytes-bin", BINARY, BINARY_LEN}, {0}};
    char *text = report(scene,
                        "fake-report: 1\ntraceparent: 00-ab-cd-01\nx-twice: second\n"
                        "x-twice: first\nx-empty: \n",
                        more);
    cr_assert(strstr(text, "metadata traceparent 30302d61622d63642d3031\n"), "%s", text);
    cr_assert(strstr(text, "metadata x-bytes-bin 0001ff80202c0a\n"), "%s", text);
    cr_assert(strstr(text, "metadata x-empty \n"), "%s", text);
    const char *second = strstr(text, "metadata x-twice 7365636f6e64\n");
    const char *first = strstr(text, "metadata x-twice 6669727374\n");
    cr_assert(second && first && second < first, "order: %s", text);
    gpr_free(text);
}

BOTH(says_localhost_and_half_closes)
{
    char *text = report(scene, "fake-report: 1\n", NULL);
    cr_assert(strstr(text, "method " SERVICE "Status\n"), "%s", text);
    cr_assert(strstr(text, "authority localhost\n"), "%s", text);
    cr_assert(strstr(text, "messages 1\nbytes 3\nhalf-closed 1\n"), "%s", text);
    gpr_free(text);
}

static void expect_both(const grpc_metadata_array *got, const char *text_key, const char *bin_key)
{
    cr_assert_eq(metadata_count(got, text_key, "one", 3), 1);
    cr_assert_eq(metadata_count(got, text_key, "two", 3), 2);
    cr_assert_eq(metadata_count(got, bin_key, BINARY, BINARY_LEN), 1);
}

static void expect_echoed(struct scene *scene, const char *headers)
{
    const struct header more[] = {
        {"initial-x-bin", BINARY, BINARY_LEN}, {"trailing-x-bin", BINARY, BINARY_LEN}, {0}};
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, SERVICE "Status", headers, more, NO_DEADLINE);
    rpc_send(&rpc, "", 0);
    rpc_half_close(&rpc);
    grpc_slice reply;
    if (rpc_receive(&rpc, &reply))
        grpc_slice_unref(reply);
    rpc_finish(&rpc);
    rpc_wait_initial(&rpc);
    expect_both(&rpc.initial, "initial-x", "initial-x-bin");
    expect_both(&rpc.trailing, "trailing-x", "trailing-x-bin");
    rpc_free(&rpc);
}

#define ECHOED                                                          \
    "initial-x: two\ninitial-x: one\ninitial-x: two\ntrailing-x: two\n" \
    "trailing-x: one\ntrailing-x: two\n"

BOTH(passes_reply_metadata)
{
    expect_echoed(scene, ECHOED);
}

BOTH(passes_reply_metadata_with_an_error)
{
    expect_echoed(scene, ECHOED "fake-stream: 0x0\nfake-status: 5\n");
}

BOTH(passes_initial_metadata_before_any_message)
{
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, SERVICE "GetContainerEvents", "initial-x: now\n", NULL,
              NO_DEADLINE);
    rpc_send(&rpc, "", 0);
    rpc_half_close(&rpc);
    rpc_wait_initial(&rpc);
    cr_assert_eq(metadata_count(&rpc.initial, "initial-x", "now", 3), 1);
    cr_assert(!rpc.ended.done);
    rpc_free(&rpc);
}
