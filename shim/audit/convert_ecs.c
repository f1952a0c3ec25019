/* SPDX-License-Identifier: Apache-2.0 */
/* A record in the words of the Elastic Common Schema. */
#include <string.h>

#include "audit/convert_walk.h"

#define ECS_VERSION "8.11.0"

static const struct convert_field fields[] = {
    {"seq", "event.sequence", CONVERT_NUMBER, true},
    {"type", "event.code", CONVERT_TEXT, false},
    {"decision.reason", "event.reason", CONVERT_TEXT, false},
    {"repeated.firstTime", "event.start", CONVERT_TEXT, false},
    {"repeated.lastTime", "event.end", CONVERT_TEXT, false},
    {"error", "error.message", CONVERT_TEXT, false},
    {"node", "host.name", CONVERT_TEXT, false},
    {"version", "service.version", CONVERT_TEXT, false},
    {"pod.namespace", "orchestrator.namespace", CONVERT_TEXT, false},
    {"pod.name", "orchestrator.resource.name", CONVERT_TEXT, false},
    {"pod.uid", "orchestrator.resource.id", CONVERT_TEXT, false},
    {"container.name", "container.name", CONVERT_TEXT, false},
    {"result.containerId", "container.id", CONVERT_TEXT, false},
    {"handler.effective", "container.runtime", CONVERT_TEXT, true},
    {"decision.rule", "rule.name", CONVERT_TEXT, false},
    {"policy.name", "rule.ruleset", CONVERT_TEXT, false},
    {"policy.sha256", "rule.version", CONVERT_TEXT, false},
};

/* The category of a record of which the decision does not tell the type. */
struct kind {
    const char *of; /* type of the record */
    const char *category, *type;
};

/* ECS expects these types in these categories (event.category's allowed values). */
static const struct kind kinds[] = {
    {"start", "process", "start"},
    {"stop", "process", "end"},
    {"policy.loaded", "configuration", "change"},
    {"policy.rejected", "configuration", "info"},
    {"node.labels", "configuration", "change"},
};

static void put_category(struct convert *convert)
{
    static const struct kind others = {"", "process", "info"};
    const struct kind *kind = &others;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (convert_is(convert, "type", kinds[i].of))
            kind = &kinds[i];
    }
    enum convert_action action = convert_action(convert);
    const char *category = action == CONVERT_NONE ? kind->category : "api";
    const char *type = action == CONVERT_NONE     ? kind->type
                       : action == CONVERT_DENIED ? "denied"
                                                  : "allowed";
    bool changed = convert_is(convert, "decision.action", "modify");
    const char *second = action == CONVERT_OBSERVED ? "info" : changed ? "change" : NULL;
    convert_put(convert, "event.category", json_pack("[s]", category));
    convert_put(convert, "event.type", json_pack("[ss*]", type, second));
}

static void put_event(struct convert *convert)
{
    static const char *const outcomes[] = {[CONVERT_UNKNOWN] = "unknown",
                                           [CONVERT_SUCCESS] = "success",
                                           [CONVERT_FAILURE] = "failure"};
    const char *operation = convert_operation(convert);
    convert_put_text(convert, "event.kind", "event");
    put_category(convert);
    convert_put_text(convert, "event.action",
                     *operation ? operation : convert_text(convert, "type"));
    convert_put_text(convert, "event.outcome", outcomes[convert_outcome(convert)]);
    convert_put_text(convert, "event.provider", "crigate");
    convert_put_text(convert, "event.module", "crigate");
    convert_put_text(convert, "event.dataset", "crigate.audit");
    convert_put(convert, "event.id", convert_uid(convert));
}

/* In nanoseconds; one that does not fit stays where it is. */
static void put_duration(struct convert *convert)
{
    int64_t duration = convert_number(convert, "result.durationUs", -1);
    if (duration < 0 || __builtin_mul_overflow(duration, 1000, &duration))
        return;
    convert_put_number(convert, "event.duration", duration);
    convert_drop(convert, "result.durationUs");
}

/* A pid that the kernel could not tell is no process. */
static void put_peer(struct convert *convert)
{
    int64_t uid = convert_number(convert, "peer.uid", -1);
    int64_t pid = convert_number(convert, "peer.pid", 0);
    if (uid >= 0) {
        convert_put(convert, "user.id", json_sprintf("%lld", (long long)uid));
        convert_drop(convert, "peer.uid");
    }
    if (pid > 0) {
        convert_put_number(convert, "process.pid", pid);
        convert_drop(convert, "peer.pid");
    }
}

static void put_message(struct convert *convert)
{
    convert_put(convert, "message", convert_message(convert));
    convert_drop(convert, "decision.message");
}

void convert_ecs(struct convert *convert)
{
    static const struct convert_field time = {"time", "@timestamp", CONVERT_TEXT, false};
    convert_fields(convert, &time, 1);
    convert_put_text(convert, "ecs.version", ECS_VERSION);
    put_message(convert);
    put_event(convert);
    put_duration(convert);
    if (convert_outcome(convert) == CONVERT_FAILURE && *convert_text(convert, "result.code"))
        convert_put_text(convert, "error.code", convert_text(convert, "result.code"));
    convert_put_text(convert, "service.name", "crigate");
    convert_put_text(convert, "service.type", "crigate");
    if (convert_find(convert, "pod")) {
        convert_put_text(convert, "orchestrator.type", "kubernetes");
        convert_put_text(convert, "orchestrator.resource.type", "pod");
    }
    put_peer(convert);
    convert_fields(convert, fields, sizeof(fields) / sizeof(fields[0]));
    convert_rest(convert, "crigate");
}
