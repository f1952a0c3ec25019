/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the copy, asks, compares, and removes it. */
#include "setup/containerd_check.h"

#include <errno.h>
#include <sys/stat.h>

#include "setup/containerd_dump.h"

#define DIR_PATTERN "/run/crigate-setup-XXXXXX"
#define COPY_SIZE 64

static bool has_relative_import(struct str text, struct arena *arena)
{
    static const struct str key[] = {{"imports", 7}};
    struct toml toml;
    struct str *imports;
    size_t count;
    if (toml_read(text, arena, &toml, NULL) < 0)
        return true;
    const struct toml_entry *entry = toml_find(&toml, key, 1);
    if (!entry)
        return false;
    if (!toml_strings(entry->raw, arena, &imports, &count))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (imports[i].len == 0 || imports[i].data[0] != '/')
            return true;
    }
    return false;
}

static int ask(const char *copy, const struct edit *edit, const struct toml *before,
               struct arena *arena, struct err *err)
{
    struct placed file = {.exists = true, .text = edit->after.text, .mode = 0600};
    struct toml after;
    file.uid = geteuid();
    file.gid = getegid();
    if (place_put(copy, &file, err) < 0)
        return -1;
    if (containerd_dump(copy, arena, &after, err) < 0 ||
        containerd_dump_compare(before, &after, arena, err) < 0)
        return err_wrap(err, "%s with the runtime in it", edit->path);
    return 0;
}

int containerd_check_edit(const char *main_path, const struct edit *edit, const struct toml *before,
                          struct arena *arena, const char **verdict, struct err *err)
{
    char dir[] = DIR_PATTERN, copy[COPY_SIZE];
    const char *main_file = place_find("", main_path, arena, err);
    if (!main_file)
        return -1;
    if (strcmp(main_file, edit->path) != 0 || has_relative_import(edit->after.text, arena))
        return 0;
    if (!mkdtemp(dir))
        return err_set_errno(err, errno, "%s cannot be made", dir);
    snprintf(copy, sizeof(copy), "%s/config.toml", dir);
    int rc = ask(copy, edit, before, arena, err);
    unlink(copy);
    rmdir(dir);
    if (rc == 0)
        *verdict = "containerd agrees: it adds this and changes no other setting";
    return rc;
}
