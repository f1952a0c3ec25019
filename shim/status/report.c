/* SPDX-License-Identifier: Apache-2.0 */
/* /status.json, part by part. Foreign text goes through jansson whole; what is not UTF-8 is said to
 * be so rather than left out. */
#include "status/report.h"

#include <inttypes.h>
#include <jansson.h>

#include "base/version.h"

/* A page with ten thousand rules helps nobody. */
#define RULES_MAX 500
#define DRIFTED_MAX 100
#define MESSAGE_SIZE ((size_t)4096)

/* jansson frees what it is given and cannot place; a NULL makes the whole NULL at the end. */
struct build {
    bool failed;
};

static void put(struct build *build, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        build->failed = true;
}

static void append(struct build *build, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        build->failed = true;
}

static json_t *text(struct str value)
{
    json_t *made = json_stringn(value.data, value.len);
    return made ? made : json_string("(not UTF-8)");
}

static void put_text(struct build *build, json_t *object, const char *key, struct str value)
{
    put(build, object, key, text(value));
}

static void put_number(struct build *build, json_t *object, const char *key, uint64_t value)
{
    put(build, object, key, json_integer((json_int_t)value));
}

static void put_time(struct build *build, json_t *object, const char *key, int64_t seconds,
                     long nanoseconds)
{
    char out[64];
    struct tm utc;
    time_t then = (time_t)seconds;
    gmtime_r(&then, &utc);
    size_t used = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + used, sizeof(out) - used, ".%03ldZ", nanoseconds / 1000000);
    put(build, object, key, json_string(out));
}

/* --- the parts ----------------------------------------------------------------------------- */

static json_t *make_checks(struct build *build, const struct snapshot *snapshot)
{
    struct snapshot_check checks[SNAPSHOT_CHECKS];
    json_t *array = json_array();
    snapshot_check(snapshot, checks);
    for (size_t i = 0; i < SNAPSHOT_CHECKS; i++) {
        json_t *check = json_object();
        put_text(build, check, "name", str_of(checks[i].name));
        put(build, check, "holds", json_boolean(checks[i].holds));
        put_text(build, check, "text", str_of(checks[i].text));
        append(build, array, check);
    }
    return array;
}

static uint64_t hits_of(const struct stats *stats, struct str rule)
{
    uint64_t hits = 0;
    for (size_t i = 0; i < stats->series_count; i++) {
        if (str_eq(stats->series[i].like.rule, rule))
            hits += stats->series[i].count;
    }
    return hits;
}

static json_t *make_rule(struct build *build, const struct snapshot *snapshot,
                         const struct policy_rule *rule)
{
    json_t *object = json_object();
    put_text(build, object, "name", rule->name);
    put_number(build, object, "line", rule->at.line);
    put_number(build, object, "hits", hits_of(snapshot->stats, rule->name));
    return object;
}

static json_t *make_rules(struct build *build, const struct snapshot *snapshot)
{
    json_t *array = json_array();
    size_t count = policy_rule_count(snapshot->policy);
    for (size_t i = 0; i < count && i < RULES_MAX; i++)
        append(build, array, make_rule(build, snapshot, policy_rule_at(snapshot->policy, i)));
    return array;
}

static json_t *make_policy(struct build *build, const struct snapshot *snapshot)
{
    const struct policy *policy = snapshot->policy;
    json_t *object = json_object();
    put_text(build, object, "name", policy_name(policy));
    put_text(build, object, "sha256", str_of(policy_sha256(policy)));
    put_text(build, object, "mode",
             policy_mode(policy) == POLICY_ENFORCE ? STR("enforce") : STR("observe"));
    put_number(build, object, "generation", snapshot->policy_generation);
    put_time(build, object, "since", snapshot->policy_since, 0);
    put_number(build, object, "rejections", snapshot->policy_rejections);
    if (snapshot->policy_error)
        put_text(build, object, "error", str_of(snapshot->policy_error));
    put_number(build, object, "ruleCount", policy_rule_count(policy));
    put(build, object, "rules", make_rules(build, snapshot));
    put_number(build, object, "otherwiseHits", hits_of(snapshot->stats, STR("otherwise")));
    return object;
}

static json_t *make_labels(struct build *build, const struct snapshot *snapshot)
{
    const struct label_set *set = node_labels_set(snapshot->labels);
    json_t *object = json_object(), *values = json_object();
    put(build, object, "known", json_boolean(set != NULL));
    put_text(build, object, "source", str_of(snapshot->labels_source));
    put_number(build, object, "ageSeconds", snapshot->labels_age_s);
    for (size_t i = 0; set && i < set->count; i++) {
        char key[512];
        stats_text(key, set->items[i].key);
        put_text(build, values, key, set->items[i].value);
    }
    put(build, object, "values", values);
    return object;
}

static json_t *make_sandboxes(struct build *build, const struct snapshot *snapshot)
{
    json_t *object = json_object(), *runtimes = json_array();
    put(build, object, "listed", json_boolean(snapshot->sandboxes_listed));
    for (size_t i = 0; i < snapshot->runtime_count; i++) {
        const struct snapshot_runtime *runtime = &snapshot->runtimes[i];
        const struct policy_runtime *declared = policy_resolve(snapshot->policy, runtime->handler);
        json_t *item = json_object();
        put_text(build, item, "runtime", runtime->handler);
        put_text(build, item, "isolation",
                 !declared                                  ? STR("unknown")
                 : declared->isolation == ISOLATION_SANDBOX ? STR("sandbox")
                                                            : STR("hostKernel"));
        put_number(build, item, "count", runtime->sandboxes);
        append(build, runtimes, item);
    }
    put(build, object, "runtimes", runtimes);
    return object;
}

/* As `crigate ps --output json` has it. */
static json_t *make_verdict(struct build *build, const struct policy *policy,
                            const struct judged_sandbox *judged)
{
    const struct verdict *verdict = &judged->verdict;
    bool runs = verdict->action == VERDICT_RUN;
    json_t *object = json_object();
    put_text(build, object, "action", runs ? STR("run") : STR("refuse"));
    put_text(build, object, "reason", str_of(verdict_reason_name(verdict->reason)));
    if (verdict->rule)
        put_text(build, object, "rule", verdict->rule->name);
    if (runs) {
        put_text(build, object, "handler", verdict->effective->handler);
        return object;
    }
    char message[MESSAGE_SIZE] = "";
    verdict_explain(policy, &judged->sandbox->facts.pod, verdict, message, sizeof(message));
    put_text(build, object, "message", str_of(message));
    return object;
}

static json_t *make_drifted(struct build *build, const struct survey *survey)
{
    json_t *array = json_array();
    size_t told = 0;
    for (size_t i = 0; i < survey->count && told < DRIFTED_MAX; i++) {
        const struct judged_sandbox *judged = &survey->items[i];
        const struct sandbox_facts *facts = &judged->sandbox->facts;
        if (judged->standing != STANDING_DRIFT)
            continue;
        json_t *sandbox = json_object();
        put_text(build, sandbox, "id", facts->id);
        put_text(build, sandbox, "namespace", facts->pod.namespace);
        put_text(build, sandbox, "name", facts->pod.name);
        put_text(build, sandbox, "handler", facts->handler);
        put(build, sandbox, "policy", make_verdict(build, survey->policy, judged));
        append(build, array, sandbox);
        told++;
    }
    return array;
}

/* `known` false: there are no counts, and no list. */
static json_t *make_drift(struct build *build, const struct snapshot_drift *drift)
{
    json_t *object = json_object();
    put(build, object, "known", json_boolean(drift->known));
    if (drift->trouble)
        put_text(build, object, "error", str_of(drift->trouble));
    if (!drift->known)
        return object;
    put_number(build, object, "ageSeconds", drift->age_s);
    put_number(build, object, "ready", drift->survey.tally.ready);
    put_number(build, object, "drifted", drift->survey.tally.drifted);
    put_number(build, object, "unjudgeable", drift->survey.tally.unknown);
    put(build, object, "sandboxes", make_drifted(build, &drift->survey));
    return object;
}

static json_t *make_decision(struct build *build, const struct stats_recent *recent)
{
    const char *action = audit_action_name(recent->action);
    json_t *object = json_object();
    put_number(build, object, "number", recent->number);
    put_time(build, object, "time", recent->at.tv_sec, recent->at.tv_nsec);
    put_text(build, object, "kind",
             recent->kind == STATS_CONTAINER ? STR("container") : STR("pod"));
    put_text(build, object, "action", str_of(action));
    if (recent->reason != REASON_NONE)
        put_text(build, object, "reason", str_of(verdict_reason_name(recent->reason)));
    put_text(build, object, "namespace", str_of(recent->namespace));
    put_text(build, object, "pod", str_of(recent->pod));
    put_text(build, object, "container", str_of(recent->container));
    put_text(build, object, "requested", str_of(recent->requested));
    put_text(build, object, "runtime", str_of(recent->runtime));
    put_text(build, object, "rule", str_of(recent->rule));
    put_text(build, object, "message", str_of(recent->message));
    return object;
}

/* The newest first. */
static json_t *make_decisions(struct build *build, const struct stats *stats)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < STATS_RECENT && i < stats->decisions; i++)
        append(build, array,
               make_decision(build, &stats->recent[(stats->decisions - i) % STATS_RECENT]));
    return array;
}

static json_t *make_audit(struct build *build, const struct snapshot *snapshot)
{
    static const char *const sinks[] = {
        [AUDIT_TO_FILE] = "file", [AUDIT_TO_JOURNAL] = "journal", [AUDIT_TO_NOBODY] = "none"};
    json_t *object = json_object();
    put_text(build, object, "file", str_of(snapshot->audit_file));
    put_text(build, object, "sink", str_of(sinks[snapshot->audit.sink]));
    put_number(build, object, "seq", snapshot->audit.seq);
    put_number(build, object, "records", snapshot->audit.records);
    put_number(build, object, "lost", snapshot->audit.lost);
    put_number(build, object, "queuedBytes", snapshot->audit.queued);
    put_text(build, object, "head", str_of(snapshot->audit.head));
    return object;
}

static json_t *make_upstream(struct build *build, const struct snapshot *snapshot)
{
    json_t *object = json_object();
    put_text(build, object, "socket", str_of(snapshot->upstream));
    put(build, object, "up", json_boolean(snapshot->upstream_up));
    put_number(build, object, "connections", snapshot->connections);
    put_number(build, object, "peersRefused", snapshot->peers_refused);
    return object;
}

char *report_make(const struct snapshot *snapshot)
{
    struct build build = {0};
    json_t *root = json_object();
    put_text(&build, root, "version", str_of(crigate_version));
    put_text(&build, root, "node", str_of(snapshot->node));
    put_text(&build, root, "listen", str_of(snapshot->listen));
    put_time(&build, root, "now", snapshot->now, 0);
    put_time(&build, root, "started", snapshot->started, 0);
    put(&build, root, "checks", make_checks(&build, snapshot));
    put(&build, root, "upstream", make_upstream(&build, snapshot));
    put(&build, root, "policy", make_policy(&build, snapshot));
    put(&build, root, "labels", make_labels(&build, snapshot));
    put(&build, root, "sandboxes", make_sandboxes(&build, snapshot));
    put(&build, root, "drift", make_drift(&build, &snapshot->drift));
    put(&build, root, "audit", make_audit(&build, snapshot));
    put_number(&build, root, "decisionCount", snapshot->stats->decisions);
    put(&build, root, "decisions", make_decisions(&build, snapshot->stats));
    char *made = root && !build.failed ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return made;
}
