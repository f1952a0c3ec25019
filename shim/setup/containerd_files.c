/* SPDX-License-Identifier: Apache-2.0 */
/* Reads containerd's main file and its imports, and holds what setup cannot go on with. */
#include "setup/containerd_files.h"

#include <glob.h>
#include <limits.h>

#define IMPORTS_MAX ((size_t)256)
#define PATTERN_END "/*.toml"

static int read_one(const char *path, const char *root, struct arena *arena,
                    struct containerd_file *file, struct err *err)
{
    file->path = place_find(root, path, arena, err);
    if (!file->path || place_read(file->path, arena, &file->placed, err) < 0)
        return -1;
    if (toml_read(file->placed.text, arena, &file->toml, err) < 0)
        return err_wrap(err, "%s cannot be read as TOML", file->path);
    return 0;
}

static int read_version(struct containerd_files *files, const struct containerd_request *request,
                        struct err *err)
{
    static const struct str key[] = {{"version", 7}};
    const struct containerd_file *file = &files->items[0];
    const struct toml_entry *entry = toml_find(&file->toml, key, 1);
    if (!file->placed.exists) {
        files->version = request->version_if_new;
        return files->version >= 2 && files->version <= 4
                   ? 0
                   : err_set(err,
                             "%s is not there, and the version that containerd would have it "
                             "in is not known here",
                             file->path);
    }
    if (!entry)
        return err_set(
            err,
            "%s has no `version`, so containerd reads it as version 1, which is out of "
            "use: bring it to version 2 (`containerd config migrate` prints it), and run "
            "this again",
            file->path);
    if (entry->raw.len != 1 || entry->raw.data[0] < '2' || entry->raw.data[0] > '4')
        return err_set(err, "%s:%u: version %.*s is not known here; 2, 3 and 4 are", file->path,
                       entry->line, STR_FMT(entry->raw));
    files->version = (unsigned)(entry->raw.data[0] - '0');
    return 0;
}

/* Docker's packages of containerd come with the CRI plugin off. */
static int check_disabled(const struct containerd_file *file, struct arena *arena, struct err *err)
{
    static const struct str key[] = {{"disabled_plugins", 16}};
    static const char *const plugins[] = {"cri", "io.containerd.grpc.v1.cri",
                                          "io.containerd.cri.v1.runtime",
                                          "io.containerd.cri.v1.images"};
    const struct toml_entry *entry = toml_find(&file->toml, key, 1);
    struct str *names;
    size_t count;
    if (!entry)
        return 0;
    if (!toml_strings(entry->raw, arena, &names, &count))
        return err_set(err, "%s:%u: disabled_plugins is no list of strings", file->path,
                       entry->line);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof(plugins) / sizeof(*plugins); j++) {
            if (str_eq(names[i], str_of(plugins[j])))
                return err_set(err,
                               "%s:%u: disabled_plugins has \"%s\", so this containerd serves no "
                               "kubelet: take it out of the list, and run this again",
                               file->path, entry->line, plugins[j]);
        }
    }
    return 0;
}

/* --- imports ------------------------------------------------------------------------------- */

/* A pattern as containerd means it: relative ones are beside the main file. */
static bool absolute_pattern(struct str import, const struct containerd_request *request,
                             char out[PATH_MAX])
{
    const char *slash = strrchr(request->path, '/');
    int dir = slash ? (int)(slash - request->path) + 1 : 0;
    int len = import.len && import.data[0] == '/'
                  ? snprintf(out, PATH_MAX, "%.*s", STR_FMT(import))
                  : snprintf(out, PATH_MAX, "%.*s%.*s", dir, request->path, STR_FMT(import));
    return len > 0 && len < PATH_MAX;
}

static int note_drop_in_dir(const char *pattern, struct arena *arena,
                            struct containerd_files *files, struct err *err)
{
    size_t len = strlen(pattern), end = strlen(PATTERN_END);
    if (files->drop_in_dir || len <= end || strcmp(pattern + len - end, PATTERN_END) != 0 ||
        strcspn(pattern, "*?[\\") != len - end + 1)
        return 0;
    files->drop_in_dir = arena_str(arena, (struct str){.data = pattern, .len = len - end}).data;
    return files->drop_in_dir ? 0 : err_set(err, "memory is out");
}

static int read_matches(const glob_t *matches, const char *root, struct arena *arena,
                        struct containerd_files *files, struct err *err)
{
    for (size_t i = 0; i < matches->gl_pathc; i++) {
        if (files->count == IMPORTS_MAX)
            return err_set(err, "%s imports more than %zu files", files->items[0].path,
                           IMPORTS_MAX);
        const char *path = matches->gl_pathv[i] + strlen(root);
        if (read_one(path, root, arena, &files->items[files->count++], err) < 0)
            return -1;
    }
    return 0;
}

static int read_import(struct str import, const struct containerd_request *request,
                       struct arena *arena, struct containerd_files *files, struct err *err)
{
    char pattern[PATH_MAX], rooted[2 * PATH_MAX];
    OWNED(globfree) glob_t matches = {0};
    if (!absolute_pattern(import, request, pattern))
        return err_set(err, "%s: an import is too long", files->items[0].path);
    if (note_drop_in_dir(pattern, arena, files, err) < 0)
        return -1;
    int len = snprintf(rooted, sizeof(rooted), "%s%s", request->root, pattern);
    if (len < 0 || (size_t)len >= sizeof(rooted))
        return err_set(err, "%s: an import is too long", files->items[0].path);
    int rc = glob(rooted, 0, NULL, &matches);
    if (rc == GLOB_NOMATCH)
        return 0;
    if (rc)
        return err_set(err, "%s: its import %.*s cannot be looked up", files->items[0].path,
                       STR_FMT(import));
    return read_matches(&matches, request->root, arena, files, err);
}

static int read_imports(const struct containerd_request *request, struct arena *arena,
                        struct containerd_files *files, struct err *err)
{
    static const struct str key[] = {{"imports", 7}};
    const struct toml_entry *entry = toml_find(&files->items[0].toml, key, 1);
    struct str *imports;
    size_t count;
    if (!entry)
        return 0;
    if (!toml_strings(entry->raw, arena, &imports, &count))
        return err_set(err, "%s:%u: imports is no list of strings", files->items[0].path,
                       entry->line);
    for (size_t i = 0; i < count; i++) {
        if (read_import(imports[i], request, arena, files, err) < 0)
            return -1;
    }
    return 0;
}

int containerd_files_read(const struct containerd_request *request, struct arena *arena,
                          struct containerd_files *files, struct err *err)
{
    *files = (struct containerd_files){
        .items = arena_array(arena, IMPORTS_MAX, sizeof(struct containerd_file))};
    if (!files->items)
        return err_set(err, "memory is out");
    files->count = 1;
    if (read_one(request->path, request->root, arena, &files->items[0], err) < 0 ||
        check_disabled(&files->items[0], arena, err) < 0 || read_version(files, request, err) < 0 ||
        read_imports(request, arena, files, err) < 0)
        return -1;
    for (size_t i = 1; i < files->count; i++) {
        if (check_disabled(&files->items[i], arena, err) < 0)
            return -1;
    }
    return 0;
}
