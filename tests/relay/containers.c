/* SPDX-License-Identifier: Apache-2.0 */
/* CreateContainer: judged by its sandbox's runtime, or refused; what is allowed goes on as it came.
 */
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <string.h>

#include "messages.h"
#include "scene.h"

#define CREATE SERVICE "CreateContainer"
#define QUESTION SERVICE "PodSandboxStatus"
#define GVISOR "1f00000000000000000000000000000000000000000000000000000000000000"
#define HOST "2e00000000000000000000000000000000000000000000000000000000000000"
#define OTHER "3d00000000000000000000000000000000000000000000000000000000000000"
#define SANDBOXES GVISOR " runsc\n" HOST " runc\n" OTHER " kata\n"
#define FUSE "/dev/fuse"

static grpc_status_code create(struct scene *scene, const char *method, grpc_slice request,
                               struct rpc *rpc)
{
    return rpc_unary(rpc, &scene->client, method, "", GRPC_SLICE_START_PTR(request),
                     GRPC_SLICE_LENGTH(request), NULL);
}

static void expect_refused(struct scene *scene, grpc_slice request, grpc_status_code code,
                           const char *words)
{
    struct rpc rpc;
    uint64_t before = scene_saw(scene, CREATE, "calls");
    cr_expect_eq(create(scene, CREATE, request, &rpc), code, "code %d", (int)rpc.code);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_expect(strstr(message, words), "%s", message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_expect_eq(scene_saw(scene, CREATE, "calls"), before, "a refused container arrived");
}

static void expect_arrives(struct scene *scene, const char *method, grpc_slice request,
                           grpc_slice want)
{
    struct rpc rpc;
    cr_expect_eq(create(scene, method, request, &rpc), GRPC_STATUS_OK);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_expect_eq(rpc.code, GRPC_STATUS_OK, "%s", message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice last = scene_last(scene, method);
    cr_expect(grpc_slice_eq(last, want), "other bytes arrived");
    grpc_slice_unref(last);
    grpc_slice_unref(want);
    grpc_slice_unref(request);
}

BOTH(an_allowed_container_arrives_to_the_byte)
{
    scene_set_sandboxes(scene, SANDBOXES);
    static const char *const methods[] = {CREATE,
                                          "/runtime.v1alpha2.RuntimeService/CreateContainer"};
    for (size_t i = 0; i < 2; i++) {
        expect_arrives(scene, methods[i], message_container(GVISOR, "", "runsc"),
                       message_container(GVISOR, "", "runsc"));
        expect_arrives(scene, methods[i], message_container(HOST, FUSE, ""),
                       message_container(HOST, FUSE, ""));
    }
}

BOTH(relays_the_outcome_of_a_container)
{
    struct rpc rpc;
    scene_set_sandboxes(scene, SANDBOXES);
    grpc_slice request = message_container(GVISOR, "", "");
    cr_assert_eq(rpc_unary(&rpc, &scene->client, CREATE,
                           "fake-status: 6\nfake-message: it is there\ntrailing-x: b\n",
                           GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request), NULL),
                 GRPC_STATUS_ALREADY_EXISTS);
    cr_assert_eq(grpc_slice_str_cmp(rpc.message, "it is there"), 0);
    cr_assert_eq(metadata_count(&rpc.trailing, "trailing-x", "b", 1), 1);
    rpc_free(&rpc);
    grpc_slice_unref(request);
}

BOTH(cancels_a_container_upstream)
{
    struct rpc rpc;
    scene_set_sandboxes(scene, SANDBOXES);
    grpc_slice request = message_container(GVISOR, "", "");
    rpc_start(&rpc, &scene->client, CREATE, "fake-hang: 1\n", NULL, NO_DEADLINE);
    rpc_send(&rpc, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
    rpc_half_close(&rpc);
    scene_wait_saw(scene, CREATE, "requests", 1);
    grpc_call_cancel(rpc.call, NULL);
    scene_wait_saw(scene, CREATE, "cancelled", 1);
    rpc_free(&rpc);
    grpc_slice_unref(request);
}

GATE(judges_a_container_by_its_sandbox)
{
    scene_set_sandboxes(scene, SANDBOXES);
    expect_refused(scene, message_container(GVISOR, FUSE, ""), GRPC_STATUS_FAILED_PRECONDITION,
                   "crigate: container agents/build-7/main refused: runtime \"runsc\" cannot do");
    expect_refused(scene, message_container(OTHER, "", ""), GRPC_STATUS_INVALID_ARGUMENT,
                   "\"kata\"");
    scene_wait_audit(scene, "\"container.decision\"", "\"incompatible\"");
    scene_wait_audit(scene, "\"container.decision\"", "\"main\"");
    scene_wait_audit(scene, "\"" GVISOR "\"", "\"decided\"");
    scene_wait_audit(scene, "\"FAILED_PRECONDITION\"", "\"completed\"");
}

GATE(records_which_container_began)
{
    scene_set_sandboxes(scene, SANDBOXES);
    expect_arrives(scene, CREATE, message_container(GVISOR, "", ""),
                   message_container(GVISOR, "", ""));
    scene_wait_audit(scene, "\"container.decision\"", "\"containerId\"");
    scene_wait_audit(scene, "\"container.decision\"", "\"effective\":\"runsc\"");
}

GATE(follows_the_names_of_image_handlers)
{
    scene_set_sandboxes(scene, SANDBOXES);
    expect_arrives(scene, CREATE, message_container(GVISOR, "", "gvisor"),
                   message_container(GVISOR, "", "runsc"));
    expect_refused(scene, message_container(GVISOR, "", "runcs"), GRPC_STATUS_INVALID_ARGUMENT,
                   "runtime handler \"runcs\" is not declared in the policy; did you mean");
    scene_wait_audit(scene, "\"container.decision\"", "\"unknownRuntime\"");
}

GATE(never_forwards_a_malformed_container)
{
    static const char *const requests[] = {"\x0a", "\x0a\x01x\x0a\x01y", "\x12\x02\x0a\x05"};
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        expect_refused(scene, grpc_slice_from_copied_string(requests[i]),
                       GRPC_STATUS_INVALID_ARGUMENT, "malformed");
    scene_wait_audit(scene, "\"container.decision\"", "\"malformed\"");
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 0);
}

GATE(tells_what_containerd_says_of_no_sandbox)
{
    struct rpc rpc;
    scene_set_sandboxes(scene, SANDBOXES);
    grpc_slice request = message_container("9999", "", "");
    cr_expect_eq(create(scene, CREATE, request, &rpc), GRPC_STATUS_NOT_FOUND);
    cr_expect_eq(grpc_slice_str_cmp(rpc.message, "sandbox: not found"), 0);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_expect_eq(scene_saw(scene, CREATE, "calls"), 0);
    scene_wait_audit(scene, "\"sandboxUnknown\"", "\"container.decision\"");
    scene_wait_audit(scene, "\"completed\"", "\"NOT_FOUND\"");
}

/* After the list of the gate's start, which would name them: each is asked for. */
static void set_sandboxes_to_ask_for(struct scene *scene)
{
    scene_wait_saw(scene, SERVICE "ListPodSandbox", "requests", 1);
    scene_set_sandboxes(scene, SANDBOXES);
}

GATE(refuses_while_the_sandbox_cannot_be_found_out)
{
    set_sandboxes_to_ask_for(scene);
    scene_steer(scene, QUESTION, "fake-status: 13\nfake-message: no database\n");
    expect_refused(scene, message_container(GVISOR, "", ""), GRPC_STATUS_UNAVAILABLE,
                   "no database");
    scene_steer(scene, QUESTION, "fake-reply-size: 100\n");
    expect_refused(scene, message_container(GVISOR, "", ""), GRPC_STATUS_UNAVAILABLE,
                   "containerd's status of a sandbox");
    scene_wait_audit(scene, "\"sandboxUnknown\"", "\"UNAVAILABLE\"");
}

static void start_create(struct scene *scene, struct rpc *rpc, int timeout_ms)
{
    grpc_slice request = message_container(GVISOR, FUSE, "");
    rpc_start(rpc, &scene->client, CREATE, "", NULL, timeout_ms);
    rpc_send(rpc, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
    rpc_half_close(rpc);
    grpc_slice_unref(request);
}

GATE(a_question_ends_at_the_calls_deadline)
{
    struct rpc rpc;
    scene_steer(scene, QUESTION, "fake-hang: 1\n");
    start_create(scene, &rpc, 500);
    cr_expect_eq(rpc_finish(&rpc), GRPC_STATUS_DEADLINE_EXCEEDED);
    rpc_free(&rpc);
    scene_wait_saw(scene, QUESTION, "cancelled", 1);
    scene_wait_audit(scene, "\"sandboxUnknown\"", "\"completed\"");
    cr_expect_eq(scene_saw(scene, CREATE, "calls"), 0);
}

GATE(a_question_ends_with_a_cancelled_call)
{
    struct rpc rpc;
    scene_steer(scene, QUESTION, "fake-hang: 1\n");
    start_create(scene, &rpc, NO_DEADLINE);
    scene_wait_saw(scene, QUESTION, "requests", 1);
    grpc_call_cancel(rpc.call, NULL);
    cr_expect_eq(rpc_finish(&rpc), GRPC_STATUS_CANCELLED);
    rpc_free(&rpc);
    scene_wait_saw(scene, QUESTION, "cancelled", 1);
    scene_wait_audit(scene, "\"CANCELLED\"", "\"completed\"");
    cr_expect_eq(scene_saw(scene, CREATE, "calls"), 0);
}

/* A stop of the gate must not wait for containerd's answer to the gate's own question. */
GATE(a_gate_that_asks_can_be_stopped)
{
    struct rpc rpc;
    scene_steer(scene, QUESTION, "fake-hang: 1\n");
    start_create(scene, &rpc, NO_DEADLINE);
    scene_wait_saw(scene, QUESTION, "requests", 1);
    scene_term_gate(scene);
    grpc_call_cancel(rpc.call, NULL);
    rpc_free(&rpc);
    cr_expect_eq(scene_wait_gate(scene), 0);
}

#define MANY 20

GATE(many_can_ask_at_once)
{
    struct rpc rpcs[MANY];
    set_sandboxes_to_ask_for(scene);
    scene_steer(scene, QUESTION, "fake-delay-ms: 200\n");
    for (size_t i = 0; i < MANY; i++)
        start_create(scene, &rpcs[i], NO_DEADLINE);
    scene_wait_saw(scene, QUESTION, "calls", 2);
    for (size_t i = 0; i < MANY; i++) {
        cr_expect_eq(rpc_finish(&rpcs[i]), GRPC_STATUS_FAILED_PRECONDITION);
        rpc_free(&rpcs[i]);
    }
    cr_expect_eq(scene_saw(scene, CREATE, "calls"), 0);
}

GATE_OBSERVING(observes_containers)
{
    scene_set_sandboxes(scene, SANDBOXES);
    expect_arrives(scene, CREATE, message_container(GVISOR, FUSE, "gvisor"),
                   message_container(GVISOR, FUSE, "gvisor"));
    scene_wait_audit(scene, "\"container.decision\"", "\"wouldRefuse\"");
    scene_wait_audit(scene, "\"incompatible\"", "\"effective\":\"runsc\"");
    expect_arrives(scene, CREATE, message_container("9999", "", ""),
                   message_container("9999", "", ""));
    scene_wait_audit(scene, "\"sandboxUnknown\"", "\"wouldRefuse\"");
    expect_refused(scene, grpc_slice_from_copied_string("\x0a"), GRPC_STATUS_INVALID_ARGUMENT,
                   "malformed");
}

GATE_OBSERVING(observing_does_not_wait_for_an_answer)
{
    struct rpc rpc;
    scene_steer(scene, QUESTION, "fake-hang: 1\n");
    start_create(scene, &rpc, 60000);
    grpc_slice reply;
    cr_assert(rpc_receive(&rpc, &reply));
    grpc_slice_unref(reply);
    cr_expect_eq(rpc_finish(&rpc), GRPC_STATUS_OK);
    rpc_free(&rpc);
    scene_wait_audit(scene, "\"sandboxUnknown\"", "\"wouldRefuse\"");
}

GATE_WITHOUT_AUDIT(refuses_containers_while_audit_fails)
{
    scene_set_sandboxes(scene, SANDBOXES);
    expect_refused(scene, message_container(GVISOR, "", ""), GRPC_STATUS_UNAVAILABLE,
                   "No such file or directory");
}

GATE(judges_the_containers_of_a_restored_pod)
{
    struct rpc rpc;
    grpc_slice request = message_restore("runsc", FUSE);
    cr_expect_eq(create(scene, SERVICE "RestorePod", request, &rpc),
                 GRPC_STATUS_FAILED_PRECONDITION);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_expect(strstr(message, "its container \"sidecar\" asks for"), "%s", message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_expect_eq(scene_saw(scene, SERVICE "RestorePod", "calls"), 0);
    scene_wait_audit(scene, "\"pod.decision\"", "\"container\":{\"name\":\"sidecar\"");
}
