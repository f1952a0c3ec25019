/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate knows of the sandboxes: by answers, by lists, by a question. */
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "messages.h"
#include "scene.h"

#define CREATE SERVICE "CreateContainer"
#define QUESTION SERVICE "PodSandboxStatus"
#define LIST SERVICE "ListPodSandbox"
#define GVISOR "1f00000000000000000000000000000000000000000000000000000000000000"
#define HOST "2e00000000000000000000000000000000000000000000000000000000000000"
#define FUSE "/dev/fuse"

/* A container with a device: FAILED_PRECONDITION is the answer for one that runs under runsc. */
static grpc_status_code create(struct scene *scene, const char *sandbox)
{
    grpc_slice request = message_container(sandbox, FUSE, "");
    grpc_status_code code = call_unary(&scene->client, CREATE, "", GRPC_SLICE_START_PTR(request),
                                       GRPC_SLICE_LENGTH(request), NULL);
    grpc_slice_unref(request);
    return code;
}

static void wait_for(struct scene *scene, const char *sandbox, grpc_status_code code)
{
    for (uint64_t end = now_ns() + 30000000000ull; create(scene, sandbox) != code;) {
        cr_assert_lt(now_ns(), end, "%s never gives %d", sandbox, (int)code);
        nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
    }
}

/* From now on, what is not in the table cannot be found out. */
static void refuse_questions(struct scene *scene)
{
    scene_steer(scene, QUESTION, "fake-status: 13\nfake-message: not this way\n");
}

/* Begins a pod through the gate, and gives its id. */
static void run_pod(struct scene *scene, const char *method, const char *handler, char id[65])
{
    grpc_slice request = message_pod("build-7", handler), reply;
    cr_assert_eq(call_unary(&scene->client, method, "", GRPC_SLICE_START_PTR(request),
                            GRPC_SLICE_LENGTH(request), &reply),
                 GRPC_STATUS_OK);
    cr_assert_eq(GRPC_SLICE_LENGTH(reply), 66);
    memcpy(id, GRPC_SLICE_START_PTR(reply) + 2, 64);
    id[64] = 0;
    grpc_slice_unref(reply);
    grpc_slice_unref(request);
}

static void remove_pod(struct scene *scene, const char *headers, const char *id)
{
    grpc_slice request = message_sandbox_id(id);
    call_unary(&scene->client, SERVICE "RemovePodSandbox", headers, GRPC_SLICE_START_PTR(request),
               GRPC_SLICE_LENGTH(request), NULL);
    grpc_slice_unref(request);
}

GATE(knows_what_has_begun_through_it)
{
    static const char *const methods[] = {SERVICE "RunPodSandbox",
                                          "/runtime.v1alpha2.RuntimeService/RunPodSandbox"};
    for (size_t i = 0; i < 2; i++) {
        char gvisor[65], host[65];
        run_pod(scene, methods[i], "gvisor", gvisor);
        run_pod(scene, methods[i], "", host);
        cr_expect_eq(create(scene, gvisor), GRPC_STATUS_FAILED_PRECONDITION);
        cr_expect_eq(create(scene, host), GRPC_STATUS_OK);
    }
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 0);
}

GATE(forgets_what_was_removed_through_it)
{
    char id[65];
    run_pod(scene, SERVICE "RunPodSandbox", "runsc", id);
    remove_pod(scene, "fake-status: 9\n", id);
    cr_expect_eq(create(scene, id), GRPC_STATUS_FAILED_PRECONDITION, "it was not removed");
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 0);
    remove_pod(scene, "", id);
    cr_expect_eq(create(scene, id), GRPC_STATUS_NOT_FOUND);
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 1);
}

/* The sandboxes of these come after the list of the gate's start, which would name them. */
static void wait_for_list(struct scene *scene)
{
    scene_wait_saw(scene, LIST, "requests", 1);
}

GATE(asks_once_for_one_that_it_does_not_know)
{
    wait_for_list(scene);
    scene_set_sandboxes(scene, GVISOR " runsc\n" HOST " runc\n");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(create(scene, GVISOR), GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 1);
}

GATE(takes_a_unique_beginning_of_an_id)
{
    wait_for_list(scene);
    scene_set_sandboxes(scene, GVISOR " runsc\n" HOST " runc\n");
    cr_expect_eq(create(scene, "1f"), GRPC_STATUS_FAILED_PRECONDITION);
    scene_wait_audit(scene, "\"container.decision\"", "\"" GVISOR "\"");
    cr_expect_eq(create(scene, GVISOR), GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 1, "the whole id is known");
    cr_expect_eq(create(scene, ""), GRPC_STATUS_NOT_FOUND);
}

/* By the time that containerd reads a beginning, it may be another sandbox's. */
static void expect_sent(struct scene *scene, grpc_slice request, grpc_slice want)
{
    cr_expect_eq(call_unary(&scene->client, CREATE, "", GRPC_SLICE_START_PTR(request),
                            GRPC_SLICE_LENGTH(request), NULL),
                 GRPC_STATUS_OK);
    grpc_slice last = scene_last(scene, CREATE);
    cr_expect(grpc_slice_eq(last, want), "other bytes arrived");
    grpc_slice_unref(last);
    grpc_slice_unref(want);
    grpc_slice_unref(request);
}

GATE(the_sandbox_that_was_judged_goes_on_by_its_whole_id)
{
    wait_for_list(scene);
    scene_set_sandboxes(scene, GVISOR " runsc\n" HOST " runc\n");
    expect_sent(scene, message_container("2e", FUSE, ""), message_container(HOST, FUSE, ""));
    expect_sent(scene, message_container("1f0", "", "gvisor"),
                message_container(GVISOR, "", "runsc"));
}

GATE_OBSERVING(observing_leaves_the_beginning_of_an_id)
{
    wait_for_list(scene);
    scene_set_sandboxes(scene, HOST " runc\n");
    expect_sent(scene, message_container("2e", "", ""), message_container("2e", "", ""));
}

/* Containerd's answer is then older than the removal, and nothing would take it out again. */
GATE(a_late_answer_brings_nothing_back)
{
    struct rpc rpc;
    wait_for_list(scene);
    scene_set_sandboxes(scene, GVISOR " runsc\n");
    scene_steer(scene, QUESTION, "fake-delay-ms: 500\n");
    grpc_slice request = message_container(GVISOR, FUSE, "");
    rpc_start(&rpc, &scene->client, CREATE, "", NULL, NO_DEADLINE);
    rpc_send(&rpc, GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request));
    rpc_half_close(&rpc);
    grpc_slice_unref(request);
    scene_wait_saw(scene, QUESTION, "requests", 1);
    remove_pod(scene, "", GVISOR);
    scene_steer(scene, QUESTION, "");
    cr_expect_eq(rpc_finish(&rpc), GRPC_STATUS_FAILED_PRECONDITION);
    rpc_free(&rpc);
    create(scene, GVISOR);
    cr_expect_eq(scene_saw(scene, QUESTION, "calls"), 2, "it was known, and is gone");
}

GATE(reads_the_list_at_its_start)
{
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_set_sandboxes(scene, GVISOR " runsc\n" HOST " runc\n");
    refuse_questions(scene);
    scene_start_gate(scene);
    wait_for(scene, GVISOR, GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(create(scene, HOST), GRPC_STATUS_OK);
}

GATE(reads_the_list_when_containerd_comes_later)
{
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_kill_fake(scene);
    scene_start_gate(scene);
    scene_start_fake(scene);
    /* No call of ours: the gate connects by itself. */
    scene_wait_saw(scene, LIST, "requests", 1);
}

/* Containerd listens before it can answer. */
GATE(asks_again_for_a_list_that_it_did_not_get)
{
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_set_sandboxes(scene, GVISOR " runsc\n");
    refuse_questions(scene);
    scene_steer(scene, LIST, "fake-status: 14\nfake-message: not yet\n");
    uint64_t before = scene_saw(scene, LIST, "calls");
    scene_start_gate(scene);
    scene_wait_saw(scene, LIST, "calls", before + 2);
    scene_steer(scene, LIST, "");
    wait_for(scene, GVISOR, GRPC_STATUS_FAILED_PRECONDITION);
}

GATE(reads_the_list_when_containerd_returns)
{
    char id[65];
    run_pod(scene, SERVICE "RunPodSandbox", "runsc", id);
    cr_expect_eq(create(scene, id), GRPC_STATUS_FAILED_PRECONDITION);
    scene_kill_fake(scene);
    scene_start_fake(scene);
    for (uint64_t end = now_ns() + 30000000000ull;
         call_unary(&scene->witness, "/fake.Fake/Saw", "", "", 0, NULL) != GRPC_STATUS_OK;)
        cr_assert_lt(now_ns(), end, "the fake cannot be reached");
    scene_set_sandboxes(scene, GVISOR " runsc\n");
    refuse_questions(scene);
    wait_for(scene, GVISOR, GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(create(scene, id), GRPC_STATUS_UNAVAILABLE, "it is gone, and still known");
}

/* The list must not take a pod that it could not yet name. */
GATE(a_list_keeps_what_has_begun_meanwhile)
{
    char id[65];
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_set_sandboxes(scene, GVISOR " runsc\n");
    scene_steer(scene, LIST, "fake-delay-ms: 1000\n");
    refuse_questions(scene);
    uint64_t before = scene_saw(scene, LIST, "requests");
    scene_start_gate(scene);
    scene_wait_saw(scene, LIST, "requests", before + 1);
    run_pod(scene, SERVICE "RunPodSandbox", "runsc", id);
    wait_for(scene, GVISOR, GRPC_STATUS_FAILED_PRECONDITION);
    cr_expect_eq(create(scene, id), GRPC_STATUS_FAILED_PRECONDITION);
}

GATE(a_hanging_list_is_in_nobodys_way)
{
    scene_term_gate(scene);
    cr_assert_eq(scene_wait_gate(scene), 0);
    scene_steer(scene, LIST, "fake-hang: 1\n");
    uint64_t before = scene_saw(scene, LIST, "requests");
    scene_start_gate(scene);
    scene_wait_saw(scene, LIST, "requests", before + 1);
    scene_set_sandboxes(scene, GVISOR " runsc\n");
    cr_expect_eq(create(scene, GVISOR), GRPC_STATUS_FAILED_PRECONDITION);
    /* The scene's end shows that the gate still stops. */
}
