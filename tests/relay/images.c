/* SPDX-License-Identifier: Apache-2.0 */
/* Where images and Status name runtimes: by the policy's names, and else to the byte. */
#include <grpc/support/alloc.h>
#include <string.h>

#include "bytes.h"
#include "messages.h"
#include "scene.h"

#define ALPHA_IMAGES "/runtime.v1alpha2.ImageService/"

static const struct {
    const char *method;
    bool in_filter;
} calls[] = {
    {IMAGES "PullImage", false},       {IMAGES "ImageStatus", false},
    {IMAGES "RemoveImage", false},     {IMAGES "ListImages", true},
    {ALPHA_IMAGES "PullImage", false}, {ALPHA_IMAGES "ListImages", true},
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static void expect_arrives(struct scene *scene, size_t call, const char *asked, const char *sent)
{
    grpc_slice request = message_image(calls[call].in_filter, asked);
    grpc_slice want = message_image(calls[call].in_filter, sent);
    cr_expect_eq(call_unary(&scene->client, calls[call].method, "", GRPC_SLICE_START_PTR(request),
                            GRPC_SLICE_LENGTH(request), NULL),
                 GRPC_STATUS_OK);
    grpc_slice last = scene_last(scene, calls[call].method);
    cr_expect(grpc_slice_eq(last, want), "%s, \"%s\": other bytes arrived", calls[call].method,
              asked);
    grpc_slice_unref(last);
    grpc_slice_unref(want);
    grpc_slice_unref(request);
}

BOTH(images_without_another_name_arrive_to_the_byte)
{
    for (size_t i = 0; i < CALLS; i++) {
        expect_arrives(scene, i, "", "");
        expect_arrives(scene, i, "runsc", "runsc");
    }
    cr_expect_eq(call_unary(&scene->client, IMAGES "ListImages", "", "", 0, NULL), GRPC_STATUS_OK);
}

GATE(image_handlers_get_their_runtimes_name)
{
    for (size_t i = 0; i < CALLS; i++)
        expect_arrives(scene, i, "gvisor", "runsc");
}

static void expect_refused(struct scene *scene, size_t call, grpc_slice request, const char *words)
{
    struct rpc rpc;
    cr_expect_eq(rpc_unary(&rpc, &scene->client, calls[call].method, "",
                           GRPC_SLICE_START_PTR(request), GRPC_SLICE_LENGTH(request), NULL),
                 GRPC_STATUS_INVALID_ARGUMENT);
    char *message = grpc_slice_to_c_string(rpc.message);
    cr_expect(strstr(message, words), "%s", message);
    gpr_free(message);
    rpc_free(&rpc);
    grpc_slice_unref(request);
    cr_expect_eq(scene_saw(scene, calls[call].method, "calls"), 0, "a refused call arrived");
}

GATE(refuses_image_handlers_that_are_not_declared)
{
    for (size_t i = 0; i < CALLS; i++)
        expect_refused(scene, i, message_image(calls[i].in_filter, "runcs"),
                       "crigate: image refused: its runtime handler \"runcs\" is not declared in "
                       "the policy; did you mean");
    scene_wait_audit(scene, "\"image.refused\"", "\"unknownRuntime\"");
    scene_wait_audit(scene, "\"image.refused\"", "ListImages");
}

GATE(refuses_image_handlers_that_can_be_read_in_two_ways)
{
    for (size_t i = 0; i < CALLS; i++)
        expect_refused(scene, i, grpc_slice_from_static_string("\x0a\x05\x0a"), "malformed");
    scene_wait_audit(scene, "\"image.refused\"", "\"malformed\"");
}

GATE_OBSERVING(observes_image_handlers)
{
    for (size_t i = 0; i < CALLS; i++) {
        expect_arrives(scene, i, "gvisor", "gvisor");
        expect_arrives(scene, i, "runcs", "runcs");
        cr_expect_eq(call_unary(&scene->client, calls[i].method, "", "\x0a\x05\x0a", 3, NULL),
                     GRPC_STATUS_OK);
    }
    scene_wait_audit(scene, "\"image.refused\"", "\"wouldRefuse\"");
}

/* --- Status -------------------------------------------------------------------------------- */

static grpc_slice ask(struct client *client, const char *method, const char *headers)
{
    grpc_slice reply;
    cr_assert_eq(call_unary(client, method, headers, "", 0, &reply), GRPC_STATUS_OK);
    return reply;
}

static void expect_same(struct scene *scene, const char *method, const char *headers)
{
    grpc_slice direct = ask(&scene->witness, method, headers);
    grpc_slice through = ask(&scene->client, method, headers);
    cr_expect(grpc_slice_eq(direct, through), "%s: another answer came", method);
    grpc_slice_unref(direct);
    grpc_slice_unref(through);
}

static void add_handler(struct bytes *out, const char *name, bool able)
{
    struct bytes handler = {0}, features = {0};
    if (*name)
        bytes_text(&handler, 1, name);
    if (able) {
        bytes_number(&features, 1, 1);
        bytes_number(&features, 2, 1);
    }
    bytes_nest(&handler, 2, &features);
    bytes_nest(out, 3, &handler);
}

/* The fake's own ends in the handlers; ours are then what must follow its beginning. */
static void expect_names(struct scene *scene, const char *method)
{
    struct bytes theirs = {0}, ours = {0}, want = {0};
    add_handler(&theirs, "", true);
    add_handler(&theirs, "runc", true);
    add_handler(&theirs, "runsc", false);
    add_handler(&ours, "runc", true);
    add_handler(&ours, "runsc", false);
    add_handler(&ours, "gvisor", false);
    add_handler(&ours, "", true);
    grpc_slice direct = ask(&scene->witness, method, "");
    cr_assert_gt(GRPC_SLICE_LENGTH(direct), theirs.len);
    size_t before = GRPC_SLICE_LENGTH(direct) - theirs.len;
    cr_assert_eq(memcmp(GRPC_SLICE_START_PTR(direct) + before, theirs.data, theirs.len), 0);
    bytes_add(&want, GRPC_SLICE_START_PTR(direct), before);
    bytes_add(&want, ours.data, ours.len);
    grpc_slice wanted = bytes_slice(&want), got = ask(&scene->client, method, "");
    cr_expect(grpc_slice_eq(got, wanted), "%s: other bytes", method);
    grpc_slice_unref(direct);
    grpc_slice_unref(wanted);
    grpc_slice_unref(got);
    bytes_free(&theirs);
    bytes_free(&ours);
}

GATE(status_has_the_names_of_the_policy)
{
    expect_names(scene, SERVICE "Status");
    expect_names(scene, "/runtime.v1alpha2.RuntimeService/Status");
}

BOTH(a_status_that_cannot_be_read_goes_on)
{
    for (int i = 0; i < 3; i++)
        expect_same(scene, SERVICE "Status", "fake-reply-size: 3\n");
    cr_expect_eq(call_unary(&scene->client, SERVICE "Status", "fake-status: 14\nfake-message: no\n",
                            "", 0, NULL),
                 GRPC_STATUS_UNAVAILABLE);
}

BOTH(version_and_configuration_are_as_they_came)
{
    expect_same(scene, SERVICE "Version", "");
    expect_same(scene, SERVICE "RuntimeConfig", "fake-reply-size: 100\n");
}

GATE_OBSERVING(observing_leaves_status_alone)
{
    expect_same(scene, SERVICE "Status", "");
}
