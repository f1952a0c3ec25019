/* SPDX-License-Identifier: Apache-2.0 */
/* Records of what changes while the daemon runs, and of containers. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "record_line.h"

static const struct record_origin origin = {
    .node = {.data = "node-1", .len = 6},
    .instance = "00112233445566778899aabbccddeeff",
};
static const struct timespec noon = {.tv_sec = 1798718400};

static json_t *format(const struct audit_event *event)
{
    char line[RECORD_MAX];
    struct err err;
    int len = record_line(&origin, 7, &noon, event, line, &err);
    cr_assert_gt(len, 0, "%s", err.text);
    json_error_t error;
    json_t *root = json_loadb(line, (size_t)len - 1, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s: %.*s", error.text, len, line);
    return root;
}

static const char *dump(json_t *root, const char *key)
{
    static char text[RECORD_MAX];
    size_t len = json_dumpb(json_object_get(root, key), text, sizeof(text) - 1, JSON_COMPACT);
    text[len < sizeof(text) ? len : 0] = '\0';
    return text;
}

Test(record_changes, tell_old_and_new_value)
{
    struct audit_change changes[] = {
        {.key = STR("agenttier.io/runtime"), .after = STR("gvisor"), .has = true},
        {.key = STR("zone"), .before = STR("a"), .after = STR("b"), .had = true, .has = true},
        {.key = STR("empty"), .before = STR(""), .had = true},
    };
    struct audit_event event = {
        .type = "node.labels",
        .labels = {.source = "cache", .known = true, .age_s = 90},
        .changes = changes,
        .change_count = 3,
    };
    json_t *root = format(&event);
    cr_assert_str_eq(dump(root, "labels"),
                     "{\"known\":true,\"source\":\"cache\",\"ageSeconds\":90}");
    cr_assert_str_eq(dump(root, "changes"),
                     "[{\"key\":\"agenttier.io/runtime\",\"before\":null,\"after\":\"gvisor\"},"
                     "{\"key\":\"zone\",\"before\":\"a\",\"after\":\"b\"},"
                     "{\"key\":\"empty\",\"before\":\"\",\"after\":null}]");
    cr_assert_null(json_object_get(root, "changesDropped"));
    json_decref(root);
}

Test(record_changes, are_counted_where_they_do_not_fit)
{
    enum { COUNT = 500 };
    static struct audit_change changes[COUNT];
    static char keys[COUNT][320];
    for (size_t i = 0; i < COUNT; i++) {
        memset(keys[i], 'k', 316);
        snprintf(keys[i] + 300, 16, "%zu", i);
        changes[i] = (struct audit_change){.key = str_of(keys[i]),
                                           .before = STR("0123456789012345678901234567890123456789"
                                                         "01234567890123456789012"),
                                           .had = true};
    }
    struct audit_event event = {
        .type = "node.labels",
        .labels = {.source = "kubernetes", .known = true},
        .changes = changes,
        .change_count = COUNT,
    };
    json_t *root = format(&event);
    size_t kept = json_array_size(json_object_get(root, "changes"));
    json_int_t dropped = json_integer_value(json_object_get(root, "changesDropped"));
    cr_assert_gt(kept, 8);
    cr_assert_eq((json_int_t)kept + dropped, COUNT);
    json_decref(root);
}

Test(record_changes, name_a_container_and_its_sandbox)
{
    struct container_facts container = {.name = STR("main"), .attempt = 3};
    struct audit_event event = {
        .type = "container.decision",
        .stage = "completed",
        .container = &container,
        .sandbox_id = STR("5ab"),
        .result = {.given = true, .container_id = STR("c0"), .duration_us = 12},
    };
    json_t *root = format(&event);
    cr_assert_str_eq(dump(root, "container"),
                     "{\"name\":\"main\",\"attempt\":3,\"sandboxId\":\"5ab\"}");
    cr_assert_str_eq(dump(root, "result"),
                     "{\"code\":\"OK\",\"containerId\":\"c0\",\"durationUs\":12}");
    json_decref(root);
}

Test(record_changes, say_why_a_policy_was_not_taken)
{
    struct audit_event event = {.type = "policy.rejected", .error = STR("p.yaml:6:7: no \"mode\"")};
    json_t *root = format(&event);
    cr_assert_str_eq(json_string_value(json_object_get(root, "error")), "p.yaml:6:7: no \"mode\"");
    cr_assert_null(json_object_get(root, "decision"));
    json_decref(root);
}
