/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `crigate ps`: a row a sandbox. */
#include "cli/ps_text.h"

#include <inttypes.h>

#define SAYS_SIZE ((size_t)2048)
#define SECOND INT64_C(1000000000)

enum { POD, RUNTIME, ISOLATION, AGE, SAYS, DRIFT, COLUMN_COUNT };

/* On a narrow terminal what the policy says is cut before the pods' names. */
static const struct table_column columns[COLUMN_COUNT] = {
    [POD] = {.title = "POD", .least = 20, .cut_in_middle = true},
    [RUNTIME] = {.title = "RUNTIME"},
    [ISOLATION] = {.title = "ISOLATION"},
    [AGE] = {.title = "AGE"},
    [SAYS] = {.title = "POLICY SAYS", .least = 14},
    [DRIFT] = {.title = "DRIFT"},
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
    bool is_otherwise = str_eq(verdict->rule->name, STR("otherwise"));
    writer_text(writer, verdict->reason == REASON_LABELS_UNKNOWN ? " " : " by ");
    writer_text(writer, is_otherwise ? "" : "rule ");
    writer_short(writer, verdict->rule->name);
}

void ps_write_says(struct writer *writer, const struct judged_sandbox *judged)
{
    const struct verdict *verdict = &judged->verdict;
    if (judged->standing == STANDING_NOT_JUDGED) {
        writer_text(writer, "(not ready)");
        return;
    }
    if (!judged->has_verdict) {
        writer_text(writer, "? namespaces not known");
        return;
    }
    if (verdict->reason == REASON_LABELS_UNKNOWN) {
        writer_text(writer, "? node labels not known,");
    } else if (verdict->action == VERDICT_RUN) {
        writer_short(writer, verdict->effective->handler);
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

static int set_row(struct table *table, size_t row, const struct ps_report *report)
{
    const struct judged_sandbox *judged = &report->survey->items[row];
    const struct sandbox_facts *facts = &judged->sandbox->facts;
    enum table_style style = facts->ready ? TABLE_PLAIN : TABLE_DIM;
    char age[32], says[SAYS_SIZE];
    struct writer writer = writer_make(says, sizeof(says));
    ps_write_says(&writer, judged);
    ps_format_age(facts->created_at, report->now, age, sizeof(age));
    struct str handler = facts->handler.len ? facts->handler : STR("(default)");
    if (set_name(table, row, &facts->pod, style) < 0 ||
        table_set(table, row, RUNTIME, handler, style) < 0 ||
        set_isolation(table, row, judged, !facts->ready) < 0 ||
        table_set(table, row, AGE, str_of(age), style) < 0 ||
        table_set(table, row, SAYS, (struct str){.data = says, .len = writer.used}, style) < 0)
        return -1;
    return set_drift(table, row, judged);
}

static int print_table(const struct ps_report *report, const struct table_look *look, FILE *out)
{
    OWNED(table_free) struct table table = {0};
    if (table_make(columns, COLUMN_COUNT, report->survey->count, &table) < 0)
        return -1;
    for (size_t row = 0; row < report->survey->count; row++) {
        if (set_row(&table, row, report) < 0)
            return -1;
    }
    table_print(&table, look, out);
    return 0;
}

int ps_report_print(const struct ps_report *report, const struct table_look *look, FILE *out)
{
    if (report->survey->count == 0) {
        fprintf(out, "containerd has no pod sandboxes on this node\n");
        return 0;
    }
    if (print_table(report, look, out) < 0)
        return -1;
    fputc('\n', out);
    return ps_notes_print(report, look, out);
}
