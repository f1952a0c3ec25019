/* SPDX-License-Identifier: Apache-2.0 */
/* Records: the exact line of a typical one, what is cut and in which order, and any bytes at all.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "record_line.h"

static const struct record_origin origin = {
    .node = {.data = "node-1", .len = 6},
    .instance = "00112233445566778899aabbccddeeff",
};
static const struct timespec noon = {.tv_sec = 1798718400, .tv_nsec = 1234567};

static struct policy *make_policy(struct str name)
{
    struct runtime_spec runc = {.handler = STR("runc"), .is_default = true};
    struct policy_spec spec = {
        .name = name,
        .sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        .runtimes = &runc,
        .runtime_count = 1,
        .otherwise = {.kind = ACTION_RUN_REQUESTED},
    };
    struct policy *policy = NULL;
    struct err err;
    cr_assert_eq(policy_compile(&spec, NULL, NULL, &policy, &err), 0, "%s", err.text);
    return policy;
}

/* Formats and checks what holds for every record. */
static json_t *format(const struct audit_event *event, char *line, size_t *len)
{
    struct err err;
    int got = record_line(&origin, 42, &noon, event, line, &err);
    cr_assert_gt(got, 0, "%s", err.text);
    *len = (size_t)got;
    cr_assert_leq(*len, RECORD_MAX);
    cr_assert_eq(memchr(line, '\n', *len), line + *len - 1);
    for (size_t i = 0; i + 1 < *len; i++)
        cr_assert(line[i] >= 0x20 && line[i] <= 0x7e);
    json_error_t error;
    json_t *root = json_loadb(line, *len - 1, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s: %.*s", error.text, (int)*len, line);
    return root;
}

static const char *text_at(json_t *root, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(root, object), key));
}

Test(record, has_its_fields_in_order)
{
    OWNED(own_policy) struct policy *policy = make_policy(STR("agent-node"));
    struct pod_facts pod = {
        .namespace = STR("agents"), .name = STR("build-7"), .uid = STR("u-1"), .attempt = 2};
    struct audit_input inputs[] = {
        {INPUT_POD_LABEL, STR("agenttier.io/managed"), STR("true")},
        {INPUT_NODE_LABEL, STR("agenttier.io/runtime"), STR("gvisor")},
        {INPUT_ANNOTATION, STR("note"), STR("")},
    };
    struct audit_observed observed = {
        .rule = STR("soon"), .action = AUDIT_WOULD_REFUSE, .reason = REASON_RULE};
    struct audit_event event = {
        .type = "pod.decision",
        .stage = "completed",
        .request_id = 17,
        .peer = &(struct audit_peer){.uid = 0, .pid = 812},
        .method = STR("/runtime.v1.RuntimeService/RunPodSandbox"),
        .pod = &pod,
        .has_handler = true,
        .handler_effective = STR("runsc"),
        .action = AUDIT_MODIFY,
        .reason = REASON_RULE,
        .rule = STR("agents-in-gvisor"),
        .message = STR("by \"rule\""),
        .inputs = inputs,
        .input_count = 3,
        .observed = &observed,
        .observed_count = 1,
        .policy = policy,
        .result = {.given = true, .code = 7, .sandbox_id = STR("s-1"), .duration_us = 1500},
    };
    char line[RECORD_MAX];
    size_t len;
    json_decref(format(&event, line, &len));
    static const char want[] =
        "{\"v\":1,\"seq\":42,\"prev\":\"" RECORD_NO_HASH "\","
        "\"instance\":\"00112233445566778899aabbccddeeff\",\"type\":\"pod.decision\","
        "\"stage\":\"completed\",\"time\":\"2026-12-31T12:00:00.001234Z\","
        "\"requestId\":\"r-17\",\"node\":\"node-1\",\"peer\":{\"uid\":0,\"pid\":812},"
        "\"method\":\"/runtime.v1.RuntimeService/RunPodSandbox\","
        "\"pod\":{\"namespace\":\"agents\",\"name\":\"build-7\",\"uid\":\"u-1\",\"attempt\":2},"
        "\"handler\":{\"requested\":\"\",\"effective\":\"runsc\"},"
        "\"decision\":{\"action\":\"modify\",\"reason\":\"rule\",\"rule\":\"agents-in-gvisor\","
        "\"message\":\"by \\\"rule\\\"\","
        "\"observed\":[{\"rule\":\"soon\",\"action\":\"wouldRefuse\",\"reason\":\"rule\"}]},"
        "\"inputs\":{\"podLabels\":{\"agenttier.io/managed\":\"true\"},"
        "\"annotations\":{\"note\":\"\"},\"nodeLabels\":{\"agenttier.io/runtime\":\"gvisor\"}},"
        "\"policy\":{\"name\":\"agent-node\","
        "\"sha256\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
        "\"mode\":\"enforce\"},"
        "\"result\":{\"code\":\"PERMISSION_DENIED\",\"sandboxId\":\"s-1\",\"durationUs\":1500}}\n";
    cr_assert_eq(len, sizeof(want) - 1, "%.*s", (int)len, line);
    cr_assert_eq(memcmp(line, want, len), 0, "%.*s", (int)len, line);
}

Test(record, leaves_out_what_is_not_there)
{
    struct audit_event event = {.type = "start"};
    char line[RECORD_MAX];
    size_t len;
    json_decref(format(&event, line, &len));
    static const char want[] =
        "{\"v\":1,\"seq\":42,\"prev\":\"" RECORD_NO_HASH "\","
        "\"instance\":\"00112233445566778899aabbccddeeff\",\"type\":\"start\","
        "\"time\":\"2026-12-31T12:00:00.001234Z\",\"node\":\"node-1\"}\n";
    cr_assert_eq(len, sizeof(want) - 1, "%.*s", (int)len, line);
    cr_assert_eq(memcmp(line, want, len), 0, "%.*s", (int)len, line);
}

Test(record, writes_strange_numbers)
{
    struct audit_event event = {
        .type = "pod.decision",
        .request_id = UINT64_MAX,
        .peer = &(struct audit_peer){.uid = UINT32_MAX, .pid = -1},
        .result = {.given = true, .code = -3, .duration_us = UINT64_MAX},
    };
    char line[RECORD_MAX];
    size_t len;
    json_t *root = format(&event, line, &len);
    cr_assert_str_eq(text_at(root, "result", "code"), "CODE_-3");
    json_t *result = json_object_get(root, "result");
    cr_assert_eq(json_integer_value(json_object_get(result, "durationUs")), INT64_MAX);
    json_decref(root);
}

Test(record, cuts_the_longest_and_keeps_the_pod)
{
    static char big[1 << 20];
    memset(big, 'v', sizeof(big));
    char name[253];
    memset(name, 'n', sizeof(name));
    struct pod_facts pod = {.namespace = {name, 63}, .name = {name, 253}, .uid = {name, 36}};
    struct audit_input inputs[] = {
        {INPUT_ANNOTATION, STR("a"), {big, sizeof(big)}},
        {INPUT_ANNOTATION, STR("b"), {big, sizeof(big)}},
        {INPUT_POD_LABEL, STR("app"), STR("web")},
    };
    struct audit_event event = {
        .type = "pod.decision", .pod = &pod, .inputs = inputs, .input_count = 3};
    char line[RECORD_MAX];
    size_t len;
    json_t *root = format(&event, line, &len);
    cr_assert_eq(strlen(text_at(root, "pod", "name")), 253);
    json_t *kept = json_object_get(root, "inputs");
    cr_assert_str_eq(text_at(kept, "podLabels", "app"), "web");
    const char *mark = strstr(text_at(kept, "annotations", "b"), "\u2026[+");
    cr_assert_not_null(mark);
    size_t missing = strtoul(mark + strlen("\u2026[+"), NULL, 10);
    cr_assert_eq((size_t)(mark - text_at(kept, "annotations", "b")) + missing, sizeof(big));
    cr_assert_gt(len, RECORD_MAX / 2);
    json_decref(root);
}

static size_t count_inputs(json_t *inputs)
{
    return json_object_size(json_object_get(inputs, "podLabels")) +
           json_object_size(json_object_get(inputs, "annotations")) +
           json_object_size(json_object_get(inputs, "nodeLabels"));
}

Test(record, counts_inputs_that_do_not_fit)
{
    static struct audit_input inputs[1000];
    static char keys[1000][16];
    for (size_t i = 0; i < 1000; i++) {
        int len = snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
        inputs[i] = (struct audit_input){i % 3, {keys[i], (size_t)len}, STR("some value")};
    }
    struct audit_event event = {.type = "pod.decision", .inputs = inputs, .input_count = 1000};
    char line[RECORD_MAX];
    size_t len;
    json_t *root = format(&event, line, &len);
    json_t *kept = json_object_get(root, "inputs");
    size_t dropped = (size_t)json_integer_value(json_object_get(kept, "dropped"));
    cr_assert_eq(count_inputs(kept) + dropped, 1000);
    cr_assert_gt(len, RECORD_MAX - 300, "only %zu bytes used", len);
    json_decref(root);
}

Test(record, counts_keys_that_look_alike_once_cut)
{
    static char one[8192], two[8192];
    memset(one, 'k', sizeof(one));
    memset(two, 'k', sizeof(two));
    two[sizeof(two) - 1] = 'l';
    struct audit_input inputs[] = {
        {INPUT_POD_LABEL, {one, sizeof(one)}, STR("1")},
        {INPUT_POD_LABEL, {two, sizeof(two)}, STR("2")},
    };
    struct audit_event event = {.type = "pod.decision", .inputs = inputs, .input_count = 2};
    char line[RECORD_MAX];
    size_t len;
    json_t *root = format(&event, line, &len);
    json_t *kept = json_object_get(root, "inputs");
    cr_assert_eq(count_inputs(kept), 1);
    cr_assert_eq(json_integer_value(json_object_get(kept, "dropped")), 1);
    json_decref(root);
}

/* An event whose every text is `text`, of which there is as much as there can be. */
static void check_full_event(struct str text)
{
    static struct audit_input inputs[1000];
    struct audit_observed observed[DECISION_OBSERVED_MAX];
    for (size_t i = 0; i < 1000; i++)
        inputs[i] = (struct audit_input){(enum input_source)(i % 3), text, text};
    for (size_t i = 0; i < DECISION_OBSERVED_MAX; i++)
        observed[i] =
            (struct audit_observed){text, AUDIT_WOULD_REFUSE, REASON_SERVICE_NOT_ALLOWED, text};
    OWNED(own_policy) struct policy *policy = make_policy(text);
    OWNED_MEM char *word = strndup(text.data, 4000);
    struct pod_facts pod = {.namespace = text, .name = text, .uid = text, .attempt = UINT32_MAX};
    struct audit_event event = {
        .type = word,
        .stage = word,
        .request_id = UINT64_MAX,
        .peer = &(struct audit_peer){.uid = UINT32_MAX, .pid = INT32_MIN},
        .method = text,
        .pod = &pod,
        .handler_requested = text,
        .handler_effective = text,
        .has_handler = true,
        .action = AUDIT_WOULD_REFUSE,
        .reason = REASON_SERVICE_NOT_ALLOWED,
        .rule = text,
        .message = text,
        .inputs = inputs,
        .input_count = 1000,
        .input_dropped = SIZE_MAX / 4,
        .observed = observed,
        .observed_count = DECISION_OBSERVED_MAX,
        .observed_dropped = SIZE_MAX,
        .policy = policy,
        .result = {.given = true, .code = 4, .sandbox_id = text, .duration_us = UINT64_MAX},
    };
    char line[RECORD_MAX];
    size_t len;
    json_t *root = format(&event, line, &len);
    cr_assert_not_null(strstr(text_at(root, "pod", "name"), "\u2026[+"));
    cr_assert_not_null(strstr(text_at(root, "result", "sandboxId"), "\u2026[+"));
    json_decref(root);
}

Test(record, fits_when_everything_is_huge)
{
    static char big[1 << 20];
    static const char bytes[] = {'a', '"', '\\', '\n', '\x01', '\x7f', '\xff'};
    for (size_t i = 0; i < sizeof(bytes); i++) {
        memset(big, bytes[i], sizeof(big));
        check_full_event((struct str){big, sizeof(big)});
    }
}

static long allocations_left, not_freed;

static void *scarce_malloc(size_t size)
{
    void *got = allocations_left-- > 0 ? malloc(size) : NULL;
    not_freed += got != NULL;
    return got;
}

static void counting_free(void *pointer)
{
    not_freed -= pointer != NULL;
    free(pointer);
}

Test(record, tells_that_memory_is_out)
{
    struct pod_facts pod = {.namespace = STR("agents"), .name = STR("build-7")};
    struct audit_input input = {INPUT_POD_LABEL, STR("app"), STR("web")};
    struct audit_observed observed = {
        .rule = STR("soon"), .action = AUDIT_WOULD_REFUSE, .reason = REASON_RULE};
    struct audit_event event = {
        .type = "pod.decision",
        .pod = &pod,
        .inputs = &input,
        .input_count = 1,
        .observed = &observed,
        .observed_count = 1,
        .result = {.given = true},
    };
    char line[RECORD_MAX];
    int len = -1;
    json_set_alloc_funcs(scarce_malloc, counting_free);
    for (long scarce = 0; len < 0; scarce++) {
        struct err err = {0};
        allocations_left = scarce;
        len = record_line(&origin, 42, &noon, &event, line, &err);
        if (len < 0)
            cr_assert_str_eq(err.text, "audit record: out of memory");
        cr_assert_eq(not_freed, 0);
        cr_assert_lt(scarce, 1000);
    }
    cr_assert_gt(len, 0);
}

/* A slice of `noise`, of a size that is now small, now huge; never empty. */
static struct str any_bytes(const char *noise, size_t size)
{
    static const size_t sizes[] = {1, 8, 64, 512, 8192, 1 << 20};
    size_t most = sizes[(size_t)random() % 6];
    size_t len = 1 + (size_t)random() % most;
    return (struct str){noise + (size_t)random() % (size - len + 1), len};
}

static void fill_noise(char *noise, size_t size)
{
    int kind = (int)(random() % 4);
    for (size_t i = 0; i < size; i++) {
        long r = random();
        noise[i] = kind == 0   ? (char)r
                   : kind == 1 ? (char)(r % 32)
                   : kind == 2 ? '"'
                               : (char)(r % 95 + 32);
    }
}

Test(record, takes_any_bytes, .timeout = 100)
{
    static char noise[1 << 20];
    static struct audit_input inputs[1000];
    struct audit_observed observed[6];
    srandom(9);
    for (int round = 0; round < 1500; round++) {
        if (round % 100 == 0)
            fill_noise(noise, sizeof(noise));
#define ANY any_bytes(noise, sizeof(noise))
        size_t count = random() % 2 ? (size_t)random() % 1001 : (size_t)random() % 5;
        for (size_t i = 0; i < count; i++)
            inputs[i] = (struct audit_input){(enum input_source)(random() % 3), ANY, ANY};
        for (size_t i = 0; i < 6; i++)
            observed[i] =
                (struct audit_observed){ANY, AUDIT_WOULD_REFUSE, REASON_UNKNOWN_RUNTIME, ANY};
        OWNED(own_policy) struct policy *policy = make_policy(ANY);
        struct pod_facts pod = {.namespace = ANY, .name = ANY, .uid = ANY, .attempt = UINT32_MAX};
        struct audit_event event = {
            .type = "pod.decision",
            .stage = "completed",
            .request_id = UINT64_MAX,
            .peer = &(struct audit_peer){.uid = UINT32_MAX, .pid = INT32_MIN},
            .method = ANY,
            .pod = &pod,
            .handler_requested = ANY,
            .handler_effective = ANY,
            .has_handler = true,
            .action = AUDIT_WOULD_REFUSE,
            .reason = REASON_UNKNOWN_RUNTIME,
            .rule = ANY,
            .message = ANY,
            .inputs = inputs,
            .input_count = count,
            .observed = observed,
            .observed_count = (size_t)random() % 7,
            .policy = policy,
            .result = {.given = true, .code = 4, .sandbox_id = ANY, .duration_us = UINT64_MAX},
        };
#undef ANY
        char line[RECORD_MAX];
        size_t len;
        json_t *root = format(&event, line, &len);
        cr_assert(*text_at(root, "pod", "namespace") && *text_at(root, "pod", "name"));
        cr_assert(*text_at(root, "pod", "uid") && *text_at(root, "decision", "rule"));
        cr_assert_str_eq(text_at(root, "decision", "action"), "wouldRefuse");
        cr_assert_not_null(json_object_get(root, "seq"));
        cr_assert_not_null(json_object_get(root, "result"));
        if (count) {
            json_t *kept = json_object_get(root, "inputs");
            size_t dropped = (size_t)json_integer_value(json_object_get(kept, "dropped"));
            cr_assert_eq(count_inputs(kept) + dropped, count);
        }
        json_decref(root);
    }
}
