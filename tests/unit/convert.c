/* SPDX-License-Identifier: Apache-2.0 */
/* Converted records: what each format asks of every one, that nothing is lost, hostile lines. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "audit/convert.h"
#include "audit/record.h"

#define HEAD                                                            \
    "{\"v\":1,\"seq\":42,\"prev\":\"" RECORD_NO_HASH "\",\"instance\":" \
    "\"00112233445566778899aabbccddeeff\",\"type\":\""
#define TIME "\"time\":\"2026-12-31T12:00:00.001234Z\",\"node\":\"node-1\""
#define CALL                                                                                     \
    ",\"peer\":{\"uid\":0,\"pid\":812},\"method\":\"/runtime.v1.RuntimeService/RunPodSandbox\"," \
    "\"pod\":{\"namespace\":\"agents\",\"name\":\"build-7\",\"uid\":\"u-1\",\"attempt\":2}"
#define POLICY ",\"policy\":{\"name\":\"agent-node\",\"sha256\":\"aaaa\",\"mode\":\"enforce\"}"
#define REFUSE                                                                       \
    ",\"decision\":{\"action\":\"refuse\",\"reason\":\"downgrade\",\"rule\":\"no\"," \
    "\"message\":\"crigate: pod agents/build-7 refused: no\"}"
#define MODIFY                                                                            \
    ",\"handler\":{\"requested\":\"\",\"effective\":\"runsc\"},\"decision\":{\"action\":" \
    "\"modify\",\"reason\":\"rule\",\"rule\":\"agents-in-gvisor\"}"
#define DECIDED HEAD "pod.decision\",\"stage\":\"decided\"," TIME ",\"requestId\":\"r-17\"" CALL
#define COMPLETED HEAD "pod.decision\",\"stage\":\"completed\"," TIME ",\"requestId\":\"r-17\"" CALL

/* One of each type. */
static const char *const records[] = {
    HEAD "start\"," TIME ",\"version\":\"0.1.0\"" POLICY
         ",\"labels\":{\"known\":true,\"source\":\"file\",\"ageSeconds\":3}}",
    HEAD "stop\"," TIME POLICY "}",
    HEAD "policy.loaded\"," TIME POLICY ",\"previous\":{\"name\":\"old\",\"sha256\":\"bb\"}}",
    HEAD "policy.rejected\"," TIME POLICY ",\"error\":\"policy.yaml:3:1: unknown key\"}",
    HEAD "node.labels\"," TIME POLICY ",\"changes\":[{\"key\":\"a.b/c\",\"before\":null,"
         "\"after\":\"x\"}],\"changesDropped\":4}",
    DECIDED MODIFY
    ",\"inputs\":{\"podLabels\":{\"a.b/c\":\"true\",\"a\":\"\"},\"dropped\":3}" POLICY "}",
    COMPLETED MODIFY POLICY ",\"result\":{\"code\":\"OK\",\"sandboxId\":\"s-1\","
                            "\"durationUs\":1500}}",
    DECIDED REFUSE POLICY "}",
    HEAD "container.decision\",\"stage\":\"completed\"," TIME ",\"requestId\":\"r-18\",\"method\":"
         "\"/runtime.v1.RuntimeService/CreateContainer\",\"container\":{\"name\":\"main\","
         "\"attempt\":0,\"sandboxId\":\"s-1\"},\"decision\":{\"action\":\"wouldRefuse\"}" POLICY
         ",\"result\":{\"code\":\"UNAVAILABLE\",\"containerId\":\"c-1\",\"durationUs\":2}}",
    HEAD "image.refused\"," TIME ",\"method\":\"/runtime.v1.ImageService/PullImage\"" REFUSE POLICY
         "}",
    HEAD "service.refused\"," TIME ",\"method\":\"/containerd.services.tasks.v1.Tasks/Create\","
         "\"decision\":{\"action\":\"refuse\",\"reason\":\"serviceNotAllowed\"}" POLICY "}",
    HEAD "peer.refused\"," TIME ",\"peer\":{\"uid\":1000,\"pid\":-1},\"decision\":{\"action\":"
         "\"refuse\",\"reason\":\"peerNotAllowed\",\"message\":\"no\"}}",
    HEAD "repeated\"," TIME CALL REFUSE ",\"repeated\":{\"of\":\"pod.decision\",\"count\":19,"
         "\"firstTime\":\"2026-12-31T11:55:00.000000Z\",\"lastTime\":"
         "\"2026-12-31T11:59:59.999999Z\"}}",
    HEAD "segment.open\"," TIME ",\"head\":\"cc\",\"previousFile\":\"audit-x.jsonl\"}",
    HEAD "heartbeat\"," TIME ",\"head\":\"cc\",\"heartbeat\":{\"uptimeSeconds\":60,\"records\":9,"
         "\"lost\":0}}",
    HEAD "audit.repaired\"," TIME ",\"audit\":{\"bytesCut\":77}}",
    HEAD "audit.degraded\"," TIME ",\"error\":\"disk full\",\"audit\":{\"since\":"
         "\"2026-12-31T11:59:59.999999Z\",\"sink\":\"journal\",\"lost\":0,\"inJournal\":0}}",
    HEAD "audit.recovered\"," TIME ",\"audit\":{\"since\":\"2026-12-31T11:59:59.999999Z\","
         "\"lost\":5,\"inJournal\":6,\"journalHead\":\"dd\"}}",
    HEAD "one.of.a.later.release\"," TIME ",\"new\":{\"deep\":[1,\"two\"]}}",
};
#define RECORD_COUNT (sizeof(records) / sizeof(records[0]))

static json_t *convert(enum audit_format format, const char *record)
{
    char *line = NULL;
    size_t length = 0;
    struct err err;
    cr_assert_eq(audit_convert(format, str_of(record), &line, &length, &err), 0, "%s\n%s", err.text,
                 record);
    cr_assert_leq(length, CONVERTED_MAX);
    cr_assert_eq(memchr(line, '\n', length), line + length - 1);
    cr_assert_eq(strncmp(line, audit_format_start(format), strlen(audit_format_start(format))), 0);
    for (size_t i = 0; i + 1 < length; i++)
        cr_assert(line[i] >= 0x20 && line[i] <= 0x7e);
    json_error_t error;
    json_t *root = json_loadb(line, length - 1, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s: %s", error.text, line);
    free(line);
    return root;
}

static json_t *at(json_t *root, const char *path)
{
    char name[128];
    while (root && *path) {
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        path += length + (path[length] == '.');
        root = json_object_get(root, name);
    }
    return root;
}

static void expect_text(json_t *root, const char *path, const char *wanted)
{
    const char *got = json_string_value(at(root, path));
    cr_expect(got && strcmp(got, wanted) == 0, "%s is %s, not %s", path, got ? got : "absent",
              wanted);
}

static void expect_number(json_t *root, const char *path, json_int_t wanted)
{
    json_t *got = at(root, path);
    cr_expect(json_is_integer(got) && json_integer_value(got) == wanted, "%s is %lld, not %lld",
              path, (long long)json_integer_value(got), (long long)wanted);
}

static void expect_types(json_t *root, const char *category, const char *one, const char *two)
{
    json_t *types = at(root, "event.type");
    cr_expect_str_eq(json_string_value(json_array_get(at(root, "event.category"), 0)), category);
    cr_expect_str_eq(json_string_value(json_array_get(types, 0)), one);
    cr_expect_eq(json_array_size(types), two ? 2 : 1);
    if (two)
        cr_expect_str_eq(json_string_value(json_array_get(types, 1)), two);
}

/* Each text of the record, keys of inputs too, is somewhere in what it became. */
static void expect_texts(json_t *value, const char *text)
{
    const char *key;
    json_t *inner;
    size_t index;
    if (json_is_string(value))
        cr_expect_not_null(strstr(text, json_string_value(value)), "%s is lost: %s",
                           json_string_value(value), text);
    json_object_foreach(value, key, inner) expect_texts(inner, text);
    json_array_foreach(value, index, inner) expect_texts(inner, text);
}

Test(convert, loses_nothing)
{
    for (size_t i = 0; i < 2 * RECORD_COUNT; i++) {
        json_t *native = json_loads(records[i / 2], 0, NULL);
        cr_assert_not_null(native, "%s", records[i / 2]);
        json_t *root = convert(i % 2 ? AUDIT_ECS : AUDIT_OCSF, records[i / 2]);
        char *text = json_dumps(root, JSON_COMPACT);
        expect_texts(native, text);
        free(text);
        json_decref(root);
        json_decref(native);
    }
}

Test(convert, gives_ecs_what_every_event_has)
{
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        json_t *root = convert(AUDIT_ECS, records[i]);
        expect_text(root, "@timestamp", "2026-12-31T12:00:00.001234Z");
        expect_text(root, "ecs.version", "8.11.0");
        expect_text(root, "event.kind", "event");
        expect_text(root, "event.dataset", "crigate.audit");
        expect_text(root, "event.provider", "crigate");
        expect_text(root, "event.id", "00112233445566778899aabbccddeeff-42");
        expect_number(root, "event.sequence", 42);
        expect_number(root, "crigate.seq", 42);
        expect_text(root, "host.name", "node-1");
        expect_text(root, "crigate.prev", RECORD_NO_HASH);
        cr_expect(json_string_length(at(root, "message")) > 0);
        cr_expect_eq(json_array_size(at(root, "event.category")), 1);
        cr_expect_geq(json_array_size(at(root, "event.type")), 1);
        json_decref(root);
    }
}

Test(convert, gives_ocsf_what_it_requires)
{
    static const char *const numbers[] = {"class_uid",   "category_uid", "activity_id", "type_uid",
                                          "severity_id", "time",         "status_id"};
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        json_t *root = convert(AUDIT_OCSF, records[i]);
        for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
            cr_expect(json_is_integer(at(root, numbers[n])), "%s: %s", numbers[n], records[i]);
        expect_number(root, "class_uid", 6003);
        expect_number(root, "category_uid", 6);
        expect_number(root, "type_uid", 600300 + json_integer_value(at(root, "activity_id")));
        expect_number(root, "time", 1798718400001);
        expect_number(root, "metadata.sequence", 42);
        expect_text(root, "metadata.version", "1.4.0");
        expect_text(root, "metadata.product.name", "crigate");
        expect_text(root, "src_endpoint.hostname", "node-1");
        cr_expect(json_string_length(at(root, "api.operation")) > 0);
        cr_expect(json_object_size(at(root, "actor")) > 0);
        json_decref(root);
    }
}

Test(convert, tells_ecs_a_refusal)
{
    json_t *root = convert(AUDIT_ECS, records[7]);
    expect_types(root, "api", "denied", NULL);
    expect_text(root, "event.action", "RunPodSandbox");
    expect_text(root, "event.code", "pod.decision");
    expect_text(root, "event.outcome", "failure");
    expect_text(root, "event.reason", "downgrade");
    expect_text(root, "message", "crigate: pod agents/build-7 refused: no");
    expect_text(root, "orchestrator.type", "kubernetes");
    expect_text(root, "orchestrator.namespace", "agents");
    expect_text(root, "orchestrator.resource.type", "pod");
    expect_text(root, "orchestrator.resource.name", "build-7");
    expect_text(root, "orchestrator.resource.id", "u-1");
    expect_text(root, "rule.name", "no");
    expect_text(root, "rule.ruleset", "agent-node");
    expect_text(root, "rule.version", "aaaa");
    expect_text(root, "user.id", "0");
    expect_number(root, "process.pid", 812);
    expect_text(root, "crigate.decision.action", "refuse");
    cr_expect_null(at(root, "crigate.peer"));
    json_decref(root);
}

Test(convert, tells_ecs_the_other_kinds)
{
    static const struct {
        size_t record;
        const char *category, *one, *two, *outcome;
    } wanted[] = {
        {0, "process", "start", NULL, "success"},
        {1, "process", "end", NULL, "success"},
        {2, "configuration", "change", NULL, "success"},
        {3, "configuration", "info", NULL, "failure"},
        {4, "configuration", "change", NULL, "success"},
        {5, "api", "allowed", "change", "unknown"},
        {6, "api", "allowed", "change", "success"},
        {8, "api", "allowed", "info", "failure"},
        {14, "process", "info", NULL, "success"},
        {16, "process", "info", NULL, "failure"},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        json_t *root = convert(AUDIT_ECS, records[wanted[i].record]);
        expect_types(root, wanted[i].category, wanted[i].one, wanted[i].two);
        expect_text(root, "event.outcome", wanted[i].outcome);
        json_decref(root);
    }
}

Test(convert, keeps_labels_out_of_the_fields_of_ecs)
{
    json_t *root = convert(AUDIT_ECS, records[5]);
    json_t *labels = at(root, "crigate.inputs.podLabels");
    cr_expect_str_eq(json_string_value(json_array_get(labels, 0)), "a.b/c=true");
    cr_expect_str_eq(json_string_value(json_array_get(labels, 1)), "a=");
    expect_number(root, "crigate.inputs.dropped", 3);
    expect_text(root, "container.runtime", "runsc");
    json_decref(root);
    root = convert(AUDIT_ECS, records[6]);
    expect_number(root, "event.duration", 1500000);
    json_decref(root);
    root = convert(AUDIT_ECS, records[8]);
    expect_text(root, "error.code", "UNAVAILABLE");
    expect_text(root, "container.id", "c-1");
    json_decref(root);
}

Test(convert, tells_ocsf_a_refusal)
{
    json_t *root = convert(AUDIT_OCSF, records[7]);
    expect_number(root, "type_uid", 600301);
    expect_text(root, "activity_name", "Create");
    cr_expect(json_is_true(at(root, "is_alert")));
    expect_number(root, "action_id", 2);
    expect_number(root, "disposition_id", 2);
    expect_number(root, "severity_id", 4);
    expect_number(root, "status_id", 2);
    expect_text(root, "status_detail", "downgrade");
    expect_text(root, "actor.user.uid", "0");
    expect_number(root, "actor.process.pid", 812);
    expect_text(root, "api.operation", "RunPodSandbox");
    expect_text(root, "api.service.name", "runtime.v1.RuntimeService");
    expect_text(root, "policy.uid", "aaaa");
    expect_text(root, "metadata.correlation_uid", "00112233445566778899aabbccddeeff-r-17");
    json_t *pod = json_array_get(at(root, "resources"), 0);
    expect_text(pod, "type", "pod");
    expect_text(pod, "uid", "u-1");
    expect_text(pod, "name", "build-7");
    expect_text(pod, "namespace", "agents");
    json_decref(root);
}

Test(convert, tells_ocsf_the_other_kinds)
{
    json_t *root = convert(AUDIT_OCSF, records[6]);
    expect_number(root, "action_id", 1);
    expect_number(root, "status_id", 1);
    expect_number(root, "api.response.code", 0);
    cr_expect_null(at(root, "is_alert"));
    json_decref(root);
    root = convert(AUDIT_OCSF, records[8]);
    expect_number(root, "action_id", 3);
    expect_number(root, "api.response.code", 14);
    expect_text(root, "api.response.error", "UNAVAILABLE");
    json_decref(root);
    root = convert(AUDIT_OCSF, records[10]); /* a service of its own */
    expect_number(root, "activity_id", 99);
    json_decref(root);
    root = convert(AUDIT_OCSF, records[12]);
    expect_number(root, "count", 19);
    expect_number(root, "start_time", 1798718100000);
    expect_number(root, "end_time", 1798718399999);
    json_decref(root);
    root = convert(AUDIT_OCSF, records[14]);
    expect_number(root, "type_uid", 600399);
    expect_text(root, "activity_name", "heartbeat");
    expect_text(root, "actor.app_name", "crigate");
    cr_expect_null(at(root, "action_id"));
    json_decref(root);
}

Test(convert, refuses_what_is_no_record)
{
    static const char *const lines[] = {
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        "{\"v\":2}",
        HEAD "start\"," TIME, /* torn */
        HEAD "start\"," TIME ",\"x\":1,\"x\":2}",
        HEAD "start\"," TIME ",\"x\":\"\xff\"}",
        HEAD "start\"," TIME ",\"x\":\"\\u0000\"}",
        HEAD "start\"," TIME "} {}",
        HEAD "start\",\"node\":\"n\"}",
        HEAD "start\",\"time\":\"2026-12-31\",\"node\":\"n\"}",
        HEAD "start\",\"time\":\"2026-13-31T12:00:00.001234Z\",\"node\":\"n\"}",
        HEAD "start\",\"time\":\"2026-12-31T12:00:00.001234Z\"}",
        HEAD "\"," TIME "}",
        "{\"v\":1,\"seq\":0,\"instance\":\"i\",\"type\":\"t\"," TIME "}",
        "{\"v\":1,\"seq\":99999999999999999999,\"instance\":\"i\",\"type\":\"t\"," TIME "}",
    };
    for (size_t i = 0; i < 2 * sizeof(lines) / sizeof(lines[0]); i++) {
        char *out = NULL;
        size_t length;
        struct err err = {0};
        enum audit_format format = i % 2 ? AUDIT_ECS : AUDIT_OCSF;
        cr_expect_eq(audit_convert(format, str_of(lines[i / 2]), &out, &length, &err), -1, "%s",
                     lines[i / 2]);
        cr_expect_eq(strncmp(err.text, "no record: ", 11), 0, "%s", err.text);
        cr_expect_null(out);
    }
}

/* Wrong types at every known path, and texts that look like paths and formats. */
Test(convert, takes_records_of_any_shape)
{
    static const char *const rests[] = {
        ",\"pod\":\"x\",\"peer\":[],\"decision\":7,\"result\":null,\"policy\":\"p\",\"method\":{}}",
        ",\"pod\":{\"name\":{}},\"peer\":{\"uid\":\"0\",\"pid\":1.5},\"decision\":{\"action\":9}}",
        ",\"inputs\":{\"podLabels\":{\"a\":{\"b\":1}},\"annotations\":[],\"nodeLabels\":3}}",
        ",\"repeated\":{\"firstTime\":\"never\",\"count\":\"many\"},\"error\":[\"e\"]}",
        ",\"result\":{\"code\":\"CODE_-3\",\"durationUs\":9223372036854775807}}",
        ",\"result\":{\"code\":\"%s%n\",\"durationUs\":-1},\"method\":\"%n\"}",
        ",\"method\":\"/a/b/c\",\"event\":{},\"crigate\":1,\"unmapped\":2,\"@timestamp\":3}",
        ",\"method\":\"\\u202e/\\u001b[31m\",\"container\":{\"name\":\"\\ud83d\\ude00\"}}",
    };
    for (size_t i = 0; i < 2 * sizeof(rests) / sizeof(rests[0]); i++) {
        char record[2048];
        snprintf(record, sizeof(record), "%s%s%s", HEAD "pod.decision\",", TIME, rests[i / 2]);
        json_decref(convert(i % 2 ? AUDIT_ECS : AUDIT_OCSF, record));
    }
}

/* A record of ours of any size fits; what only looks like one may not, and is told. */
Test(convert, bounds_the_line)
{
    static char record[3 * RECORD_MAX];
    size_t head =
        (size_t)snprintf(record, sizeof(record), "%s%s", HEAD "start\",", TIME ",\"error\":\"");
    memset(record + head, 'x', RECORD_MAX - head - 3);
    memcpy(record + RECORD_MAX - 3, "\"}", 3);
    for (size_t i = 0; i < 2; i++)
        json_decref(convert(i ? AUDIT_ECS : AUDIT_OCSF, record));
    for (size_t i = head; i < RECORD_MAX - 5; i += 2)
        memcpy(record + i, "\xc3\xa9", 2);
    char *out = NULL;
    size_t length;
    struct err err;
    cr_expect_eq(audit_convert(AUDIT_OCSF, str_of(record), &out, &length, &err), -1);
    cr_expect_not_null(strstr(err.text, "does not fit"), "%s", err.text);
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

Test(convert, tells_that_memory_is_out)
{
    static const size_t which[] = {5, 8, 12};
    json_set_alloc_funcs(scarce_malloc, counting_free);
    for (size_t i = 0; i < 6; i++) {
        int got = -1;
        for (long scarce = 0; got < 0; scarce++) {
            struct err err = {0};
            char *out = NULL;
            size_t length;
            allocations_left = scarce;
            got = audit_convert(i % 2 ? AUDIT_ECS : AUDIT_OCSF, str_of(records[which[i / 2]]), &out,
                                &length, &err);
            cr_assert(got == 0 || err.text[0]);
            cr_assert_eq(not_freed, 0, "%ld left over with %ld allocations", not_freed, scarce);
            cr_assert_lt(scarce, 2000);
            free(out);
        }
    }
}

Test(convert, knows_its_formats)
{
    enum audit_format format;
    cr_expect(audit_format_parse(STR("ecs"), &format) && format == AUDIT_ECS);
    cr_expect(audit_format_parse(STR("ocsf"), &format) && format == AUDIT_OCSF);
    cr_expect(audit_format_parse(STR("native"), &format) && format == AUDIT_NATIVE);
    cr_expect_not(audit_format_parse(STR("ECS"), &format));
    cr_expect_not(audit_format_parse(STR(""), &format));
    cr_expect_str_eq(audit_format_name(AUDIT_OCSF), "ocsf");
}
