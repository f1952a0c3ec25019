/* SPDX-License-Identifier: Apache-2.0 */
/* Runs `containerd config`, and compares two of its answers setting by setting. */
#include "setup/containerd_dump.h"

#include "base/writer.h"
#include "setup/containerd.h"
#include "setup/process.h"

#define TIMEOUT_MS 30000

static int explain(const struct process_result *result, struct err *err)
{
    char text[512];
    struct writer writer = writer_make(text, sizeof(text));
    struct str words = result->errors;
    while (words.len && strchr("\r\n ", words.data[words.len - 1]))
        words.len--;
    writer_short(&writer, words);
    return err_set(err, "`containerd config` fails with status %d: %s", result->status, text);
}

int containerd_dump(const char *path, struct arena *arena, struct toml *dump, struct err *err)
{
    const char *defaults[] = {"containerd", "config", "default", NULL};
    const char *merged[] = {"containerd", "-c", path, "config", "dump", NULL};
    struct process_result result;
    if (process_run(path ? merged : defaults, TIMEOUT_MS, arena, &result, err) < 0)
        return -1;
    /* some versions complain and exit with 0 all the same */
    if (result.status || result.output.len == 0)
        return explain(&result, err);
    if (toml_read(result.output, arena, dump, err) < 0)
        return err_wrap(err, "the output of `containerd config`");
    return 0;
}

unsigned containerd_dump_version(const struct toml *dump)
{
    static const struct str key[] = {{"version", 7}};
    const struct toml_entry *entry = toml_find(dump, key, 1);
    bool is_digit =
        entry && entry->raw.len == 1 && entry->raw.data[0] >= '1' && entry->raw.data[0] <= '9';
    return is_digit ? (unsigned)(entry->raw.data[0] - '0') : 0;
}

/* --- comparing ----------------------------------------------------------------------------- */

static bool is_zero(struct str raw)
{
    static const char *const zeros[] = {"\"\"", "''", "0", "0.0", "false", "[]", "{}"};
    for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++) {
        if (str_eq(raw, str_of(zeros[i])))
            return true;
    }
    return false;
}

/* Which files were read is no setting, and neither is what the change is about. */
static bool may_differ(const struct toml_entry *entry)
{
    return (entry->depth == 1 && str_eq(entry->path[0], STR("imports"))) ||
           containerd_is_handler(entry, STR(CONTAINERD_RUNSC));
}

static int compare_paths(const void *left, const void *right)
{
    const struct toml_entry *a = *(const struct toml_entry *const *)left;
    const struct toml_entry *b = *(const struct toml_entry *const *)right;
    size_t shared = a->depth < b->depth ? a->depth : b->depth;
    for (size_t i = 0; i < shared; i++) {
        int order = str_cmp(a->path[i], b->path[i]);
        if (order)
            return order;
    }
    return (a->depth > b->depth) - (a->depth < b->depth);
}

/* The settings of a dump, sorted by path. */
struct settings_list {
    const struct toml_entry **items;
    size_t count;
};

static int list_settings(const struct toml *dump, struct arena *arena, struct settings_list *list)
{
    *list = (struct settings_list){.items = arena_array(arena, dump->count, sizeof(*list->items))};
    if (!list->items)
        return -1;
    for (size_t i = 0; i < dump->count; i++) {
        if (dump->items[i].kind == TOML_VALUE)
            list->items[list->count++] = &dump->items[i];
    }
    qsort(list->items, list->count, sizeof(*list->items), compare_paths);
    return 0;
}

static int explain_difference(const struct toml_entry *entry, struct err *err)
{
    char name[512];
    struct writer writer = writer_make(name, sizeof(name));
    for (size_t i = 0; i < entry->depth; i++) {
        writer_text(&writer, i ? "." : "");
        writer_short(&writer, entry->path[i]);
    }
    return err_set(err,
                   "containerd would read another setting too: %s would not be what it is now. Put "
                   "the table of runsc into containerd's configuration by hand, and run this again",
                   name);
}

/* Each setting of `one` is in `other`, with the same value. */
static int check_kept(const struct settings_list *one, const struct settings_list *other,
                      struct err *err)
{
    for (size_t i = 0; i < one->count; i++) {
        if (may_differ(one->items[i]))
            continue;
        const struct toml_entry **found = bsearch(&one->items[i], other->items, other->count,
                                                  sizeof(*other->items), compare_paths);
        bool same = found ? str_eq((*found)->raw, one->items[i]->raw) : is_zero(one->items[i]->raw);
        if (!same)
            return explain_difference(one->items[i], err);
    }
    return 0;
}

static int check_runsc(const struct settings_list *list, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct toml_entry *entry = list->items[i];
        struct str type;
        if (containerd_is_handler(entry, STR(CONTAINERD_RUNSC)) &&
            str_eq(entry->path[entry->depth - 1], STR("runtime_type")) &&
            toml_string(entry->raw, arena, &type) && str_eq(type, STR(CONTAINERD_RUNSC_TYPE)))
            return 0;
    }
    return err_set(err, "containerd does not see the runtime runsc in its configuration: another "
                        "file that it imports may replace these lines. Put the table of runsc into "
                        "that file by hand, and run this again");
}

int containerd_dump_compare(const struct toml *before, const struct toml *after,
                            struct arena *arena, struct err *err)
{
    struct settings_list old, new;
    if (list_settings(before, arena, &old) < 0 || list_settings(after, arena, &new) < 0)
        return err_set(err, "memory is out");
    if (check_runsc(&new, arena, err) < 0 || check_kept(&old, &new, err) < 0)
        return -1;
    return check_kept(&new, &old, err);
}
