/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the place for gVisor's runtime in containerd's files, and writes its lines. */
#include "setup/containerd.h"

#include <stdio.h>

#include "setup/containerd_files.h"

#define PLUGIN_2 "io.containerd.grpc.v1.cri"    /* in version 2 files */
#define PLUGIN_3 "io.containerd.cri.v1.runtime" /* in later ones */
#define OPTIONS_FILE "/etc/containerd/runsc.toml"
#define DROP_IN "crigate.toml"
#define MARK "# crigate setup: begin"

/* plugins.PLUGIN.containerd.runtimes.HANDLER */
enum { PLUGIN = 1, HANDLER = 4 };

static bool has_plugin(const struct toml_entry *entry)
{
    return entry->depth > PLUGIN && str_eq(entry->path[0], STR("plugins")) &&
           (str_eq(entry->path[PLUGIN], STR(PLUGIN_2)) ||
            str_eq(entry->path[PLUGIN], STR(PLUGIN_3)));
}

bool containerd_is_handler(const struct toml_entry *entry, struct str handler)
{
    static const struct str below[] = {{"containerd", 10}, {"runtimes", 8}};
    if (!has_plugin(entry) || entry->depth <= HANDLER || !str_eq(entry->path[2], below[0]) ||
        !str_eq(entry->path[3], below[1]))
        return false;
    return handler.len == 0 || str_eq(entry->path[HANDLER], handler);
}

int containerd_add_handlers(const struct toml *toml, struct arena *arena, struct str **handlers,
                            size_t *count)
{
    struct str *list = arena_array(arena, *count + toml->count, sizeof(*list));
    if (!list)
        return -1;
    if (*count)
        memcpy(list, *handlers, *count * sizeof(*list));
    for (size_t i = 0; i < toml->count; i++) {
        if (!containerd_is_handler(&toml->items[i], STR("")))
            continue;
        struct str name = toml->items[i].path[HANDLER];
        size_t at = 0;
        while (at < *count && !str_eq(list[at], name))
            at++;
        if (at == *count)
            list[(*count)++] = name;
    }
    *handlers = list;
    return 0;
}

static bool names_handler(const struct toml *toml, struct str handler)
{
    for (size_t i = 0; i < toml->count; i++) {
        if (containerd_is_handler(&toml->items[i], handler))
            return true;
    }
    return false;
}

/* --- a runtime that is there --------------------------------------------------------------- */

static void note_type(const struct containerd_file *file, struct arena *arena,
                      struct containerd_plan *plan)
{
    for (size_t i = 0; i < file->toml.count; i++) {
        const struct toml_entry *entry = &file->toml.items[i];
        if (containerd_is_handler(entry, STR(CONTAINERD_RUNSC)) && entry->depth == HANDLER + 2 &&
            str_eq(entry->path[HANDLER + 1], STR("runtime_type")) &&
            !toml_string(entry->raw, arena, &plan->type))
            plan->type = STR("");
    }
}

/* The last file that names it, as it is the one that counts. */
static bool find_runsc(const struct containerd_files *files, struct arena *arena,
                       struct containerd_plan *plan)
{
    for (size_t i = files->count; i-- > 0;) {
        if (!names_handler(&files->items[i].toml, STR(CONTAINERD_RUNSC)))
            continue;
        plan->state = CONTAINERD_HAS_RUNSC;
        plan->where = files->items[i].path;
        plan->type = STR("");
        note_type(&files->items[i], arena, plan);
        return true;
    }
    return false;
}

/* --- a runtime that is not ----------------------------------------------------------------- */

static bool sets_plugin(const struct toml *toml)
{
    for (size_t i = 0; i < toml->count; i++) {
        if (has_plugin(&toml->items[i]))
            return true;
    }
    return false;
}

/* In version 2 the last file that has the plugin's table replaces those before it. */
static size_t choose_file(const struct containerd_files *files)
{
    size_t chosen = 0;
    for (size_t i = 1; i < files->count; i++) {
        if (sets_plugin(&files->items[i].toml))
            chosen = i;
    }
    return chosen;
}

/* Without one that is named the files leave runc to containerd's defaults, and a first runtime in
 * them would replace these: so runc is written beside it. */
static bool needs_runc(const struct containerd_files *files, const struct containerd_file *file)
{
    if (files->version == 2)
        return !names_handler(&file->toml, STR(""));
    for (size_t i = 0; i < files->count; i++) {
        if (names_handler(&files->items[i].toml, STR("")))
            return false;
    }
    return true;
}

static bool ends_with_crlf(struct str text)
{
    const char *newline = text.len ? memchr(text.data, '\n', text.len) : NULL;
    return newline && newline > text.data && newline[-1] == '\r';
}

static void print_runtime(FILE *out, const char *plugin, const char *handler, const char *type)
{
    fprintf(out, "[plugins.\"%s\".containerd.runtimes.%s]\n  runtime_type = \"%s\"\n", plugin,
            handler, type);
}

static void print_block(FILE *out, unsigned version, bool with_runc, bool with_options)
{
    const char *plugin = version == 2 ? PLUGIN_2 : PLUGIN_3;
    fprintf(out, MARK "; `crigate setup --undo` takes these lines out again\n");
    if (with_runc)
        print_runtime(out, plugin, "runc", "io.containerd.runc.v2");
    print_runtime(out, plugin, CONTAINERD_RUNSC, CONTAINERD_RUNSC_TYPE);
    if (with_options)
        fprintf(out,
                "[plugins.\"%s\".containerd.runtimes.runsc.options]\n"
                "  TypeUrl = \"io.containerd.runsc.v1.options\"\n"
                "  ConfigPath = \"" OPTIONS_FILE "\"\n",
                plugin);
    fprintf(out, "# crigate setup: end\n");
}

/* Line ends as in the file itself. */
static void print_with_line_ends(FILE *out, const char *text, bool crlf)
{
    for (; *text; text++) {
        if (*text == '\n' && crlf)
            putc('\r', out);
        putc(*text, out);
    }
}

/* NULL when memory is out. */
static char *make_block(const struct containerd_request *request,
                        const struct containerd_files *files, const struct containerd_file *file)
{
    char *block = NULL, path[4096];
    size_t size;
    FILE *out = open_memstream(&block, &size);
    if (!out)
        return NULL;
    snprintf(path, sizeof(path), "%s%s", request->root, OPTIONS_FILE);
    print_block(out, files->version, needs_runc(files, file), access(path, R_OK) == 0);
    if (fclose(out) == 0)
        return block;
    free(block);
    return NULL;
}

/* The file with the block at its end; a file without text gets its version. */
static int add_block(const struct containerd_files *files, const struct containerd_file *file,
                     const char *block, struct arena *arena, struct str *text, struct err *err)
{
    OWNED_MEM char *buf = NULL;
    size_t size;
    struct str old = file->placed.text;
    bool crlf = ends_with_crlf(old);
    FILE *out = open_memstream(&buf, &size);
    if (!out)
        return err_set(err, "memory is out");
    fwrite(old.data, 1, old.len, out);
    if (!file->placed.exists)
        fprintf(out, "version = %u\n", files->version);
    else if (old.len && old.data[old.len - 1] != '\n')
        print_with_line_ends(out, "\n", crlf);
    print_with_line_ends(out, "\n", crlf);
    print_with_line_ends(out, block, crlf);
    if (fclose(out) != 0)
        return err_set(err, "memory is out");
    *text = arena_str(arena, (struct str){.data = buf, .len = size});
    return text->data ? 0 : err_set(err, "memory is out");
}

/* A header opens a table only where none of the tables around it is closed. */
static int check_open(const struct containerd_file *file, unsigned version, struct err *err)
{
    for (size_t i = 0; i < file->toml.count; i++) {
        const struct toml_entry *entry = &file->toml.items[i];
        static const struct str keys[] = {
            {"plugins", 7}, {NULL, 0}, {"containerd", 10}, {"runtimes", 8}};
        bool is_around = entry->depth <= HANDLER && str_eq(entry->path[0], keys[0]) &&
                         (entry->depth <= PLUGIN || has_plugin(entry)) &&
                         (entry->depth <= 2 || str_eq(entry->path[2], keys[2])) &&
                         (entry->depth <= 3 || str_eq(entry->path[3], keys[3]));
        if (is_around && entry->kind != TOML_TABLE)
            return err_set(err,
                           "%s:%u: the table of runtimes, or one around it, is written in braces "
                           "or as a list here, so no lines can be added at the end of the file. "
                           "Add to the table plugins.\"%s\".containerd.runtimes there by hand: "
                           "runsc = {runtime_type = \"" CONTAINERD_RUNSC_TYPE
                           "\"}, and run this again",
                           file->path, entry->line, version == 2 ? PLUGIN_2 : PLUGIN_3);
    }
    return 0;
}

static struct containerd_file *drop_in_file(const struct containerd_files *files,
                                            const struct containerd_request *request,
                                            struct arena *arena, struct err *err)
{
    struct containerd_file *file = arena_alloc(arena, sizeof(*file));
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/" DROP_IN, files->drop_in_dir);
    if (!file || len < 0 || (size_t)len >= sizeof(path)) {
        err_set(err, "memory is out");
        return NULL;
    }
    file->path = place_find(request->root, path, arena, err);
    if (!file->path || place_read(file->path, arena, &file->placed, err) < 0 ||
        toml_read(file->placed.text, arena, &file->toml, err) < 0)
        return NULL;
    return file;
}

static int plan_edit(const struct containerd_request *request, const struct containerd_files *files,
                     const struct containerd_file *file, struct arena *arena,
                     struct containerd_plan *plan, struct err *err)
{
    OWNED_MEM char *block = make_block(request, files, file);
    plan->state = CONTAINERD_NEEDS_EDIT;
    plan->where = file->path;
    plan->edit = (struct edit){.stage = EDIT_CONTAINERD,
                               .path = file->path,
                               .before = file->placed,
                               .after = file->placed,
                               .mark = MARK};
    if (!file->placed.exists)
        plan->edit.after =
            (struct placed){.exists = true, .mode = 0644, .uid = geteuid(), .gid = getegid()};
    if (!block)
        return err_set(err, "memory is out");
    if (check_open(file, files->version, err) < 0 ||
        add_block(files, file, block, arena, &plan->edit.after.text, err) < 0)
        return -1;
    struct toml written;
    if (toml_read(plan->edit.after.text, arena, &written, err) < 0)
        return err_wrap(err, "%s with the runtime in it", file->path);
    if (containerd_add_handlers(&written, arena, &plan->handlers, &plan->handler_count) < 0)
        return err_set(err, "memory is out");
    return 0;
}

int containerd_plan_make(const struct containerd_request *request, struct arena *arena,
                         struct containerd_plan *plan, struct err *err)
{
    struct containerd_files files;
    *plan = (struct containerd_plan){.type = STR("")};
    if (containerd_files_read(request, arena, &files, err) < 0)
        return -1;
    plan->version = files.version;
    for (size_t i = 0; i < files.count; i++) {
        if (containerd_add_handlers(&files.items[i].toml, arena, &plan->handlers,
                                    &plan->handler_count) < 0)
            return err_set(err, "memory is out");
    }
    if (find_runsc(&files, arena, plan))
        return 0;
    const struct containerd_file *file = &files.items[choose_file(&files)];
    plan->is_drop_in = files.version >= 3 && files.drop_in_dir;
    if (plan->is_drop_in)
        file = drop_in_file(&files, request, arena, err);
    return file ? plan_edit(request, &files, file, arena, plan, err) : -1;
}
