/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateContainer: bytes -> facts -> its sandbox's runtime -> decision. What counts is the sandbox
 * that the request names, as containerd runs it, not what sandbox_config says of it.
 */
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "gate/call_parts.h"
#include "gate/inspect_container.h"

/* Containerd tells of a sandbox from its memory. */
#define ASK_MS 30000
/* To observe is not to be in the way: the record then says that the sandbox is not known. */
#define OBSERVE_ASK_MS 1000

struct container_call {
    struct judged_call judged;
    struct container_request asked;
    struct ask *ask; /* under way, or NULL */
};

/* Containerd takes a unique beginning of an id, too; but once it reads the request, that may be the
 * beginning of another sandbox's: the one that was judged is named by its whole id. */
static bool needs_whole_id(const struct container_call *call)
{
    const struct judgement *judgement = &call->judged.judgement;
    return policy_mode(judgement->policy) == POLICY_ENFORCE &&
           !str_eq(judgement->sandbox_id, call->asked.sandbox_id);
}

/* As it came, but for the sandbox's whole id, and for the runtime's own name in the ImageSpec. */
static int write_request(struct container_call *call, struct str *request, struct err *err)
{
    struct judged_call *judged = &call->judged;
    const struct judgement *judgement = &judged->judgement;
    if (needs_whole_id(call) && inspect_container_put_sandbox(*request, judgement->sandbox_id,
                                                              &judged->arena, request, err) < 0)
        return -1;
    if (judgement->image_handler.len == 0)
        return 0;
    return inspect_image_replace(IMAGE_IN_CONTAINER, *request, judgement->image_handler,
                                 &judged->arena, request, err);
}

static grpc_byte_buffer *request_to_send(struct judged_call *judged, struct err *err)
{
    struct container_call *call = container_of(judged, struct container_call, judged);
    struct str came = str_of_slice(&judged->request), request = came;
    if (write_request(call, &request, err) < 0) {
        err_wrap(err, "crigate");
        return NULL;
    }
    if (request.data == came.data)
        return grpc_raw_byte_buffer_create(&judged->request, 1);
    return payload_copy(request);
}

/* The kubelet does not wait any longer. */
static void abandon(struct relay *relay)
{
    struct container_call *call = container_of(relay, struct container_call, judged.relay);
    if (call->ask)
        ask_cancel(call->ask);
}

/* The handler is the census's until its next change, and the record is made later. */
static void judge(struct container_call *call, const struct census_finding *finding)
{
    struct judged_call *judged = &call->judged;
    struct str id = arena_str(&judged->arena, finding->id);
    struct str handler = arena_str(&judged->arena, finding->handler);
    if (!id.data || !handler.data) {
        judgement_sandbox_unknown(&judged->judgement, GRPC_STATUS_UNAVAILABLE,
                                  STR("memory is out"));
        return;
    }
    judged->judgement.sandbox_id = id;
    judgement_of_container(&judged->judgement, handler, call->asked.image_handler,
                           node_labels_set(judged->labels));
}

static void on_found(void *cookie, const struct census_finding *finding)
{
    struct container_call *call = cookie;
    struct judged_call *judged = &call->judged;
    call->ask = NULL;
    if (finding->code == GRPC_STATUS_OK)
        judge(call, finding);
    else
        judgement_sandbox_unknown(&judged->judgement, finding->code, finding->message);
    judged_decided(judged);
    relay_drop(&judged->relay);
}

/* At most what is left of the call's own time; half of it if the call is to go on all the same. */
static int time_to_ask(const struct judged_call *judged)
{
    gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
    gpr_timespec deadline = gpr_convert_clock_type(judged->relay.in.deadline, GPR_CLOCK_MONOTONIC);
    int left = gpr_time_to_millis(gpr_time_sub(deadline, now));
    bool observing = policy_mode(judged->policy) == POLICY_OBSERVE;
    int most = observing ? OBSERVE_ASK_MS : ASK_MS;
    left = observing ? left / 2 : left;
    return left < most ? left : most;
}

static void find_sandbox(struct container_call *call)
{
    struct judged_call *judged = &call->judged;
    judgement_takes_container(&judged->judgement, call->asked.sandbox_id, &call->asked.pod,
                              &call->asked.facts);
    judged->relay.abandoned = abandon;
    relay_hold(&judged->relay);
    call->ask = census_find(judged->gate->census, call->asked.sandbox_id, time_to_ask(judged),
                            on_found, call);
}

void container_call(struct gate *gate, const struct relay_arrival *arrival,
                    grpc_byte_buffer *payload)
{
    static const struct judged_kind kind = {.request = request_to_send,
                                            .made = inspect_container_id};
    struct container_call *call = grpc_call_arena_alloc(arrival->call, sizeof(*call));
    struct judged_call *judged = &call->judged;
    struct err err;
    call->ask = NULL;
    judged_begin(judged, &kind, gate, arrival, payload);
    judged->judgement.of_container = true;
    int read = judged->has_request ? inspect_container(str_of_slice(&judged->request),
                                                       &judged->arena, &call->asked, &err)
                                   : err_set(&err, "the call carries no request");
    if (read == 0) {
        find_sandbox(call);
        return;
    }
    judgement_malformed(&judged->judgement, &err);
    judged_decided(judged);
}
