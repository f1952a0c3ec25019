/* SPDX-License-Identifier: Apache-2.0 */
/* What lists, events and errors of an API server say of a Node: real ones, odd ones, wrong ones. */
#include <criterion/criterion.h>

#include "base/file.h"
#include "kubernetes/node_object.h"

#define SAMPLES SOURCE_ROOT "/tests/api/samples/"

static struct str sample(struct arena *arena, const char *name)
{
    char path[256];
    struct str text = STR("");
    struct err err = {0};
    snprintf(path, sizeof(path), SAMPLES "%s", name);
    cr_assert_eq(file_read(path, 1 << 20, arena, &text, &err), 0, "%s: %s", path, err.text);
    return text;
}

/* The value of a label, "(none)" without it. */
static struct str value_of(const struct node_object *object, const char *key)
{
    const struct str *value = label_set_find(&object->labels, str_of(key), label_hash(str_of(key)));
    return value ? *value : STR("(none)");
}

static enum node_news event(const char *text, struct node_object *object, struct err *err)
{
    return node_object_from_event(str_of(text), "lab", object, err);
}

static void expect_wrong_list(const char *text, const char *reason)
{
    struct node_object object = {0};
    struct err err = {0};
    cr_expect_eq(node_object_from_list(str_of(text), "lab", &object, &err), NODE_WRONG, "%s", text);
    cr_expect(strstr(err.text, reason), "of %s: %s", text, err.text);
    arena_free(&object.arena);
}

static void expect_wrong_event(const char *text, const char *reason)
{
    struct node_object object = {0};
    struct err err = {0};
    cr_expect_eq(event(text, &object, &err), NODE_WRONG, "%s", text);
    cr_expect(strstr(err.text, reason), "of %s: %s", text, err.text);
    arena_free(&object.arena);
}

Test(node_object, reads_a_real_list)
{
    OWNED_ARENA struct arena arena = {0};
    struct node_object object = {0};
    struct err err = {0};
    struct str text = sample(&arena, "node-list.json");
    cr_assert_eq(node_object_from_list(text, "lab", &object, &err), NODE_LABELS, "%s", err.text);
    cr_expect(str_eq(object.version, STR("352")), "the list's own version");
    cr_expect_eq(object.labels.count, 6);
    cr_expect(str_eq(value_of(&object, "agenttier.io/runtime"), STR("gvisor")));
    arena_free(&object.arena);
}

Test(node_object, reads_a_real_watch)
{
    static const enum node_news expected[] = {NODE_LABELS, NODE_LABELS, NODE_LABELS, NODE_BOOKMARK,
                                              NODE_BOOKMARK};
    static const char *const runtimes[] = {"(none)", "gvisor", "runc", "(none)", "(none)"};
    static const char *const versions[] = {"258", "259", "261", "261", "261"};
    OWNED_ARENA struct arena arena = {0};
    struct str text = sample(&arena, "node-watch.jsonl");
    for (size_t i = 0; i < 5; i++) {
        struct node_object object = {0};
        struct err err = {0};
        size_t len = (size_t)((char *)memchr(text.data, '\n', text.len) - text.data);
        struct str line = {.data = text.data, .len = len};
        cr_expect_eq(node_object_from_event(line, "lab", &object, &err), expected[i], "%zu: %s", i,
                     err.text);
        cr_expect(str_eq(value_of(&object, "agenttier.io/runtime"), str_of(runtimes[i])));
        cr_expect(str_eq(object.version, str_of(versions[i])));
        arena_free(&object.arena);
        text.data += len + 1;
        text.len -= len + 1;
    }
    cr_expect_eq(text.len, 0);
}

Test(node_object, reads_real_endings)
{
    OWNED_ARENA struct arena arena = {0};
    struct node_object object = {0};
    struct err err = {0};
    struct str deleted = sample(&arena, "node-watch-deleted.jsonl");
    struct str expired = sample(&arena, "node-watch-expired.jsonl");
    cr_expect_eq(node_object_from_event(deleted, "lab", &object, &err), NODE_GONE, "%s", err.text);
    cr_expect_eq(object.labels.count, 0);
    cr_expect_eq(node_object_from_event(expired, "lab", &object, &err), NODE_EXPIRED);
    cr_expect(strstr(err.text, "410: too old resource version"), "%s", err.text);
    arena_free(&object.arena);
}

Test(node_object, tells_a_Node_that_is_gone_from_another_404)
{
    OWNED_ARENA struct arena arena = {0};
    char message[256];
    struct str gone = sample(&arena, "node-notfound.json");
    struct str forbidden = sample(&arena, "node-forbidden.json");
    cr_expect(node_object_from_error(gone, "lab", message, sizeof(message)));
    cr_expect_str_eq(message, "nodes \"lab\" not found");
    cr_expect_not(node_object_from_error(gone, "other", message, sizeof(message)));
    cr_expect_not(node_object_from_error(forbidden, "lab", message, sizeof(message)));
    cr_expect(strstr(message, "is forbidden"));
    cr_expect_not(node_object_from_error(STR("404 page not found"), "lab", message, 256));
    cr_expect_str_eq(message, "");
    struct str path =
        STR("{\"kind\":\"Status\",\"message\":\"no such\\u001b[2J resource\",\"reason\":"
            "\"NotFound\",\"details\":{},\"code\":404}");
    cr_expect_not(node_object_from_error(path, "lab", message, sizeof(message)));
    cr_expect_str_eq(message, "no such\\x1b[2J resource", "escaped");
}

Test(node_object, knows_a_Node_without_labels)
{
    static const char *const texts[] = {
        "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":"
        "{\"name\":\"lab\"}}]}",
        "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":"
        "{\"name\":\"lab\",\"labels\":null}}]}",
        "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":"
        "{\"name\":\"lab\",\"labels\":{}}}],\"more\":[1.5,{\"x\":\"\\u0000\"}]}",
    };
    for (size_t i = 0; i < 3; i++) {
        struct node_object object = {0};
        struct err err = {0};
        cr_expect_eq(node_object_from_list(str_of(texts[i]), "lab", &object, &err), NODE_LABELS,
                     "%s: %s", texts[i], err.text);
        cr_expect_eq(object.labels.count, 0);
        arena_free(&object.arena);
    }
}

Test(node_object, knows_that_the_Node_is_gone)
{
    struct node_object object = {0};
    struct err err = {0};
    struct str empty =
        STR("{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
    cr_expect_eq(node_object_from_list(empty, "lab", &object, &err), NODE_GONE);
    cr_expect(str_eq(object.version, STR("7")));
    arena_free(&object.arena);
}

#define LIST(items) \
    "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":" items "}"
#define ITEM(name, labels) "{\"metadata\":{\"name\":\"" name "\",\"labels\":" labels "}}"

Test(node_object, takes_no_wrong_list)
{
    expect_wrong_list("", "no JSON");
    expect_wrong_list("<html>", "no JSON");
    expect_wrong_list("{\"kind\":\"NodeList\"", "no JSON");
    expect_wrong_list("[]", "no NodeList");
    expect_wrong_list("{\"kind\":\"PodList\"}", "no NodeList");
    expect_wrong_list("{\"kind\":\"NodeList\",\"items\":[]}", "resourceVersion is missing");
    expect_wrong_list("{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1&watch=\"},"
                      "\"items\":[]}",
                      "is no version");
    expect_wrong_list("{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"}}",
                      "0 items");
    expect_wrong_list(LIST("{}"), "0 items");
    expect_wrong_list(LIST("[{}]"), "is not the Node \"lab\"");
    expect_wrong_list(LIST("[" ITEM("other", "{}") "]"), "is not the Node \"lab\" but \"other\"");
    expect_wrong_list(LIST("[" ITEM("lab", "{}") "," ITEM("lab", "{}") "]"), "2 items");
    expect_wrong_list(LIST("[" ITEM("lab", "[]") "]"), "metadata.labels is no object");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a\":1}") "]"), "the label a is no text");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a\":null}") "]"), "the label a is no text");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a\":\"b\",\"a\":\"c\"}") "]"), "duplicate");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a\":\"b\\u0000c\"}") "]"),
                      "the value of the label a");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a b\":\"c\"}") "]"), "a label's key may hold only");
    expect_wrong_list(LIST("[" ITEM("lab", "{\"a\":\"\xff\"}") "]"), "no JSON");
    expect_wrong_list(LIST("[" ITEM("lab\\u0000", "{}") "]"), "is not the Node");
}

#define EVENT(type, kind, metadata) \
    "{\"type\":\"" type "\",\"object\":{\"kind\":\"" kind "\",\"metadata\":" metadata "}}"

Test(node_object, takes_no_wrong_event)
{
    expect_wrong_event("", "no JSON");
    expect_wrong_event("null", "no JSON");
    expect_wrong_event("{}", "not of a Node");
    expect_wrong_event(EVENT("ADDED", "Pod", "{\"name\":\"lab\",\"resourceVersion\":\"2\"}"),
                       "not of a Node");
    expect_wrong_event(EVENT("ADDED", "Node", "{\"name\":\"lab\"}"), "resourceVersion is missing");
    expect_wrong_event(EVENT("BOOKMARK", "Node", "{}"), "resourceVersion is missing");
    expect_wrong_event(EVENT("MODIFIED", "Node", "{\"name\":\"other\",\"resourceVersion\":\"2\"}"),
                       "is not the Node");
    expect_wrong_event(EVENT("DELETED", "Node", "{\"name\":\"other\",\"resourceVersion\":\"2\"}"),
                       "is not the Node");
    expect_wrong_event(EVENT("RENAMED", "Node", "{\"name\":\"lab\",\"resourceVersion\":\"2\"}"),
                       "a type that is not known");
}

Test(node_object, tells_other_errors_from_410)
{
    struct node_object object = {0};
    struct err err = {0};
    cr_expect_eq(event("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,"
                       "\"message\":\"etcd\\nis away\"}}",
                       &object, &err),
                 NODE_ERROR);
    cr_expect(strstr(err.text, "500: etcd\\x0ais away"), "%s", err.text);
    cr_expect_eq(event("{\"type\":\"ERROR\"}", &object, &err), NODE_ERROR);
}

Test(node_object, bounds_the_labels)
{
    OWNED_MEM char *text = malloc(400000);
    struct node_object object = {0};
    struct err err = {0};
    size_t used =
        (size_t)sprintf(text, "%s", LIST("[{\"metadata\":{\"name\":\"lab\",\"labels\":{"));
    used -= 1; /* LIST's closing brace */
    for (int i = 0; i <= 10000; i++)
        used += (size_t)sprintf(text + used, "%s\"k%d\":\"\"", i ? "," : "", i);
    sprintf(text + used, "}}}]}");
    cr_expect_eq(node_object_from_list(str_of(text), "lab", &object, &err), NODE_WRONG);
    cr_expect(strstr(err.text, "10001 labels"), "%s", err.text);
    arena_free(&object.arena);
}
