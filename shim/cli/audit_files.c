/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the log by the settings, and its rotated files by their names. */
#include "cli/audit_files.h"

#include <glob.h>

#include "base/say.h"
#include "config/settings.h"

#define ENDING ".jsonl"

static bool add(struct audit_files *files, const char *name)
{
    struct str copy = arena_str(&files->arena, str_of(name));
    files->names[files->count++] = copy.data;
    return copy.data != NULL;
}

/* /var/log/crigate/audit.jsonl -> /var/log/crigate/audit-*.jsonl, the path's own signs escaped. */
char *audit_files_rotated(const char *path, const char *suffix)
{
    size_t len = strlen(path), ending = strlen(ENDING), used = 0;
    char *pattern = malloc(2 * len + strlen("-*" ENDING) + strlen(suffix) + 1);
    if (!pattern)
        return NULL;
    if (len > ending && strcmp(path + len - ending, ENDING) == 0)
        len -= ending;
    for (size_t i = 0; i < len; i++) {
        if (strchr("*?[]\\", path[i]))
            pattern[used++] = '\\';
        pattern[used++] = path[i];
    }
    stpcpy(stpcpy(pattern + used, "-*" ENDING), suffix);
    return pattern;
}

static int find_matching(const char *path, const char *suffix, glob_t *found)
{
    OWNED_MEM char *pattern = audit_files_rotated(path, suffix);
    int append = found->gl_pathc ? GLOB_APPEND : 0;
    if (!pattern)
        return -1;
    return glob(pattern, append, NULL, found) == GLOB_NOSPACE ? -1 : 0;
}

/* The live one is the last, and only named when it is there. */
static int add_all(struct audit_files *files, const char *path)
{
    OWNED(globfree) glob_t found = {0};
    if (find_matching(path, "", &found) < 0 || find_matching(path, ".gz", &found) < 0)
        return -1;
    files->live = arena_str(&files->arena, str_of(path)).data;
    files->names = arena_array(&files->arena, found.gl_pathc + 1, sizeof(*files->names));
    if (!files->live || !files->names)
        return -1;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (!add(files, found.gl_pathv[i]))
            return -1;
    }
    return access(path, F_OK) < 0 || add(files, path) ? 0 : -1;
}

static int add_given(struct audit_files *files, char *const *given, size_t count)
{
    files->names = arena_array(&files->arena, count, sizeof(*files->names));
    for (size_t i = 0; files->names && i < count; i++) {
        if (!add(files, given[i]))
            return -1;
    }
    if (!files->names)
        return -1;
    files->live = files->names[count - 1];
    return 0;
}

static int add_configured(struct audit_files *files, const char *config)
{
    OWNED(settings_free) struct settings settings = {0};
    OWNED_DIAGS struct diags diags = {0};
    if (settings_load(config, &diags, &settings) < 0) {
        diags_print(&diags, stderr);
        return -1;
    }
    if (add_all(files, settings.audit.file) == 0)
        return 0;
    say_error("memory is out");
    return -1;
}

int audit_files_find(const char *config, char *const *given, size_t count,
                     struct audit_files *files)
{
    OWNED(audit_files_free) struct audit_files found = {0};
    if (count == 0) {
        if (add_configured(&found, config) < 0)
            return -1;
    } else if (add_given(&found, given, count) < 0) {
        say_error("memory is out");
        return -1;
    }
    *files = found;
    found = (struct audit_files){0};
    return 0;
}

void audit_files_free(struct audit_files *files)
{
    arena_free(&files->arena);
}
