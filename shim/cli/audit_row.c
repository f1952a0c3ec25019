/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of `crigate audit show`, which stay in line though each row is printed alone. */
#include "cli/audit_row.h"

#include "cli/audit_filter.h"
#include "cli/audit_time.h"
#include "cli/audit_why.h"

#define NAME_SIZE ((size_t)4096)
#define RUNTIME_SIZE ((size_t)2048)
#define WHY_SIZE ((size_t)8192)

enum { TIME, ACTION, TYPE, POD, RUNTIME, WHY, COLUMN_COUNT };

/* What is in the log for a person's eyes comes last, and is cut first. */
static const struct table_column columns[COLUMN_COUNT] = {
    [TIME] = {.title = "TIME", .pad = 23},
    [ACTION] = {.title = "ACTION", .pad = 6},
    [TYPE] = {.title = "TYPE", .pad = 9},
    [POD] = {.title = "POD", .least = 16, .cut_in_middle = true, .pad = 30},
    [RUNTIME] = {.title = "RUNTIME", .pad = 16},
    [WHY] = {.title = "WHY", .least = 20},
};

int audit_row_print_titles(const struct table_look *look, FILE *out)
{
    OWNED(table_free) struct table table;
    if (table_make(columns, COLUMN_COUNT, 1, &table) < 0)
        return -1;
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        if (table_set(&table, 0, column, str_of(columns[column].title), TABLE_DIM) < 0)
            return -1;
    }
    table_print_rows(&table, look, out);
    return 0;
}

/* --- the cells ----------------------------------------------------------------------------- */

static bool is_completed(const struct audit_fields *fields)
{
    return str_eq(fields->scan.stage, STR("completed"));
}

/* The decision in a word, or how the call ended that it let go on. */
static struct str action_of(const struct audit_fields *fields, enum table_style *style)
{
    struct str action = audit_field(fields, "decision", "action");
    bool ok = str_eq(audit_field(fields, "result", "code"), STR("OK"));
    if (is_completed(fields)) {
        *style = ok ? TABLE_DIM : TABLE_RED;
        return ok ? STR("ok") : STR("failed");
    }
    if (str_eq(action, STR("allow")))
        *style = TABLE_GREEN;
    else if (str_eq(action, STR("refuse")))
        *style = TABLE_RED;
    else
        *style = TABLE_YELLOW;
    return action;
}

/* "agents/build-7 (main)". */
static struct str write_pod(const struct audit_fields *fields, char buf[NAME_SIZE])
{
    struct writer writer = writer_make(buf, NAME_SIZE);
    struct str namespace = audit_field(fields, "pod", "namespace");
    struct str container = audit_field(fields, "container", "name");
    writer_short(&writer, namespace);
    writer_text(&writer, namespace.len ? "/" : "");
    writer_short(&writer, audit_field(fields, "pod", "name"));
    if (container.len) {
        writer_text(&writer, writer.used ? " (" : "(");
        writer_short(&writer, container);
        writer_text(&writer, ")");
    }
    return (struct str){.data = buf, .len = writer.used};
}

/* "runc -> runsc"; one name when nothing is changed; "default" for a request that names none. */
static struct str write_runtime(const struct audit_fields *fields, char buf[RUNTIME_SIZE])
{
    struct writer writer = writer_make(buf, RUNTIME_SIZE);
    struct str requested = audit_field(fields, "handler", "requested");
    struct str effective = audit_field(fields, "handler", "effective");
    if (!json_object_get(fields->root, "handler"))
        return STR("");
    if (requested.len)
        writer_short(&writer, requested);
    else
        writer_text(&writer, "default");
    if (effective.len && !str_eq(requested, effective)) {
        writer_text(&writer, " -> ");
        writer_short(&writer, effective);
    }
    return (struct str){.data = buf, .len = writer.used};
}

/* The cells take escaped text: what a writer wrote is left as it is when it is escaped again. */
static int set_cells(const struct audit_fields *fields, struct table *table)
{
    char local[AUDIT_LOCAL_SIZE], pod[NAME_SIZE], runtime[RUNTIME_SIZE], why[WHY_SIZE];
    enum table_style action_style, why_style;
    struct writer writer = writer_make(why, sizeof(why));
    struct str action = action_of(fields, &action_style);
    audit_time_local(fields->scan.time, local);
    audit_why_write(fields, &writer, &why_style);
    bool failed =
        table_set(table, 0, TIME, str_of(local), TABLE_DIM) < 0 ||
        table_set(table, 0, ACTION, action, action_style) < 0 ||
        table_set(table, 0, TYPE, audit_type_short(fields->scan.type), TABLE_PLAIN) < 0 ||
        table_set(table, 0, POD, write_pod(fields, pod), TABLE_PLAIN) < 0 ||
        table_set(table, 0, RUNTIME, write_runtime(fields, runtime), TABLE_PLAIN) < 0 ||
        table_set(table, 0, WHY, (struct str){.data = why, .len = writer.used}, why_style) < 0;
    return failed ? -1 : 0;
}

int audit_row_print(const struct audit_fields *fields, const struct table_look *look, FILE *out)
{
    OWNED(table_free) struct table table;
    if (table_make(columns, COLUMN_COUNT, 1, &table) < 0 || set_cells(fields, &table) < 0)
        return -1;
    table_print_rows(&table, look, out);
    return 0;
}
