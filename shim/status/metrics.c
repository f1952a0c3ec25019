/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, family by family. A counter that may grow with what pods do has no label that a pod's
 * author chooses. */
#include "status/metrics.h"

#include <inttypes.h>

#include "base/version.h"
#include "gate/listen.h"

struct label_pair {
    const char *name;
    struct str value;
};

static void family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(FILE *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c == '\n')
            fputs("\\n", out);
        else if (c == '\\' || c == '"')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
}

/* The name of a sample with its labels; a NULL name ends the list. */
static void put_sample(FILE *out, const char *name, const struct label_pair *labels)
{
    fputs(name, out);
    for (size_t i = 0; labels && labels[i].name; i++) {
        fprintf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
        put_value(out, labels[i].value);
        fputc('"', out);
    }
    if (labels && labels[0].name)
        fputc('}', out);
    fputc(' ', out);
}

static void number(FILE *out, const char *name, const struct label_pair *labels, uint64_t value)
{
    put_sample(out, name, labels);
    fprintf(out, "%" PRIu64 "\n", value);
}

/* A family of one sample. */
static void single(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
    family(out, name, type, help);
    number(out, name, NULL, value);
}

#define LABELS(...) ((const struct label_pair[]){__VA_ARGS__, {NULL, {"", 0}}})

/* Microseconds as seconds, without the rounding of a floating point number. */
static void put_seconds(FILE *out, uint64_t us)
{
    fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void histogram(FILE *out, const char *name, struct label_pair label,
                      const struct stats_histogram *histogram)
{
    char sample[128], bound[32];
    uint64_t count = 0;
    snprintf(sample, sizeof(sample), "%s_bucket", name);
    for (size_t i = 0; i <= STATS_BOUNDS; i++) {
        count += histogram->counts[i];
        if (i < STATS_BOUNDS)
            snprintf(bound, sizeof(bound), "%g", stats_bounds_us[i] / 1e6);
        else
            snprintf(bound, sizeof(bound), "+Inf");
        number(out, sample, LABELS(label, {"le", str_of(bound)}), count);
    }
    snprintf(sample, sizeof(sample), "%s_sum", name);
    put_sample(out, sample, LABELS(label));
    put_seconds(out, histogram->sum_us);
    fputc('\n', out);
    snprintf(sample, sizeof(sample), "%s_count", name);
    number(out, sample, LABELS(label), count);
}

/* --- the families -------------------------------------------------------------------------- */

static void put_build(const struct snapshot *snapshot, FILE *out)
{
    family(out, "crigate_build_info", "gauge", "The version that runs; the value is 1.");
    number(out, "crigate_build_info", LABELS({"version", str_of(crigate_version)}), 1);
    single(out, "crigate_start_time_seconds", "gauge", "When the daemon started, Unix time.",
           (uint64_t)snapshot->started);
}

static struct str method_name(size_t index)
{
    size_t count;
    const struct method *methods = method_table(&count);
    return index < count ? str_of(methods[index].path) : STR("other");
}

static bool has_calls(const struct stats_method *method)
{
    for (int code = 0; code < AUDIT_CODES; code++) {
        if (method->by_code[code])
            return true;
    }
    return false;
}

static void put_calls(const struct stats *stats, FILE *out)
{
    family(out, "crigate_calls_total", "counter", "Calls that have ended, by method and status.");
    for (size_t i = 0; i < stats->method_count; i++) {
        for (int code = 0; code < AUDIT_CODES; code++) {
            if (stats->methods[i].by_code[code])
                number(out, "crigate_calls_total",
                       LABELS({"method", method_name(i)}, {"code", str_of(audit_code_name(code))}),
                       stats->methods[i].by_code[code]);
        }
    }
    family(out, "crigate_call_duration_seconds", "histogram",
           "From a call's arrival until its answer has gone, containerd's time included.");
    for (size_t i = 0; i < stats->method_count; i++) {
        if (has_calls(&stats->methods[i]))
            histogram(out, "crigate_call_duration_seconds",
                      (struct label_pair){"method", method_name(i)}, &stats->methods[i].took);
    }
}

static struct str kind_name(enum stats_kind kind)
{
    return kind == STATS_CONTAINER ? STR("container") : STR("pod");
}

static struct str reason_name(enum verdict_reason reason)
{
    return reason == REASON_NONE ? STR("") : str_of(verdict_reason_name(reason));
}

static void put_decisions(const struct stats *stats, FILE *out)
{
    family(out, "crigate_decisions_total", "counter",
           "Decisions on pods and containers, by what was done, why, by which rule and runtime.");
    for (size_t i = 0; i < stats->series_count; i++) {
        const struct stats_decision *like = &stats->series[i].like;
        number(out, "crigate_decisions_total",
               LABELS({"kind", kind_name(like->kind)},
                      {"action", str_of(audit_action_name(like->action))},
                      {"reason", reason_name(like->reason)}, {"rule", like->rule},
                      {"runtime", like->runtime}),
               stats->series[i].count);
    }
    family(out, "crigate_decision_duration_seconds", "histogram",
           "From a judged call's arrival until its decision is durable on record.");
    for (int kind = 0; kind < STATS_KINDS; kind++)
        histogram(out, "crigate_decision_duration_seconds",
                  (struct label_pair){"kind", kind_name((enum stats_kind)kind)},
                  &stats->decided[kind]);
}

static uint64_t count_refused(const struct stats *stats, enum stats_kind kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < stats->series_count; i++) {
        const struct stats_series *series = &stats->series[i];
        if (series->like.kind == kind && series->like.action == AUDIT_REFUSE)
            count += series->count;
    }
    return count;
}

static void put_refusals(const struct snapshot *snapshot, FILE *out)
{
    const struct stats *stats = snapshot->stats;
    const struct {
        struct str what;
        uint64_t count;
    } refusals[] = {
        {STR("pod"), count_refused(stats, STATS_POD)},
        {STR("container"), count_refused(stats, STATS_CONTAINER)},
        {STR("image"), stats->images_refused},
        {STR("service"), stats->services_refused},
        {STR("peer"), snapshot->peers_refused},
    };
    family(out, "crigate_refusals_total", "counter", "What was refused, each time.");
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        number(out, "crigate_refusals_total", LABELS({"what", refusals[i].what}),
               refusals[i].count);
}

static void put_audit(const struct audit_view *audit, FILE *out)
{
    static const char *const sinks[] = {
        [AUDIT_TO_FILE] = "file", [AUDIT_TO_JOURNAL] = "journal", [AUDIT_TO_NOBODY] = "none"};
    family(out, "crigate_audit_sink", "gauge", "1 for what takes the audit records now.");
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
        number(out, "crigate_audit_sink", LABELS({"sink", str_of(sinks[i])}), audit->sink == i);
    single(out, "crigate_audit_queue_bytes", "gauge", "Records that wait for the disk.",
           audit->queued);
    single(out, "crigate_audit_records_total", "counter", "Records written.", audit->records);
    single(out, "crigate_audit_lost_total", "counter", "Records that nobody took.", audit->lost);
    single(out, "crigate_audit_seq", "gauge", "seq of the last record.", audit->seq);
}

static void put_policy(const struct snapshot *snapshot, FILE *out)
{
    const struct policy *policy = snapshot->policy;
    family(out, "crigate_policy_info", "gauge", "The policy in force; the value is 1.");
    number(
        out, "crigate_policy_info",
        LABELS({"name", policy_name(policy)}, {"sha256", str_of(policy_sha256(policy))},
               {"mode", policy_mode(policy) == POLICY_ENFORCE ? STR("enforce") : STR("observe")}),
        1);
    single(out, "crigate_policy_generation", "gauge", "Policies in force since the start.",
           snapshot->policy_generation);
    single(out, "crigate_policy_loaded_timestamp_seconds", "gauge",
           "When the policy came into force, Unix time.", (uint64_t)snapshot->policy_since);
    single(out, "crigate_policy_rejections_total", "counter", "Policies that were not taken.",
           snapshot->policy_rejections);
    single(out, "crigate_policy_file_rejected", "gauge",
           "1 while the policy file holds something that was not taken.",
           snapshot->policy_error != NULL);
}

static void put_labels(const struct snapshot *snapshot, FILE *out)
{
    family(out, "crigate_node_labels_known", "gauge",
           "Whether the node's labels are known, and from where.");
    number(out, "crigate_node_labels_known", LABELS({"source", str_of(snapshot->labels_source)}),
           node_labels_set(snapshot->labels) != NULL);
    single(out, "crigate_node_labels_age_seconds", "gauge",
           "Since the node's labels were last known to be true.", snapshot->labels_age_s);
}

static void put_surroundings(const struct snapshot *snapshot, FILE *out)
{
    single(out, "crigate_upstream_up", "gauge", "Whether containerd is connected.",
           snapshot->upstream_up);
    single(out, "crigate_connections", "gauge", "Open connections of the kubelet and others.",
           snapshot->connections);
    single(out, "crigate_connections_limit", "gauge", "Connections that can be open at once.",
           LISTEN_CONNECTIONS_MAX);
    single(out, "crigate_sandboxes_listed", "gauge",
           "Whether containerd has listed its sandboxes since the start.",
           snapshot->sandboxes_listed);
    family(out, "crigate_sandboxes", "gauge", "Sandboxes on this node by containerd's handler.");
    for (size_t i = 0; i < snapshot->runtime_count; i++)
        number(out, "crigate_sandboxes", LABELS({"runtime", snapshot->runtimes[i].handler}),
               snapshot->runtimes[i].sandboxes);
}

/* While containerd has not been asked, or has never answered, nothing is said of what it runs. */
static void put_drift(const struct snapshot_drift *drift, FILE *out)
{
    if (!drift->known && !drift->trouble)
        return;
    single(out, "crigate_survey_up", "gauge",
           "Whether containerd told what runs, when it was last asked; from the second scrape on.",
           drift->trouble == NULL);
    if (!drift->known)
        return;
    single(out, "crigate_survey_age_seconds", "gauge", "Since containerd last told what runs.",
           drift->age_s);
    single(out, "crigate_sandboxes_drifted", "gauge",
           "Sandboxes that the policy would now refuse, or run under another runtime.",
           drift->survey.tally.drifted);
    single(out, "crigate_sandboxes_unjudgeable", "gauge",
           "Sandboxes of which it cannot be told whether they drift.", drift->survey.tally.unknown);
}

void metrics_write(const struct snapshot *snapshot, FILE *out)
{
    put_build(snapshot, out);
    put_calls(snapshot->stats, out);
    put_decisions(snapshot->stats, out);
    put_refusals(snapshot, out);
    put_audit(&snapshot->audit, out);
    put_policy(snapshot, out);
    put_labels(snapshot, out);
    put_surroundings(snapshot, out);
    put_drift(&snapshot->drift, out);
}
