/* SPDX-License-Identifier: Apache-2.0 */
/* The judged calls: only the handler's field changes, and what is refused never arrives. */
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "messages.h"
#include "scene.h"

#define RUN SERVICE "RunPodSandbox"

static grpc_status_code run(struct scene *scene, const char *method, grpc_slice request,
                            const char *headers, struct rpc *rpc)
{
    return rpc_unary(rpc, &scene->client, method, headers, GRPC_SLICE_START_PTR(request),
                     GRPC_SLICE_LENGTH(request), NULL);
}

/* What arrives of a request that named no handler: the same bytes, and the field behind them. */
static grpc_slice with_handler_behind(const char *name, const char *handler)
{
    struct bytes out = {0};
    grpc_slice plain = message_pod(name, "");
    bytes_add(&out, GRPC_SLICE_START_PTR(plain), GRPC_SLICE_LENGTH(plain));
    bytes_text(&out, 2, handler);
    grpc_slice_unref(plain);
    return bytes_slice(&out);
}

static void expect_arrives(struct scene *scene, const char *method, const char *asked,
                           const char *sent)
{
    struct rpc rpc;
    grpc_slice request = message_pod("build-7", asked);
    grpc_slice want = *asked ? message_pod("build-7", sent) : with_handler_behind("build-7", sent);
    cr_assert_eq(run(scene, method, request, "", &rpc), GRPC_STATUS_OK, "handler %s", asked);
    rpc_free(&rpc);
    grpc_slice last = scene_last(scene, method);
    cr_assert(grpc_slice_eq(last, want), "handler \"%s\": other bytes arrived", asked);
    grpc_slice_unref(last);
    grpc_slice_unref(want);
    grpc_slice_unref(request);
}

GATE(changes_only_the_handler)
{
    static const char *const methods[] = {RUN, "/runtime.v1alpha2.RuntimeService/RunPodSandbox"};
    for (size_t i = 0; i < 2; i++) {
        expect_arrives(scene, methods[i], "gvisor", "runsc");
        expect_arrives(scene, methods[i], "runsc", "runsc");
        expect_arrives(scene, methods[i], "runc", "runc");
        expect_arrives(scene, methods[i], "", "runc");
    }
    scene_wait_audit(scene, "\"decided\"", "gvisor");
    scene_wait_audit(scene, "\"completed\"", "\"OK\"");
}

GATE(judges_restored_pods)
{
    struct rpc rpc;
    grpc_slice request = message_restore("gvisor", ""), want = message_restore("runsc", "");
    cr_assert_eq(run(scene, SERVICE "RestorePod", request, "", &rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    grpc_slice last = scene_last(scene, SERVICE "RestorePod");
    cr_assert(grpc_slice_eq(last, want), "other bytes arrived");
    grpc_slice_unref(last);
    grpc_slice_unref(want);
    grpc_slice_unref(request);
    request = message_restore("kata", "");
    cr_assert_eq(run(scene, SERVICE "RestorePod", request, "", &rpc), GRPC_STATUS_INVALID_ARGUMENT);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_assert_eq(scene_saw(scene, SERVICE "RestorePod", "calls"), 1);
}

/* What is judged is what was meant, also when it came compressed. */
BOTH(takes_a_compressed_request)
{
    char name[4096];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    grpc_slice request = message_pod(name, "runsc");
    struct client zipping;
    client_open_zipping(&zipping, scene_socket(scene));
    struct rpc rpc;
    grpc_status_code code = rpc_unary(&rpc, &zipping, RUN, "", GRPC_SLICE_START_PTR(request),
                                      GRPC_SLICE_LENGTH(request), NULL);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_assert_eq(code, GRPC_STATUS_OK, "%d: %s", code, message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice last = scene_last(scene, RUN);
    cr_assert(grpc_slice_eq(last, request), "other bytes arrived");
    grpc_slice_unref(last);
    grpc_slice_unref(request);
    client_close(&zipping);
}

/* A judged call is relayed like any other. */
BOTH(relays_the_outcome_of_a_judged_call)
{
    struct rpc rpc;
    grpc_slice request = message_pod("build-7", "runsc");
    cr_assert_eq(run(scene, RUN, request,
                     "fake-status: 14\nfake-message: no, 50% of it\ninitial-x: a\ntrailing-x: b\n",
                     &rpc),
                 GRPC_STATUS_UNAVAILABLE);
    cr_assert_eq(grpc_slice_str_cmp(rpc.message, "no, 50% of it"), 0);
    cr_assert_eq(metadata_count(&rpc.trailing, "trailing-x", "b", 1), 1);
    rpc_free(&rpc);
    grpc_slice_unref(request);
}

BOTH(cancels_a_judged_call_upstream)
{
    struct rpc rpc;
    grpc_slice request = message_pod("build-7", "runsc");
    rpc_start(&rpc, &scene->client, RUN, "fake-hang: 1\n", NULL, NO_DEADLINE);
    rpc_send(&rpc, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
    rpc_half_close(&rpc);
    scene_wait_saw(scene, RUN, "requests", 1);
    grpc_call_cancel(rpc.call, NULL);
    scene_wait_saw(scene, RUN, "cancelled", 1);
    rpc_free(&rpc);
    grpc_slice_unref(request);
}

BOTH(gives_a_judged_call_its_deadline)
{
    struct rpc rpc;
    grpc_slice request = message_pod("build-7", "runsc"), reply;
    rpc_start(&rpc, &scene->client, RUN, "fake-report: 1\n", NULL, 4000);
    rpc_send(&rpc, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
    rpc_half_close(&rpc);
    cr_assert(rpc_receive(&rpc, &reply));
    char *text = grpc_slice_to_c_string(reply);
    cr_assert(strstr(text, "\nhalf-closed 1\n"), "%s", text);
    cr_assert(!strstr(text, "deadline-ms none"), "%s", text);
    gpr_free(text);
    grpc_slice_unref(reply);
    cr_assert_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    grpc_slice_unref(request);
}

GATE(refuses_what_the_policy_refuses)
{
    struct rpc rpc;
    grpc_slice request = message_pod("forbidden-1", "runsc");
    cr_assert_eq(run(scene, RUN, request, "", &rpc), GRPC_STATUS_PERMISSION_DENIED);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_assert(strstr(message, "crigate: pod agents/forbidden-1 refused: this name is forbidden"),
              "%s", message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    request = message_pod("build-7", "kata");
    cr_assert_eq(run(scene, RUN, request, "", &rpc), GRPC_STATUS_INVALID_ARGUMENT);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_assert_eq(scene_saw(scene, RUN, "calls"), 0, "a refused pod arrived");
    scene_wait_audit(scene, "forbidden-1", "no-forbidden-pods");
    scene_wait_audit(scene, "kata", "unknownRuntime");
}

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

GATE(never_forwards_what_is_malformed)
{
    static const struct {
        const char *data;
        size_t len;
    } requests[] = {
        BYTES("\x0a"),                                                 /* no length */
        BYTES("\x0a\x05\x0a"),                                         /* a length past the end */
        BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),         /* a length of 2^64-1 */
        BYTES("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* an endless varint */
        BYTES("\x0b\x0c"),                                             /* a group */
        BYTES("\x08\x01"),                                             /* config as a varint */
        BYTES("\x12\x05runsc\x12\x04runc"),                            /* two handlers */
        BYTES("\x12\x06runc\0x"),                                      /* NUL in the handler */
        BYTES("\x12\x02\xc3("),                                        /* not UTF-8 */
        BYTES("\x0a\x04\x0a\x02\x0a\x00\x0a\x04\x0a\x02\x0a\x00"),     /* two configs */
        BYTES("\x0a\x0c\x32\x04\x0a\x00\x12\x00\x32\x04\x0a\x00\x12\x00"), /* a label twice */
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        cr_assert_eq(call_unary(&scene->client, RUN, "", requests[i].data, requests[i].len, NULL),
                     GRPC_STATUS_INVALID_ARGUMENT, "request %zu", i);
        cr_assert_eq(scene_saw(scene, RUN, "calls"), 0, "request %zu arrived", i);
    }
    scene_wait_audit(scene, "\"refuse\"", "malformed");
}

GATE(never_forwards_a_second_request)
{
    struct rpc rpc;
    grpc_slice good = message_pod("build-7", "runsc"), bad = message_pod("forbidden-1", "runsc");
    rpc_start(&rpc, &scene->client, RUN, "fake-collect: 1\n", NULL, NO_DEADLINE);
    rpc_send(&rpc, GRPC_SLICE_START_PTR(good), GRPC_SLICE_LENGTH(good));
    rpc_send_start(&rpc, GRPC_SLICE_START_PTR(bad), GRPC_SLICE_LENGTH(bad));
    rpc_half_close(&rpc);
    grpc_slice reply;
    if (rpc_receive(&rpc, &reply))
        grpc_slice_unref(reply);
    rpc_finish(&rpc);
    cr_assert_leq(scene_saw(scene, RUN, "requests"), 1);
    grpc_slice last = scene_last(scene, RUN);
    cr_assert(!grpc_slice_eq(last, bad), "a request went through unjudged");
    grpc_slice_unref(last);
    rpc_free(&rpc);
    grpc_slice_unref(good);
    grpc_slice_unref(bad);
}

GATE(never_forwards_a_call_without_a_request)
{
    struct rpc rpc;
    rpc_start(&rpc, &scene->client, RUN, "", NULL, 10000);
    rpc_half_close(&rpc);
    grpc_slice reply;
    cr_assert(!rpc_receive(&rpc, &reply));
    cr_assert_neq(rpc_finish(&rpc), GRPC_STATUS_OK);
    cr_assert_neq(rpc.code, GRPC_STATUS_DEADLINE_EXCEEDED, "the call hangs");
    rpc_free(&rpc);
    cr_assert_eq(scene_saw(scene, RUN, "calls"), 0);
}

GATE_WITHOUT_AUDIT(refuses_sandboxes_while_audit_fails)
{
    struct rpc rpc;
    grpc_slice request = message_pod("build-7", "runsc");
    cr_assert_eq(run(scene, RUN, request, "", &rpc), GRPC_STATUS_UNAVAILABLE);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_assert(strstr(message, "No such file or directory"), "the cause is not told: %s", message);
    gpr_free(message);
    rpc_free(&rpc);
    cr_assert_eq(scene_saw(scene, RUN, "calls"), 0);
    cr_assert_eq(call_unary(&scene->client, SERVICE "Status", "", "", 0, NULL), GRPC_STATUS_OK);
    cr_assert_eq(call_unary(&scene->client, SERVICE "RemovePodSandbox", "", "", 0, NULL),
                 GRPC_STATUS_OK);
    scene_allow_audit(scene);
    cr_assert_eq(run(scene, RUN, request, "", &rpc), GRPC_STATUS_OK, "audit can be written again");
    rpc_free(&rpc);
    grpc_slice_unref(request);
}
