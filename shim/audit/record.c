/* SPDX-License-Identifier: Apache-2.0 */
/* Formats one audit record as JSON that always fits its line. */
#include "audit/record.h"

#include <inttypes.h>
#include <jansson.h>

#include "audit/text.h"
#include "audit/words.h"

/* The body is the object without its first brace, and has a newline behind it. */
#define BODY_MAX (RECORD_BODY_MAX - 1)
#define OBJECT_MAX (BODY_MAX + 1)
/* Bytes that one text may take: first this much, then half as often as needed. With all texts at
 * their least, a record without inputs takes some 6,700 bytes. */
#define TEXT_MOST ((size_t)4096)
#define TEXT_LEAST ((size_t)256)
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER)
/* `"":"",` around an input; the inner objects' keys and `"dropped":N`, all of them. */
#define INPUT_FRAME ((size_t)6)
#define INPUTS_FRAME ((size_t)96)
/* `{"key":"","before":"","after":""},` around a change, and the bytes of text at which no further
 * one is begun: a label's key and values take 443 at most. */
#define CHANGE_FRAME ((size_t)36)
#define CHANGES_MOST ((size_t)5000)

struct build {
    const struct record_origin *origin;
    const struct audit_event *event;
    size_t limit; /* bytes that one text may take */
    size_t used;  /* bytes that all texts took so far; over BODY_MAX it is given up */
    bool failed;  /* memory is out */
    char scratch[TEXT_MOST];
};

static void own_json(json_t **value)
{
    json_decref(*value);
}

static void put(struct build *build, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        build->failed = true;
}

static json_t *put_object(struct build *build, json_t *object, const char *key)
{
    json_t *inner = json_object();
    put(build, object, key, inner);
    return build->failed ? NULL : inner;
}

static void put_number(struct build *build, json_t *object, const char *key, uint64_t number)
{
    put(build, object, key, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

static json_t *make_text(struct build *build, struct str text)
{
    size_t cost;
    struct str clean = text_clean(text, build->limit, build->scratch, &cost);
    build->used += cost;
    return json_stringn_nocheck(clean.data, clean.len);
}

static bool is_too_long(const struct build *build)
{
    return build->used > BODY_MAX;
}

static void put_text(struct build *build, json_t *object, const char *key, struct str text)
{
    if (text.len > 0 && !is_too_long(build))
        put(build, object, key, make_text(build, text));
}

static void put_word(struct build *build, json_t *object, const char *key, const char *word)
{
    put_text(build, object, key, str_of(word));
}

static void put_time(struct build *build, json_t *object, const char *key,
                     const struct timespec *time)
{
    char text[64];
    struct tm utc = {0};
    gmtime_r(&time->tv_sec, &utc);
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + len, sizeof(text) - len, ".%06ldZ", time->tv_nsec / 1000);
    put_word(build, object, key, text);
}

static void put_container(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    json_t *container = put_object(build, root, "container");
    put_text(build, container, "name", event->container->name);
    put_number(build, container, "attempt", event->container->attempt);
    put_text(build, container, "sandboxId", event->sandbox_id);
}

static void put_request(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (event->request_id) {
        char id[32];
        snprintf(id, sizeof(id), "r-%" PRIu64, event->request_id);
        put_word(build, root, "requestId", id);
    }
    put_text(build, root, "node", build->origin->node);
    put_text(build, root, "version", event->version);
    if (event->peer) {
        json_t *peer = put_object(build, root, "peer");
        put_number(build, peer, "uid", event->peer->uid);
        put(build, peer, "pid", json_integer(event->peer->pid));
    }
    put_text(build, root, "method", event->method);
    if (event->pod) {
        json_t *pod = put_object(build, root, "pod");
        put_text(build, pod, "namespace", event->pod->namespace);
        put_text(build, pod, "name", event->pod->name);
        put_text(build, pod, "uid", event->pod->uid);
        put_number(build, pod, "attempt", event->pod->attempt);
    }
    if (event->container)
        put_container(build, root);
    if (event->has_handler) {
        json_t *handler = put_object(build, root, "handler");
        put(build, handler, "requested", make_text(build, event->handler_requested));
        put_text(build, handler, "effective", event->handler_effective);
    }
}

static const char *reason_name(enum verdict_reason reason)
{
    return reason == REASON_NONE ? NULL : verdict_reason_name(reason);
}

static void put_observed(struct build *build, json_t *decision)
{
    const struct audit_event *event = build->event;
    json_t *list = json_array();
    put(build, decision, "observed", list);
    for (size_t i = 0; i < event->observed_count && i < DECISION_OBSERVED_MAX; i++) {
        const struct audit_observed *observed = &event->observed[i];
        json_t *item = json_object();
        if (json_array_append_new(list, item) < 0) {
            build->failed = true;
            return;
        }
        put_text(build, item, "rule", observed->rule);
        put_word(build, item, "action", audit_action_name(observed->action));
        put_word(build, item, "reason", reason_name(observed->reason));
        put_text(build, item, "handler", observed->handler);
    }
}

static void put_decision(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (event->action == AUDIT_NO_ACTION && event->reason == REASON_NONE && !event->rule.len &&
        !event->message.len && !event->observed_count)
        return;
    json_t *decision = put_object(build, root, "decision");
    put_word(build, decision, "action", audit_action_name(event->action));
    put_word(build, decision, "reason", reason_name(event->reason));
    put_text(build, decision, "rule", event->rule);
    put_text(build, decision, "message", event->message);
    if (event->observed_count)
        put_observed(build, decision);
    if (event->observed_dropped)
        put_number(build, decision, "observedDropped", event->observed_dropped);
}

static const char *source_name(enum input_source source)
{
    static const char *const names[] = {
        [INPUT_POD_LABEL] = "podLabels",
        [INPUT_ANNOTATION] = "annotations",
        [INPUT_NODE_LABEL] = "nodeLabels",
    };
    return names[source];
}

/* The objects that inputs go into, in their order, whatever the order of the inputs. */
static void put_sources(struct build *build, json_t *inputs)
{
    static const enum input_source order[] = {INPUT_POD_LABEL, INPUT_ANNOTATION, INPUT_NODE_LABEL};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        size_t first = 0;
        while (first < build->event->input_count && build->event->inputs[first].source != order[i])
            first++;
        if (first < build->event->input_count)
            put_object(build, inputs, source_name(order[i]));
    }
}

/* False when the input does not fit any more, or when its key, cut, is one that is already there.
 */
static bool put_input(struct build *build, json_t *inputs, const struct audit_input *input)
{
    json_t *object = json_object_get(inputs, source_name(input->source));
    OWNED(own_json) json_t *value = make_text(build, input->value);
    size_t cost;
    struct str key = text_clean(input->key, build->limit, build->scratch, &cost);
    build->used += cost + INPUT_FRAME;
    if (is_too_long(build) || json_object_getn(object, key.data, key.len))
        return false;
    if (json_object_setn_nocheck(object, key.data, key.len, value) < 0)
        build->failed = true;
    return true;
}

/* Stops at the first input that does not fit; the count tells of it and of all behind it. */
static void put_inputs(struct build *build, json_t *inputs)
{
    const struct audit_event *event = build->event;
    size_t dropped = event->input_dropped;
    put_sources(build, inputs);
    for (size_t i = 0; i < event->input_count && !build->failed; i++) {
        if (!put_input(build, inputs, &event->inputs[i]))
            dropped++;
        if (is_too_long(build)) {
            dropped += event->input_count - i - 1;
            break;
        }
    }
    if (dropped)
        put_number(build, inputs, "dropped", dropped);
}

static void put_policy(struct build *build, json_t *root, const char *key,
                       const struct policy *policy)
{
    if (!policy)
        return;
    json_t *object = put_object(build, root, key);
    put_text(build, object, "name", policy_name(policy));
    put_word(build, object, "sha256", policy_sha256(policy));
    put_word(build, object, "mode", policy_mode(policy) == POLICY_ENFORCE ? "enforce" : "observe");
}

static void put_labels(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (!event->labels.source)
        return;
    json_t *labels = put_object(build, root, "labels");
    put(build, labels, "known", json_boolean(event->labels.known));
    put_word(build, labels, "source", event->labels.source);
    put_number(build, labels, "ageSeconds", event->labels.age_s);
}

static json_t *make_value(struct build *build, bool given, struct str value)
{
    return given ? make_text(build, value) : json_null();
}

/* Half of the line is theirs: what does not fit is counted. */
static void put_changes(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (!event->change_count)
        return;
    json_t *list = json_array();
    put(build, root, "changes", list);
    size_t at = 0;
    for (; at < event->change_count && build->used < CHANGES_MOST; at++) {
        const struct audit_change *change = &event->changes[at];
        json_t *item = json_object();
        if (json_array_append_new(list, item) < 0) {
            build->failed = true;
            return;
        }
        put_text(build, item, "key", change->key);
        put(build, item, "before", make_value(build, change->had, change->before));
        put(build, item, "after", make_value(build, change->has, change->after));
        build->used += CHANGE_FRAME;
    }
    if (at < event->change_count)
        put_number(build, root, "changesDropped", event->change_count - at);
}

static void put_code(struct build *build, json_t *result, int code)
{
    const char *name = audit_code_name(code);
    if (name) {
        put_word(build, result, "code", name);
    } else {
        char other[32];
        snprintf(other, sizeof(other), "CODE_%d", code);
        put_word(build, result, "code", other);
    }
}

static void put_result(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (!event->result.given)
        return;
    json_t *result = put_object(build, root, "result");
    put_code(build, result, event->result.code);
    put_text(build, result, "sandboxId", event->result.sandbox_id);
    put_text(build, result, "containerId", event->result.container_id);
    put_number(build, result, "durationUs", event->result.duration_us);
}

static void put_repeated(struct build *build, json_t *root)
{
    const struct audit_event *event = build->event;
    if (!event->repeated.of.len)
        return;
    json_t *repeated = put_object(build, root, "repeated");
    put_text(build, repeated, "of", event->repeated.of);
    put_number(build, repeated, "count", event->repeated.count);
    put_time(build, repeated, "firstTime", &event->repeated.first);
    put_time(build, repeated, "lastTime", &event->repeated.last);
}

static void put_hash(struct build *build, json_t *object, const char *key, const char *hash)
{
    if (hash)
        put_word(build, object, key, hash);
}

static void put_heartbeat(struct build *build, json_t *root)
{
    const struct audit_self *self = &build->event->self;
    if (!self->heartbeat.given)
        return;
    json_t *heartbeat = put_object(build, root, "heartbeat");
    put_number(build, heartbeat, "uptimeSeconds", self->heartbeat.uptime_s);
    put_number(build, heartbeat, "records", self->heartbeat.records);
    put_number(build, heartbeat, "lost", self->heartbeat.lost);
}

static void put_audit(struct build *build, json_t *root)
{
    const struct audit_self *self = &build->event->self;
    if (!self->audit.given)
        return;
    json_t *audit = put_object(build, root, "audit");
    if (self->audit.bytes_cut)
        put_number(build, audit, "bytesCut", self->audit.bytes_cut);
    if (self->audit.since.tv_sec) {
        put_time(build, audit, "since", &self->audit.since);
        put_text(build, audit, "sink", self->audit.sink);
        put_number(build, audit, "lost", self->audit.lost);
        put_number(build, audit, "inJournal", self->audit.in_journal);
    }
    put_hash(build, audit, "journalHead", self->audit.journal_head);
}

/* What the log tells of itself. */
static void put_self(struct build *build, json_t *root)
{
    put_repeated(build, root);
    put_hash(build, root, "head", build->event->self.head);
    put_text(build, root, "previousFile", build->event->self.previous_file);
    put_heartbeat(build, root);
    put_audit(build, root);
}

/* All but what is in `inputs`, which is left empty but stands at its place. */
static json_t *build_frame(struct build *build, const struct timespec *now)
{
    json_t *root = json_object();
    put_word(build, root, "instance", build->origin->instance);
    put_word(build, root, "type", build->event->type);
    put_word(build, root, "stage", build->event->stage);
    put_time(build, root, "time", now);
    put_request(build, root);
    put_decision(build, root);
    if (build->event->input_count)
        put_object(build, root, "inputs");
    put_policy(build, root, "policy", build->event->policy);
    put_policy(build, root, "previous", build->event->previous);
    put_text(build, root, "error", build->event->error);
    put_labels(build, root);
    put_changes(build, root);
    put_self(build, root);
    put_result(build, root);
    return root;
}

/*
 * One try with `limit` bytes a text. `fill`: take the inputs that there is room for, else all of
 * them. Returns the length of the object, more than OBJECT_MAX when it does not fit, 0 when memory
 * is out.
 */
static size_t build_object(struct build *build, const struct timespec *now, size_t limit, bool fill,
                           char *object)
{
    build->limit = limit;
    build->used = 0;
    OWNED(own_json) json_t *root = build_frame(build, now);
    json_t *inputs = json_object_get(root, "inputs");
    if (inputs && !build->failed) {
        if (fill)
            build->used = json_dumpb(root, NULL, 0, DUMP_FLAGS) + INPUTS_FRAME;
        put_inputs(build, inputs);
    }
    if (build->failed)
        return 0;
    if (is_too_long(build) && !fill)
        return build->used + 1; /* the brace that is no part of the body */
    return json_dumpb(root, object, OBJECT_MAX, DUMP_FLAGS);
}

int record_body(const struct record_origin *origin, const struct timespec *now,
                const struct audit_event *event, char *body, struct err *err)
{
    struct build build;
    char object[OBJECT_MAX];
    build.origin = origin;
    build.event = event;
    build.failed = false;
    size_t limit = TEXT_MOST;
    size_t length = build_object(&build, now, limit, false, object);
    while (length > OBJECT_MAX && limit > TEXT_LEAST) {
        limit /= 2;
        length = build_object(&build, now, limit, false, object);
    }
    if (length > OBJECT_MAX)
        length = build_object(&build, now, TEXT_LEAST, true, object);
    if (length == 0)
        return err_set(err, "audit record: out of memory");
    if (length > OBJECT_MAX)
        return err_set(err, "audit record: does not fit %zu bytes", RECORD_MAX);
    memcpy(body, object + 1, length - 1);
    body[length - 1] = '\n';
    return (int)length;
}

size_t record_head(uint64_t seq, const char prev[RECORD_HASH_SIZE], char head[RECORD_HEAD_MAX])
{
    int length =
        snprintf(head, RECORD_HEAD_MAX, RECORD_START "%" PRIu64 ",\"prev\":\"%s\",", seq, prev);
    return (size_t)length;
}
