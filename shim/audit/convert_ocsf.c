/* SPDX-License-Identifier: Apache-2.0 */
/* A record as API Activity of the Open Cybersecurity Schema Framework. */
#include <stdlib.h>
#include <string.h>

#include "audit/convert_walk.h"
#include "audit/words.h"

#define OCSF_VERSION "1.4.0"
#define CLASS_API_ACTIVITY 6003
#define CATEGORY_APPLICATION 6

enum { ACTIVITY_CREATE = 1, ACTIVITY_READ, ACTIVITY_UPDATE, ACTIVITY_DELETE, ACTIVITY_OTHER = 99 };
enum { SEVERITY_INFORMATIONAL = 1, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

static const struct convert_field fields[] = {
    {"seq", "metadata.sequence", CONVERT_NUMBER, true},
    {"type", "metadata.event_code", CONVERT_TEXT, false},
    {"time", "metadata.original_time", CONVERT_TEXT, false},
    {"version", "metadata.product.version", CONVERT_TEXT, false},
    {"policy.name", "policy.name", CONVERT_TEXT, false},
    {"policy.sha256", "policy.uid", CONVERT_TEXT, true},
    {"policy.sha256", "policy.version", CONVERT_TEXT, false},
    {"repeated.count", "count", CONVERT_NUMBER, true},
    {"result.code", "status_code", CONVERT_TEXT, true},
    {"decision.reason", "status_detail", CONVERT_TEXT, true},
    {"node", "src_endpoint.hostname", CONVERT_TEXT, false},
};

/* --- what it is ---------------------------------------------------------------------------- */

static int64_t activity_of(const struct convert *convert)
{
    static const struct {
        const char *operation; /* of a call, or the type of a record */
        int64_t activity;
    } activities[] = {
        {"RunPodSandbox", ACTIVITY_CREATE},   {"RestorePod", ACTIVITY_CREATE},
        {"CreateContainer", ACTIVITY_CREATE}, {"PullImage", ACTIVITY_CREATE},
        {"ImageStatus", ACTIVITY_READ},       {"ListImages", ACTIVITY_READ},
        {"RemoveImage", ACTIVITY_DELETE},     {"policy.loaded", ACTIVITY_UPDATE},
        {"policy.rejected", ACTIVITY_UPDATE}, {"node.labels", ACTIVITY_UPDATE},
    };
    const char *operation = convert_operation(convert);
    /* A service that is not CRI may have a method of the same name. */
    if (convert_is(convert, "decision.reason", "serviceNotAllowed"))
        return ACTIVITY_OTHER;
    if (!*operation)
        operation = convert_text(convert, "type");
    for (size_t i = 0; i < sizeof(activities) / sizeof(activities[0]); i++) {
        if (strcmp(operation, activities[i].operation) == 0)
            return activities[i].activity;
    }
    return ACTIVITY_OTHER;
}

static void put_class(struct convert *convert)
{
    static const char *const names[] = {"", "Create", "Read", "Update", "Delete"};
    int64_t activity = activity_of(convert);
    const char *name = activity == ACTIVITY_OTHER ? convert_text(convert, "type") : names[activity];
    convert_put_number(convert, "class_uid", CLASS_API_ACTIVITY);
    convert_put_text(convert, "class_name", "API Activity");
    convert_put_number(convert, "category_uid", CATEGORY_APPLICATION);
    convert_put_text(convert, "category_name", "Application Activity");
    convert_put_number(convert, "activity_id", activity);
    convert_put_text(convert, "activity_name", name);
    convert_put_number(convert, "type_uid", CLASS_API_ACTIVITY * 100 + activity);
    convert_put(
        convert, "type_name",
        json_sprintf("API Activity: %s", activity == ACTIVITY_OTHER ? "Other" : names[activity]));
}

/* A refusal that somebody may have worked for weighs more than one of a pod that is wrong. */
static int64_t severity_of(const struct convert *convert)
{
    static const char *const grave[] = {"downgrade", "serviceNotAllowed", "peerNotAllowed"};
    enum convert_action action = convert_action(convert);
    if (action == CONVERT_DENIED) {
        for (size_t i = 0; i < sizeof(grave) / sizeof(grave[0]); i++) {
            if (convert_is(convert, "decision.reason", grave[i]))
                return SEVERITY_HIGH;
        }
        return SEVERITY_MEDIUM;
    }
    if (convert_is(convert, "type", "audit.degraded") || convert_number(convert, "audit.lost", 0))
        return SEVERITY_HIGH;
    if (convert_is(convert, "type", "policy.rejected"))
        return SEVERITY_MEDIUM;
    if (convert_is(convert, "decision.action", "wouldRefuse") ||
        convert_is(convert, "type", "audit.repaired"))
        return SEVERITY_LOW;
    return SEVERITY_INFORMATIONAL;
}

static void put_severity(struct convert *convert)
{
    static const char *const names[] = {"Unknown", "Informational", "Low", "Medium", "High"};
    int64_t severity = severity_of(convert);
    convert_put_number(convert, "severity_id", severity);
    convert_put_text(convert, "severity", names[severity]);
}

static void put_metadata(struct convert *convert)
{
    const char *request = convert_text(convert, "requestId");
    convert_put_text(convert, "metadata.version", OCSF_VERSION);
    convert_put(convert, "metadata.profiles", json_pack("[s]", "security_control"));
    convert_put_text(convert, "metadata.product.name", "crigate");
    convert_put_text(convert, "metadata.product.vendor_name", "crigate");
    convert_put_text(convert, "metadata.log_name", "crigate.audit");
    convert_put(convert, "metadata.uid", convert_uid(convert));
    if (*request)
        convert_put(convert, "metadata.correlation_uid",
                    json_sprintf("%s-%s", convert_text(convert, "instance"), request));
}

/* --- how it ended -------------------------------------------------------------------------- */

/* The security_control profile; absent where nothing was controlled. */
static void put_control(struct convert *convert)
{
    static const struct {
        int64_t action, disposition;
        const char *action_name, *disposition_name;
    } controls[] = {
        [CONVERT_NONE] = {0, 0, "", ""},
        [CONVERT_ALLOWED] = {1, 1, "Allowed", "Allowed"},
        [CONVERT_OBSERVED] = {3, 17, "Observed", "Logged"},
        [CONVERT_DENIED] = {2, 2, "Denied", "Blocked"},
    };
    enum convert_action action = convert_action(convert);
    if (action == CONVERT_NONE)
        return;
    convert_put_number(convert, "action_id", controls[action].action);
    convert_put_text(convert, "action", controls[action].action_name);
    convert_put_number(convert, "disposition_id", controls[action].disposition);
    convert_put_text(convert, "disposition", controls[action].disposition_name);
    if (action == CONVERT_DENIED)
        convert_put(convert, "is_alert", json_true());
}

static void put_status(struct convert *convert)
{
    static const char *const names[] = {[CONVERT_UNKNOWN] = "Unknown",
                                        [CONVERT_SUCCESS] = "Success",
                                        [CONVERT_FAILURE] = "Failure"};
    enum convert_outcome outcome = convert_outcome(convert);
    const char *error = convert_text(convert, "error");
    convert_put_number(convert, "status_id", outcome); /* the enum's order is that of OCSF */
    convert_put_text(convert, "status", names[outcome]);
    convert_put(convert, "message", convert_message(convert));
    if (*error)
        convert_put_text(convert, "status_detail", error);
    convert_drop(convert, "decision.message");
    convert_drop(convert, "error");
}

static void put_response(struct convert *convert)
{
    const char *name = convert_text(convert, "result.code");
    int code = audit_code_find(name);
    int64_t duration = convert_number(convert, "result.durationUs", -1);
    if (duration >= 0)
        convert_put_number(convert, "duration", duration / 1000);
    if (!*name)
        return;
    if (code >= 0)
        convert_put_number(convert, "api.response.code", code);
    if (convert_outcome(convert) == CONVERT_FAILURE)
        convert_put_text(convert, "api.response.error", name);
    convert_put(convert, "api.response.message", convert_message(convert));
}

/* --- who and what -------------------------------------------------------------------------- */

/* Without a peer it is the gate itself that acts. */
static void put_actor(struct convert *convert)
{
    int64_t uid = convert_number(convert, "peer.uid", -1);
    int64_t pid = convert_number(convert, "peer.pid", 0);
    if (uid >= 0) {
        convert_put(convert, "actor.user.uid", json_sprintf("%lld", (long long)uid));
        convert_drop(convert, "peer.uid");
    }
    if (pid > 0) {
        convert_put_number(convert, "actor.process.pid", pid);
        convert_drop(convert, "peer.pid");
    }
    if (uid < 0 && pid <= 0)
        convert_put_text(convert, "actor.app_name",
                         *convert_text(convert, "method") ? "unknown" : "crigate");
}

static void put_api(struct convert *convert)
{
    const char *operation = convert_operation(convert);
    const char *method = convert_text(convert, "method");
    if (*method == '/')
        method++;
    size_t service = strcspn(method, "/");
    convert_put_text(convert, "api.operation",
                     *operation ? operation : convert_text(convert, "type"));
    convert_put(convert, "api.service.name",
                method[service] ? json_stringn_nocheck(method, service)
                                : json_string_nocheck("crigate"));
}

/* A peer on the socket is on the node itself. */
static void put_endpoints(struct convert *convert)
{
    bool called = convert_find(convert, "peer") || *convert_text(convert, "method");
    convert_put_text(convert, "src_endpoint.name", called ? "kubelet socket" : "crigate");
    if (called) {
        convert_put_text(convert, "dst_endpoint.hostname", convert_text(convert, "node"));
        convert_put_text(convert, "dst_endpoint.svc_name", "crigate");
    }
}

/* Moves a text of the record into an object of a list. */
static void move_text(struct convert *convert, json_t *object, const char *path, const char *key)
{
    json_t *value = convert_find(convert, path);
    if (!json_is_string(value))
        return;
    if (json_object_set_nocheck(object, key, value) < 0)
        convert->failed = true;
    convert_drop(convert, path);
}

static json_t *add_resource(struct convert *convert, json_t *list, const char *type)
{
    json_t *resource = json_pack("{ss}", "type", type);
    if (json_array_append_new(list, resource) < 0) {
        convert->failed = true;
        return NULL;
    }
    return resource;
}

static void put_resources(struct convert *convert)
{
    bool pod = json_is_object(convert_find(convert, "pod"));
    bool container = json_is_object(convert_find(convert, "container"));
    if (!pod && !container)
        return;
    json_t *list = json_array();
    if (container) {
        json_t *resource = add_resource(convert, list, "container");
        move_text(convert, resource, "container.name", "name");
        move_text(convert, resource, "result.containerId", "uid");
    }
    if (pod) {
        json_t *resource = add_resource(convert, list, "pod");
        move_text(convert, resource, "pod.name", "name");
        move_text(convert, resource, "pod.namespace", "namespace");
        move_text(convert, resource, "pod.uid", "uid");
    }
    convert_put(convert, "resources", list);
}

static void put_time(struct convert *convert, const char *from, const char *to)
{
    int64_t ms = convert_time_ms(convert_text(convert, from));
    if (ms >= 0)
        convert_put_number(convert, to, ms);
}

void convert_ocsf(struct convert *convert)
{
    put_class(convert);
    put_time(convert, "time", "time");
    put_time(convert, "repeated.firstTime", "start_time");
    put_time(convert, "repeated.lastTime", "end_time");
    put_severity(convert);
    put_metadata(convert);
    put_control(convert);
    put_api(convert);
    put_response(convert);
    put_status(convert);
    put_actor(convert);
    put_endpoints(convert);
    put_resources(convert);
    convert_fields(convert, fields, sizeof(fields) / sizeof(fields[0]));
    convert_rest(convert, "unmapped");
}
