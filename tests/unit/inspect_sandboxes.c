/* SPDX-License-Identifier: Apache-2.0 */
/* Containerd's answers about sandboxes: what is read, what is passed over, what is broken. */
#include "gate/inspect_sandboxes.h"

#include "inspect_bed.h"

struct told {
    struct str id[4], handler[4];
    size_t count;
};

static void tell(void *cookie, struct str id, struct str handler)
{
    struct told *told = cookie;
    cr_assert(told->count < COUNT(told->id));
    cr_assert(id.data && handler.data);
    told->id[told->count] = id;
    told->handler[told->count++] = handler;
}

Test(inspect_sandboxes, asks_by_id)
{
    OWNED_ARENA struct arena arena = {0};
    struct str request = inspect_sandbox_request(STR("5f0c"), &arena);
    cr_expect(str_eq(request, STR("\x0a\x04"
                                  "5f0c")));
    cr_expect(str_eq(inspect_requested_sandbox(request), STR("5f0c")));
    request = inspect_sandbox_request(STR(""), &arena);
    cr_expect(request.data && str_eq(request, STR("\x0a\x00")));
    char id[300];
    memset(id, 'f', sizeof(id));
    struct str longer = {.data = id, .len = sizeof(id)};
    request = inspect_sandbox_request(longer, &arena);
    cr_expect(str_eq(inspect_requested_sandbox(request), longer));
}

Test(inspect_sandboxes, knows_no_id_in_a_request_that_could_be_read_two_ways)
{
    static const struct str requests[] = {
        STR(""),
        STR("\x08\x01"),
        STR("\x0a\x01"
            "a\x0a\x01"
            "b"),
        STR("\x0a\x02"
            "a"),
        STR("\x0a\x01\0"),
        STR("\x0a\x01\xff"),
        STR("\x0a\x01"
            "a\x7b"),
    };
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct str id = inspect_requested_sandbox(requests[i]);
        cr_expect(id.data && id.len == 0, "request %zu", i);
    }
}

Test(inspect_sandboxes, lists_ids_and_handlers)
{
    struct told told = {0};
    struct err err = {0};
    struct str reply = STR("\x0a\x07\x0a\x01"
                           "a\x3a\x02rc" /* handler behind the id */
                           "\x0a\x07\x3a\x02rs\x0a\x01"
                           "b"            /* before it */
                           "\x12\x01\xff" /* an unknown field */
                           "\x0a\x03\x0a\x01"
                           "c"                  /* no handler */
                           "\x0a\x04\x3a\x02rs" /* no id */
                           "\x0a\x09\x18\x01\x38\x05\x0a\x01"
                           "d\x18\x00"); /* a handler that is none */
    cr_assert_eq(inspect_sandbox_list(reply, tell, &told, &err), 0, "%s", err.text);
    cr_assert_eq(told.count, 4);
    cr_expect(str_eq(told.id[0], STR("a")) && str_eq(told.handler[0], STR("rc")));
    cr_expect(str_eq(told.id[1], STR("b")) && str_eq(told.handler[1], STR("rs")));
    cr_expect(str_eq(told.id[2], STR("c")) && str_eq(told.handler[2], STR("")));
    cr_expect(str_eq(told.id[3], STR("d")) && str_eq(told.handler[3], STR("")));
    cr_expect_eq(inspect_sandbox_list(STR(""), tell, &told, NULL), 0);
    cr_expect_eq(told.count, 4);
}

Test(inspect_sandboxes, tells_of_a_broken_list)
{
    struct told told = {0};
    struct err err = {0};
    struct str item = STR("\x0a\x03\x0a\x01"
                          "a\x0a\x05\x0a\x01"
                          "b\x3a\x02");
    cr_expect_eq(inspect_sandbox_list(item, tell, &told, &err), -1);
    cr_expect_str_eq(err.text, "a sandbox in containerd's reply: a value of 2 bytes where 0 are "
                               "left (byte 5)");
    cr_expect_eq(told.count, 1, "what came before has been told");
    cr_expect_eq(inspect_sandbox_list(STR("\x0a\x7f"), tell, &told, &err), -1);
    cr_expect_str_eq(err.text, "containerd's list of sandboxes: a value of 127 bytes where 0 are "
                               "left (byte 2)");
}

Test(inspect_sandboxes, reads_the_handler_of_a_status)
{
    struct str id, handler;
    cr_expect_eq(inspect_sandbox_status(STR("\x0a\x07\x0a\x01"
                                            "a\x4a\x02rs\x12\x00"),
                                        &id, &handler, NULL),
                 0);
    cr_expect(str_eq(id, STR("a")) && str_eq(handler, STR("rs")));
    cr_expect_eq(inspect_sandbox_status(STR("\x0a\x07\x0a\x01"
                                            "a\x3a\x02rs"),
                                        &id, &handler, NULL),
                 0);
    cr_expect(str_eq(id, STR("a")) && str_eq(handler, STR("")), "the list's number is a label's");
    static const struct str broken[] = {
        STR(""),
        STR("\x08\x01"),
        STR("\x0a\x00"),
        STR("\x0a\x04\x4a\x02rs"),
        STR("\x0a\x05\x0a\x01"
            "a\x4a\x02"),
    };
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct err err = {0};
        cr_expect_eq(inspect_sandbox_status(broken[i], &id, &handler, &err), -1, "reply %zu", i);
        cr_expect(err.text[0] && id.data && handler.data);
    }
}

/* Puts `value` behind a tag and a length of one byte each. */
static size_t put(char *to, int number, struct str value)
{
    char head[] = {(char)(number << 3 | 2), (char)value.len};
    memcpy(to, head, 2);
    memcpy(to + 2, value.data, value.len);
    return 2 + value.len;
}

/* A sandbox "a" with the annotation, within field 1 of a reply, as both replies have it. */
static struct str reply_with(char *text, int annotations, const char *value, int handlers,
                             const char *handler)
{
    char pair[80], sandbox[120];
    size_t pair_len = put(pair, 1, STR("io.kubernetes.cri.untrusted-workload")), len;
    pair_len += put(pair + pair_len, 2, str_of(value));
    len = put(sandbox, 1, STR("a"));
    len += put(sandbox + len, annotations, STR("\x0a\x01k\x12\x04true"));
    len += put(sandbox + len, annotations, (struct str){pair, pair_len});
    len += put(sandbox + len, handlers, str_of(handler));
    return (struct str){text, put(text, 1, (struct str){sandbox, len})};
}

/* Containerd keeps the handler that was asked for, and runs the pod by the annotation. */
Test(inspect_sandboxes, knows_untrusted_pods_by_their_annotation)
{
    static const struct {
        const char *value, *handler, *want;
    } cases[] = {{"true", "", "untrusted"},
                 {"false", "", ""},
                 {"True", "", ""},
                 {"", "", ""},
                 {"true", "runsc", "runsc"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_ARENA struct arena arena = {0};
        char text[128];
        struct str id, handler;
        struct told told = {0};
        struct sandbox_facts *list;
        size_t count;
        struct str reply = reply_with(text, 8, cases[i].value, 9, cases[i].handler);
        cr_assert_eq(inspect_sandbox_status(reply, &id, &handler, NULL), 0);
        cr_expect(str_eq(handler, str_of(cases[i].want)), "status %zu", i);
        reply = reply_with(text, 6, cases[i].value, 7, cases[i].handler);
        cr_assert_eq(inspect_sandbox_list(reply, tell, &told, NULL), 0);
        cr_expect(str_eq(told.handler[0], str_of(cases[i].want)), "list %zu", i);
        cr_assert_eq(inspect_sandboxes(reply, &arena, &list, &count, NULL), 0);
        cr_expect(str_eq(list[0].handler, str_of(cases[i].want)), "whole list %zu", i);
    }
}

Test(inspect_sandboxes, reads_all_of_a_list)
{
    OWNED_ARENA struct arena arena = {0};
    Cri__PodSandbox first = CRI__POD_SANDBOX__INIT, second = CRI__POD_SANDBOX__INIT;
    Cri__PodSandboxMetadata metadata = CRI__POD_SANDBOX_METADATA__INIT;
    Cri__StringPair pair = CRI__STRING_PAIR__INIT, *pairs = &pair;
    metadata.name = bytes_of("build-7");
    metadata.namespace_ = bytes_of("agents");
    metadata.uid = bytes_of("0b1c");
    metadata.attempt = 1;
    pair.key = bytes_of("io.kubernetes.cri.untrusted-workload");
    pair.value = bytes_of("true");
    first.id = bytes_of("5f0c");
    first.metadata = &metadata;
    first.created_at = INT64_C(1784021482518382651);
    first.labels = &pairs;
    first.n_labels = 1;
    first.runtime_handler = bytes_of("runsc");
    second.id = bytes_of("77");
    second.state = CRI__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
    second.annotations = &pairs;
    second.n_annotations = 1;

    char reply[512];
    struct str items[] = {pack(&first, &arena), pack(&second, &arena)};
    size_t len = 0;
    for (size_t i = 0; i < COUNT(items); i++) {
        cr_assert(items[i].len < 128 * 128);
        reply[len++] = 0x0a;
        reply[len++] = (char)(items[i].len | 0x80);
        reply[len++] = (char)(items[i].len >> 7);
        memcpy(reply + len, items[i].data, items[i].len);
        len += items[i].len;
    }
    struct sandbox_facts *list;
    size_t count;
    struct err err = {0};
    cr_assert_eq(inspect_sandboxes((struct str){reply, len}, &arena, &list, &count, &err), 0, "%s",
                 err.text);
    cr_assert_eq(count, 2);
    cr_expect(str_eq(list[0].id, STR("5f0c")) && str_eq(list[0].handler, STR("runsc")));
    cr_expect(list[0].ready);
    cr_expect_eq(list[0].created_at, INT64_C(1784021482518382651));
    cr_expect(str_eq(list[0].pod.name, STR("build-7")));
    cr_expect(str_eq(list[0].pod.namespace, STR("agents")));
    cr_expect(str_eq(list[0].pod.uid, STR("0b1c")));
    cr_expect(str_eq(list[0].pod.handler, STR("runsc")));
    cr_expect_eq(list[0].pod.attempt, 1);
    cr_expect_eq(list[0].pod.labels.count, 1);
    cr_expect_not(list[0].pod.untrusted);
    cr_expect_not(list[1].ready);
    cr_expect(list[1].pod.untrusted && str_eq(list[1].handler, STR("untrusted")));
    cr_expect(list[1].pod.name.data && list[1].pod.name.len == 0);
}

Test(inspect_sandboxes, reads_a_list_of_more_than_any_request_holds)
{
    OWNED_ARENA struct arena arena = {0};
    const size_t many = 100000;
    char *reply = malloc(many * 5);
    cr_assert_not_null(reply);
    for (size_t i = 0; i < many; i++)
        memcpy(reply + 5 * i, "\x0a\x03\x0a\x01x", 5);
    struct sandbox_facts *list;
    size_t count;
    cr_assert_eq(inspect_sandboxes((struct str){reply, many * 5}, &arena, &list, &count, NULL), 0);
    cr_expect_eq(count, many);
    cr_expect(str_eq(list[many - 1].id, STR("x")));
    free(reply);
}

Test(inspect_sandboxes, tells_of_a_list_that_cannot_be_read)
{
    OWNED_ARENA struct arena arena = {0};
    struct sandbox_facts *list;
    size_t count;
    struct err err = {0};
    cr_expect_eq(inspect_sandboxes(STR("\x0a"), &arena, &list, &count, &err), -1);
    cr_expect_str_eq(err.text, "containerd's list of sandboxes: a number is cut off by the end "
                               "(byte 1)");
    cr_expect_eq(inspect_sandboxes(STR("\x0a\x02\x0a\x05"), &arena, &list, &count, &err), -1);
    cr_expect_str_eq(err.text, "containerd's list of sandboxes: an item of 2 bytes is broken, or "
                               "memory is out");
}

Test(inspect_sandboxes, reads_the_namespaces_of_a_status)
{
    OWNED_ARENA struct arena arena = {0};
    struct sandbox_facts sandbox = {.pod.host_ipc = true};
    struct str reply = STR("\x0a\x0a\x32\x08\x0a\x06\x12\x04\x08\x02\x10\x02\x12\x00");
    cr_assert_eq(inspect_sandbox_namespaces(reply, &arena, &sandbox, NULL), 0);
    cr_expect(sandbox.pod.host_network && sandbox.pod.host_pid && !sandbox.pod.host_ipc);
    static const struct str less[] = {STR(""), STR("\x0a\x00"), STR("\x0a\x02\x32\x00"),
                                      STR("\x0a\x04\x32\x02\x0a\x00")};
    for (size_t i = 0; i < COUNT(less); i++) {
        sandbox.pod.host_network = true;
        cr_assert_eq(inspect_sandbox_namespaces(less[i], &arena, &sandbox, NULL), 0);
        cr_expect_not(sandbox.pod.host_network, "reply %zu", i);
    }
    struct err err = {0};
    cr_expect_eq(inspect_sandbox_namespaces(STR("\x0a\x05"), &arena, &sandbox, &err), -1);
    cr_expect(err.text[0]);
}
