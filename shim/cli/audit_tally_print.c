/* SPDX-License-Identifier: Apache-2.0 */
/* A tally as tables with bars, and as JSON. */
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>

#include "base/writer.h"
#include "cli/audit_tally.h"
#include "cli/output.h"

#define ROWS_MAX ((size_t)20)
#define BAR_WIDTH 32u /* terminal columns */
#define EIGHTH_COUNT 8u

enum { NAME, COUNT, SHARE, BAR, COLUMN_COUNT };

static const struct {
    const char *title, *key;
} groups[TALLY_GROUPS] = {
    [TALLY_ACTION] = {"ACTION", "actions"},
    [TALLY_RULE] = {"RULE", "rules"},
    [TALLY_RUNTIME] = {"RUNTIME", "runtimes"},
    [TALLY_NAMESPACE] = {"NAMESPACE", "namespaces"},
    [TALLY_REFUSAL] = {"REASON OF REFUSAL", "refusals"},
};

/* --- bars ---------------------------------------------------------------------------------- */

/* In eighths of a column where the terminal can; what is there has a bar, however short. */
static void write_bar(struct writer *writer, uint64_t count, uint64_t most, bool blocks)
{
    static const char *const parts[EIGHTH_COUNT] = {"",
                                                    "\xe2\x96\x8f",
                                                    "\xe2\x96\x8e",
                                                    "\xe2\x96\x8d",
                                                    "\xe2\x96\x8c",
                                                    "\xe2\x96\x8b",
                                                    "\xe2\x96\x8a",
                                                    "\xe2\x96\x89"};
    unsigned unit = blocks ? EIGHTH_COUNT : 1;
    double share = most ? (double)count / (double)most : 0;
    unsigned length = (unsigned)(share * BAR_WIDTH * unit + 0.5);
    if (count && !length)
        length = 1;
    for (unsigned i = 0; i < length / unit; i++)
        writer_text(writer, blocks ? "\xe2\x96\x88" : "#");
    writer_text(writer, parts[length % unit]);
}

static enum table_style style_of(enum tally_by by, struct str name)
{
    if (by == TALLY_REFUSAL)
        return TABLE_RED;
    if (by != TALLY_ACTION)
        return TABLE_PLAIN;
    if (str_eq(name, STR("allow")))
        return TABLE_GREEN;
    return str_eq(name, STR("refuse")) ? TABLE_RED : TABLE_YELLOW;
}

/* --- tables -------------------------------------------------------------------------------- */

struct printing {
    const struct tally *tally;
    const struct table_look *look;
    bool bars, blocks;
};

static int set_row(const struct printing *printing, struct table *table, size_t row,
                   enum tally_by by, const struct tally_row *data, uint64_t most)
{
    char number[32], share[16], bar[4 * BAR_WIDTH];
    uint64_t total = printing->tally->decisions;
    struct writer writer = writer_make(bar, sizeof(bar));
    enum table_style style = style_of(by, data->name);
    snprintf(number, sizeof(number), "%12" PRIu64, data->count);
    snprintf(share, sizeof(share), "%5.1f%%",
             total ? 100.0 * (double)data->count / (double)total : 0);
    if (printing->bars)
        write_bar(&writer, data->count, most, printing->blocks);
    bool failed = table_set(table, row, NAME, data->name, style) < 0 ||
                  table_set(table, row, COUNT, str_of(number), TABLE_PLAIN) < 0 ||
                  table_set(table, row, SHARE, str_of(share), TABLE_DIM) < 0 ||
                  table_set(table, row, BAR, str_of(bar), style) < 0;
    return failed ? -1 : 0;
}

/* The rows that are shown; those behind them are `others`. */
static size_t shown_rows(size_t count, const struct tally_row *rows, uint64_t *others)
{
    size_t shown = count > ROWS_MAX ? ROWS_MAX : count;
    for (size_t i = shown; i < count; i++)
        *others = *others > UINT64_MAX - rows[i].count ? UINT64_MAX : *others + rows[i].count;
    return shown;
}

static int print_group(const struct printing *printing, enum tally_by by, FILE *out)
{
    const struct tally_group *group = &printing->tally->groups[by];
    const struct table_column columns[COLUMN_COUNT] = {
        [NAME] = {.title = groups[by].title, .least = 12, .cut_in_middle = true, .pad = 34},
        [COUNT] = {.title = "   DECISIONS"},
        [SHARE] = {.title = " SHARE"},
        [BAR] = {.title = "", .least = 4},
    };
    size_t count;
    uint64_t others = group->others;
    OWNED_MEM struct tally_row *rows = tally_sorted(group, &count);
    OWNED(table_free) struct table table = {0};
    if (!rows)
        return -1;
    if (count == 0 && others == 0)
        return 0;
    size_t shown = shown_rows(count, rows, &others);
    struct tally_row rest = {.name = STR("others"), .count = others};
    uint64_t most = shown && rows[0].count > others ? rows[0].count : others;
    if (table_make(columns, COLUMN_COUNT, shown + (others ? 1 : 0), &table) < 0)
        return -1;
    for (size_t i = 0; i < shown; i++) {
        if (set_row(printing, &table, i, by, &rows[i], most) < 0)
            return -1;
    }
    if (others && set_row(printing, &table, shown, by, &rest, most) < 0)
        return -1;
    fputc('\n', out);
    table_print(&table, printing->look, out);
    return 0;
}

static void print_head(const struct tally *tally, const struct table_look *look, FILE *out)
{
    char first[AUDIT_LOCAL_SIZE], last[AUDIT_LOCAL_SIZE];
    fprintf(out, "%" PRIu64 " %s", tally->decisions,
            tally->decisions == 1 ? "decision" : "decisions");
    if (tally->decisions) {
        audit_time_local(str_of(tally->first), first);
        audit_time_local(str_of(tally->last), last);
        fprintf(out, "%s from %s to %s%s", table_style_begin(look, TABLE_DIM), first, last,
                table_style_end(look, TABLE_DIM));
    }
    fputc('\n', out);
}

static bool terminal_has_blocks(void)
{
    setlocale(LC_CTYPE, "");
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    setlocale(LC_CTYPE, "C");
    return utf8;
}

int tally_print(const struct tally *tally, const struct table_look *look, FILE *out)
{
    struct printing printing = {.tally = tally, .look = look, .bars = look->width > 0};
    printing.blocks = printing.bars && terminal_has_blocks();
    print_head(tally, look, out);
    for (enum tally_by by = 0; by < TALLY_GROUPS; by++) {
        if (print_group(&printing, by, out) < 0)
            return -1;
    }
    return 0;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static json_t *group_json(const struct tally_group *group)
{
    size_t count;
    OWNED_MEM struct tally_row *rows = tally_sorted(group, &count);
    OWNED_JSON json_t *list = json_array();
    if (!rows || !list)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        OWNED_JSON json_t *item = json_object();
        if (output_json_str(item, "name", rows[i].name) < 0 ||
            json_object_set_new(item, "count", json_integer((json_int_t)rows[i].count)) < 0 ||
            json_array_append(list, item) < 0)
            return NULL;
    }
    return json_pack("{s:O, s:I}", "names", list, "others", (json_int_t)group->others);
}

json_t *tally_json(const struct tally *tally)
{
    OWNED_JSON json_t *root =
        json_pack("{s:I, s:s, s:s}", "decisions", (json_int_t)tally->decisions, "first",
                  tally->first, "last", tally->last);
    for (enum tally_by by = 0; by < TALLY_GROUPS; by++) {
        if (json_object_set_new(root, groups[by].key, group_json(&tally->groups[by])) < 0)
            return NULL;
    }
    return steal_ptr(&root);
}
