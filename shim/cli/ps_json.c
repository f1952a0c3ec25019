/* SPDX-License-Identifier: Apache-2.0 */
/* What `crigate ps` found, for a script. */
#include <time.h>

#include "cli/output.h"
#include "cli/ps_report.h"

#define MESSAGE_SIZE ((size_t)4096)
#define SECOND INT64_C(1000000000)

static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value);
}

/* RFC 3339 in UTC, to the millisecond; null when containerd did not tell. */
static json_t *json_time(int64_t ns)
{
    time_t seconds = (time_t)(ns / SECOND);
    struct tm parts;
    char text[64], whole[80];
    if (ns <= 0 || !gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return json_null();
    snprintf(whole, sizeof(whole), "%s.%03dZ", text, (int)(ns % SECOND / 1000000));
    return json_string(whole);
}

static const char *isolation_word(enum isolation isolation)
{
    return isolation == ISOLATION_SANDBOX ? "sandbox" : "hostKernel";
}

static json_t *json_verdict(const struct ps_report *report, const struct judged_sandbox *judged)
{
    const struct verdict *verdict = &judged->verdict;
    if (!judged->has_verdict)
        return json_null();
    bool runs = verdict->action == VERDICT_RUN;
    OWNED_JSON json_t *object = json_pack("{s:s, s:s}", "action", runs ? "run" : "refuse", "reason",
                                          verdict_reason_name(verdict->reason));
    if (verdict->rule && output_json_str(object, "rule", verdict->rule->name) < 0)
        return NULL;
    if (runs)
        return output_json_str(object, "handler", verdict->effective->handler) < 0
                   ? NULL
                   : steal_ptr(&object);
    char message[MESSAGE_SIZE];
    verdict_explain(report->survey->policy, &judged->sandbox->facts.pod, verdict, message,
                    sizeof(message));
    return output_json_str(object, "message", str_of(message)) < 0 ? NULL : steal_ptr(&object);
}

/* null: it cannot be told, or the sandbox is not ready. */
static json_t *json_drift(enum standing standing)
{
    switch (standing) {
    case STANDING_DRIFT:
        return json_true();
    case STANDING_SAME:
        return json_false();
    case STANDING_UNKNOWN:
    case STANDING_NOT_JUDGED:
        break;
    }
    return json_null();
}

static json_t *json_sandbox(const struct ps_report *report, const struct judged_sandbox *judged)
{
    const struct sandbox_facts *facts = &judged->sandbox->facts;
    const struct policy_runtime *runtime = judged->runtime;
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "id", facts->id) < 0 ||
        output_json_str(object, "namespace", facts->pod.namespace) < 0 ||
        output_json_str(object, "name", facts->pod.name) < 0 ||
        output_json_str(object, "uid", facts->pod.uid) < 0 ||
        set(object, "attempt", json_integer(facts->pod.attempt)) < 0 ||
        output_json_str(object, "handler", facts->handler) < 0 ||
        set(object, "isolation",
            runtime ? json_string(isolation_word(runtime->isolation)) : json_null()) < 0 ||
        set(object, "state", json_string(facts->ready ? "ready" : "notready")) < 0 ||
        set(object, "createdAt", json_time(facts->created_at)) < 0 ||
        set(object, "policy", json_verdict(report, judged)) < 0 ||
        set(object, "drift", json_drift(judged->standing)) < 0)
        return NULL;
    const struct str *trouble = &judged->sandbox->trouble;
    if (trouble->len && output_json_str(object, "error", *trouble) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_sandboxes(const struct ps_report *report)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < report->survey->count; i++) {
        if (json_array_append_new(list, json_sandbox(report, &report->survey->items[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_policy(const struct policy *policy)
{
    bool observes = policy_mode(policy) == POLICY_OBSERVE;
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "name", policy_name(policy)) < 0 ||
        set(object, "sha256", json_string(policy_sha256(policy))) < 0 ||
        set(object, "mode", json_string(observes ? "observe" : "enforce")) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_labels(const struct ps_report *report)
{
    bool known = node_labels_set(report->survey->labels);
    struct node_labels_origin origin = node_labels_origin(report->survey->labels);
    int64_t age = report->now / SECOND - origin.seen;
    OWNED_JSON json_t *object = json_object();
    if (set(object, "known", json_boolean(known)) < 0 ||
        set(object, "source", json_string(origin.source)) < 0 ||
        set(object, "ageSeconds", known ? json_integer(age > 0 ? age : 0) : json_null()) < 0)
        return NULL;
    if (!known && output_json_str(object, "error", str_of(report->labels_trouble)) < 0)
        return NULL;
    return steal_ptr(&object);
}

json_t *ps_report_json(const struct ps_report *report)
{
    OWNED_JSON json_t *root = json_object();
    if (set(root, "policy", json_policy(report->survey->policy)) < 0 ||
        set(root, "nodeLabels", json_labels(report)) < 0 ||
        set(root, "sandboxes", json_sandboxes(report)) < 0 ||
        set(root, "drift", json_integer((json_int_t)report->survey->tally.drifted)) < 0 ||
        set(root, "unknown", json_integer((json_int_t)report->survey->tally.unknown)) < 0)
        return NULL;
    return steal_ptr(&root);
}
