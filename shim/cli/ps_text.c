/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `crigate ps` and, below it, what a person should know about what it shows. */
#include <inttypes.h>

#include "base/writer.h"
#include "cli/ps_report.h"

#define SAYS_SIZE ((size_t)2048)
#define SENTENCE_SIZE ((size_t)4096)
#define KINDS_MAX ((size_t)10) /* refusals explained, and troubles told; JSON has all of them */
#define SECOND INT64_C(1000000000)

enum { POD, RUNTIME, ISOLATION, STATE, AGE, SAYS, DRIFT, COLUMN_COUNT };

/* On a narrow terminal what the policy says is cut before the pods' names. */
static const struct table_column columns[COLUMN_COUNT] = {
    [POD] = {"POD", 24, true},
    [RUNTIME] = {"RUNTIME", 0, false},
    [ISOLATION] = {"ISOLATION", 0, false},
    [STATE] = {"STATE", 0, false},
    [AGE] = {"AGE", 0, false},
    [SAYS] = {"POLICY SAYS", 16, false},
    [DRIFT] = {"DRIFT", 0, false},
};

void ps_format_age(int64_t created_at, int64_t now, char *buf, size_t size)
{
    int64_t seconds = created_at < now ? now / SECOND - created_at / SECOND : 0;
    if (created_at <= 0)
        snprintf(buf, size, "?");
    else if (seconds < 60)
        snprintf(buf, size, "%" PRId64 "s", seconds);
    else if (seconds < 3600)
        snprintf(buf, size, "%" PRId64 "m", seconds / 60);
    else if (seconds < 86400)
        snprintf(buf, size, "%" PRId64 "h%" PRId64 "m", seconds / 3600, seconds / 60 % 60);
    else
        snprintf(buf, size, "%" PRId64 "d", seconds / 86400);
}

/* --- one row ------------------------------------------------------------------------------- */

static void write_rule(struct writer *writer, const struct verdict *verdict)
{
    if (!verdict->rule)
        return;
    bool is_rule = verdict->reason != REASON_OTHERWISE;
    writer_text(writer, is_rule ? " by rule " : " by ");
    writer_short(writer, verdict->rule->name);
}

/* What the policy would do with the pod now, such as "runsc by rule agents-in-gvisor". */
static void write_says(struct writer *writer, const struct judged_sandbox *judged)
{
    const struct verdict *verdict = &judged->verdict;
    if (!judged->has_verdict) {
        writer_text(writer, judged->standing == STANDING_NOT_JUDGED ? "-" : "? namespaces unknown");
        return;
    }
    if (verdict->action == VERDICT_RUN) {
        writer_short(writer, verdict->effective->handler);
    } else if (verdict->reason == REASON_LABELS_UNKNOWN) {
        writer_text(writer, "? node labels unknown");
    } else if (verdict->reason == REASON_RULE || verdict->reason == REASON_OTHERWISE) {
        writer_text(writer, "refuse");
    } else {
        writer_text(writer, "refuse (");
        writer_text(writer, verdict_reason_name(verdict->reason));
        writer_text(writer, ")");
    }
    write_rule(writer, verdict);
}

static int set_name(struct table *table, size_t row, const struct pod_facts *pod,
                    enum table_style style)
{
    char *name = NULL;
    size_t size;
    FILE *out = open_memstream(&name, &size);
    if (!out)
        return -1;
    fwrite(pod->namespace.data, 1, pod->namespace.len, out);
    fputc('/', out);
    fwrite(pod->name.data, 1, pod->name.len, out);
    int failed = fclose(out);
    OWNED_MEM char *owned = name;
    if (failed)
        return -1;
    return table_set(table, row, POD, (struct str){.data = owned, .len = size}, style);
}

static int set_isolation(struct table *table, size_t row, const struct judged_sandbox *judged,
                         bool is_dim)
{
    const struct policy_runtime *runtime = judged->runtime;
    enum table_style style = TABLE_PLAIN;
    struct str text = STR("host kernel");
    if (!runtime) {
        text = STR("?");
        style = TABLE_YELLOW;
    } else if (runtime->isolation == ISOLATION_SANDBOX) {
        text = STR("sandbox");
        style = TABLE_GREEN;
    }
    return table_set(table, row, ISOLATION, text, is_dim ? TABLE_DIM : style);
}

static int set_drift(struct table *table, size_t row, const struct judged_sandbox *judged)
{
    switch (judged->standing) {
    case STANDING_DRIFT:
        return table_set(table, row, DRIFT, STR("DRIFT"), TABLE_RED);
    case STANDING_UNKNOWN:
        return table_set(table, row, DRIFT, STR("?"), TABLE_YELLOW);
    case STANDING_SAME:
    case STANDING_NOT_JUDGED:
        break;
    }
    return 0;
}

/* The state is worth a column only where it differs: it then stands in each row. */
static int set_state(struct table *table, size_t row, const struct ps_report *report, bool is_ready,
                     enum table_style style)
{
    if (report->tally.not_ready == 0)
        return 0;
    return table_set(table, row, STATE, is_ready ? STR("ready") : STR("notready"), style);
}

static int set_row(struct table *table, size_t row, const struct ps_report *report)
{
    const struct judged_sandbox *judged = &report->items[row];
    const struct sandbox_facts *facts = &judged->sandbox->facts;
    enum table_style style = facts->ready ? TABLE_PLAIN : TABLE_DIM;
    char age[32], says[SAYS_SIZE];
    struct writer writer = writer_make(says, sizeof(says));
    write_says(&writer, judged);
    ps_format_age(facts->created_at, report->now, age, sizeof(age));
    struct str handler = facts->handler.len ? facts->handler : STR("(default)");
    if (set_name(table, row, &facts->pod, style) < 0 ||
        table_set(table, row, RUNTIME, handler, style) < 0 ||
        set_isolation(table, row, judged, !facts->ready) < 0 ||
        set_state(table, row, report, facts->ready, style) < 0 ||
        table_set(table, row, AGE, str_of(age), style) < 0 ||
        table_set(table, row, SAYS, (struct str){.data = says, .len = writer.used}, style) < 0)
        return -1;
    return set_drift(table, row, judged);
}

static int print_table(const struct ps_report *report, const struct table_look *look, FILE *out)
{
    OWNED(table_free) struct table table;
    if (table_make(columns, COLUMN_COUNT, report->count, &table) < 0)
        return -1;
    for (size_t row = 0; row < report->count; row++) {
        if (set_row(&table, row, report) < 0)
            return -1;
    }
    table_print(&table, look, out);
    return 0;
}

/* --- below the table ----------------------------------------------------------------------- */

/* Sentences, each printed once. */
struct notes {
    FILE *out;
    char told[KINDS_MAX][SENTENCE_SIZE];
    size_t count, dropped;
};

static void tell_once(struct notes *notes, const char *sentence)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->told[i], sentence) == 0)
            return;
    }
    if (notes->count == KINDS_MAX) {
        notes->dropped++;
        return;
    }
    strcpy(notes->told[notes->count++], sentence);
    fprintf(notes->out, "%s\n", sentence);
}

static void explain(const struct ps_report *report, const struct judged_sandbox *judged,
                    struct notes *notes)
{
    char sentence[SENTENCE_SIZE], reason[SENTENCE_SIZE / 2];
    struct writer writer = writer_make(sentence, sizeof(sentence));
    const struct sandbox_facts *facts = &judged->sandbox->facts;
    if (judged->standing == STANDING_UNKNOWN && judged->sandbox->trouble.len) {
        writer_text(&writer, "? ");
        writer_short(&writer, facts->pod.namespace);
        writer_text(&writer, "/");
        writer_short(&writer, facts->pod.name);
        writer_text(&writer, ": containerd did not tell its namespaces: ");
        writer_short(&writer, judged->sandbox->trouble);
    } else if (judged->standing == STANDING_DRIFT && judged->verdict.action == VERDICT_REFUSE) {
        write_says(&writer, judged);
        writer_text(&writer, ": ");
        verdict_explain(report->policy, &facts->pod, &judged->verdict, reason, sizeof(reason));
        writer_text(&writer, reason);
    } else {
        return;
    }
    tell_once(notes, sentence);
}

static int print_reasons(const struct ps_report *report, FILE *out)
{
    OWNED_MEM struct notes *notes = calloc(1, sizeof(*notes));
    if (!notes)
        return -1;
    notes->out = out;
    for (size_t i = 0; i < report->count; i++)
        explain(report, &report->items[i], notes);
    if (notes->dropped)
        fprintf(out, "There are more reasons; --output json has all of them.\n");
    return 0;
}

static void print_defaults(const struct ps_report *report, FILE *out)
{
    const struct policy_runtime *runtime = policy_resolve(report->policy, STR(""));
    bool any = false;
    for (size_t i = 0; i < report->count && !any; i++)
        any = report->items[i].sandbox->facts.handler.len == 0;
    if (!any || !runtime)
        return;
    char name[SENTENCE_SIZE];
    struct writer writer = writer_make(name, sizeof(name));
    writer_short(&writer, runtime->handler);
    fprintf(out,
            "(default): it came without a runtime's name, so containerd's own default runs it, "
            "%s %s.\n",
            runtime->isolation == ISOLATION_HOST_KERNEL
                ? "which the policy takes for"
                : "and whether that is a sandbox is not known; the policy's default is",
            name);
}

static void print_labels(const struct ps_report *report, FILE *out)
{
    bool matter = false;
    for (size_t i = 0; i < report->count && !matter; i++)
        matter = report->items[i].has_verdict &&
                 report->items[i].verdict.reason == REASON_LABELS_UNKNOWN;
    char text[SENTENCE_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    if (matter) {
        writer_text(&writer, report->labels_trouble);
        fprintf(out,
                "? The policy's choice depends on the node's labels, which are not known: %s.\n",
                text);
        return;
    }
    struct node_labels_origin origin = node_labels_origin(report->labels);
    if (!node_labels_set(report->labels) || strcmp(origin.source, "cache") != 0)
        return;
    ps_format_age(origin.seen * SECOND, report->now, text, sizeof(text));
    fprintf(out, "Judged by the node's labels as the API server told them %s ago.\n", text);
}

static void print_policy(const struct ps_report *report, FILE *out)
{
    if (policy_mode(report->policy) != POLICY_OBSERVE)
        return;
    char name[SENTENCE_SIZE];
    struct writer writer = writer_make(name, sizeof(name));
    writer_short(&writer, policy_name(report->policy));
    fprintf(out, "The policy %s only observes: enforced, it would do what is shown here.\n", name);
}

static void print_tally(const struct ps_tally *tally, const struct table_look *look, FILE *out)
{
    enum table_style style = tally->drifted ? TABLE_RED : TABLE_PLAIN;
    fprintf(out, "%zu sandbox%s: %zu sandboxed, %zu on the host kernel, ", tally->ready,
            tally->ready == 1 ? "" : "es", tally->sandboxed, tally->host_kernel);
    if (tally->unknown_isolation)
        fprintf(out, "%zu of unknown isolation, ", tally->unknown_isolation);
    fputs(table_style_begin(look, style), out);
    if (tally->drifted)
        fprintf(out, "%zu drift%s", tally->drifted, tally->drifted == 1 ? "s" : "");
    else
        fputs("none drifts", out);
    fputs(table_style_end(look, style), out);
    if (tally->unknown)
        fprintf(out, ", %zu cannot be told", tally->unknown);
    if (tally->not_ready)
        fprintf(out, "; %zu more %s not ready", tally->not_ready,
                tally->not_ready == 1 ? "is" : "are");
    fputc('\n', out);
}

int ps_report_print(const struct ps_report *report, const struct table_look *look, FILE *out)
{
    if (report->count == 0) {
        fprintf(out, "containerd has no pod sandboxes on this node\n");
        return 0;
    }
    if (print_table(report, look, out) < 0)
        return -1;
    fputc('\n', out);
    if (print_reasons(report, out) < 0)
        return -1;
    print_labels(report, out);
    print_defaults(report, out);
    print_policy(report, out);
    if (report->tally.drifted && policy_mode(report->policy) != POLICY_OBSERVE)
        fprintf(out, "A running pod keeps its runtime: delete it, and what replaces it follows the "
                     "policy.\n");
    print_tally(&report->tally, look, out);
    return 0;
}
