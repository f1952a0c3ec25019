/* SPDX-License-Identifier: Apache-2.0 */
/* A directory a run: copies of the files, and a JSON object that is replaced whole. */
#include "setup/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "setup/journal_json.h"

#define PARENT "/var/lib/crigate"
#define STORE PARENT "/setup"
#define FILE_NAME "journal.json"

/* Containerd's file may hold a registry's password: nobody else may look in. */
static int make_store(const char *root, const char *dir, struct err *err)
{
    static const char *const parents[] = {"/var/x", "/var/lib/x", PARENT "/x"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++) {
        snprintf(path, sizeof(path), "%s%s", root, parents[i]);
        if (place_make_dir(path, 0755, err) < 0)
            return -1;
    }
    snprintf(path, sizeof(path), "%s/" FILE_NAME, dir);
    return place_make_dir(path, 0700, err);
}

int journal_open(const char *root, bool make, struct arena *arena, struct journal_store *store,
                 struct err *err)
{
    *store = (struct journal_store){.root = root, .lock = -1, .arena = arena};
    store->dir = place_find(root, STORE, arena, err);
    if (!store->dir || (make && make_store(root, store->dir, err) < 0))
        return -1;
    store->lock = open(store->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (store->lock < 0)
        return !make && errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", store->dir);
    if (flock(store->lock, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;
        close(steal_fd(&store->lock));
        return error == EWOULDBLOCK
                   ? err_set(err, "another `crigate setup` is at work: wait until it is done")
                   : err_set_errno(err, error, "%s cannot be locked", store->dir);
    }
    return 0;
}

void journal_close(struct journal_store *store)
{
    if (store->lock < 0)
        return;
    rmdir(store->dir);
    close(steal_fd(&store->lock));
}

/* --- names --------------------------------------------------------------------------------- */

/* "DIR/NUMBER/NAME", or "DIR/NUMBER" without a name. */
static int run_path(const struct journal_store *store, unsigned number, const char *name,
                    char path[PATH_MAX], struct err *err)
{
    int len = snprintf(path, PATH_MAX, "%s/%u%s%s", store->dir, number, name ? "/" : "",
                       name ? name : "");
    return len > 0 && len < PATH_MAX ? 0 : err_set(err, "%s: the path is too long", store->dir);
}

static int copy_path(const struct journal_store *store, unsigned number, size_t index, bool after,
                     char path[PATH_MAX], struct err *err)
{
    char name[32];
    snprintf(name, sizeof(name), "%zu.%s", index, after ? "after" : "before");
    return run_path(store, number, name, path, err);
}

static int put_private(const char *path, struct str text, struct err *err)
{
    const struct placed file = {
        .exists = true, .text = text, .mode = 0600, .uid = geteuid(), .gid = getegid()};
    return place_put(path, &file, err);
}

/* --- one run ------------------------------------------------------------------------------- */

int journal_save(const struct journal_store *store, const struct journal *journal, struct err *err)
{
    char path[PATH_MAX];
    OWNED_MEM char *text = journal_to_json(journal, store->root, err);
    if (!text || run_path(store, journal->number, FILE_NAME, path, err) < 0)
        return -1;
    return put_private(path, str_of(text), err);
}

static int save_copies(const struct journal_store *store, const struct journal *journal,
                       struct err *err)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < journal->count; i++) {
        const struct edit *edit = &journal->edits[i].edit;
        if (copy_path(store, journal->number, i, false, path, err) < 0 ||
            put_private(path, edit->before.text, err) < 0 ||
            copy_path(store, journal->number, i, true, path, err) < 0 ||
            put_private(path, edit->after.text, err) < 0)
            return -1;
    }
    return 0;
}

/* Removes a run's directory, its journal first: without it the rest means nothing. */
static int remove_run(const struct journal_store *store, unsigned number, struct err *err)
{
    char path[PATH_MAX], dir[PATH_MAX];
    if (run_path(store, number, FILE_NAME, path, err) < 0 ||
        run_path(store, number, NULL, dir, err) < 0)
        return -1;
    if (place_put(path, &(struct placed){0}, err) < 0)
        return -1;
    DIR *list = opendir(dir);
    for (struct dirent *entry = NULL; list && (entry = readdir(list));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(list), entry->d_name, 0);
    }
    if (list)
        closedir(list);
    if (rmdir(dir) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "%s cannot be removed", dir);
    return 0;
}

int journal_remove(const struct journal_store *store, const struct journal *journal,
                   struct err *err)
{
    return remove_run(store, journal->number, err);
}

static unsigned newest_number(const struct journal_store *store)
{
    unsigned newest = 0;
    DIR *list = opendir(store->dir);
    for (struct dirent *entry = NULL; list && (entry = readdir(list));) {
        char *end;
        unsigned long number = strtoul(entry->d_name, &end, 10);
        if (*end == '\0' && number < UINT_MAX && number > newest)
            newest = (unsigned)number;
    }
    if (list)
        closedir(list);
    return newest;
}

int journal_begin(const struct journal_store *store, struct journal *journal, struct err *err)
{
    char path[PATH_MAX];
    journal->number = newest_number(store) + 1;
    if (run_path(store, journal->number, FILE_NAME, path, err) < 0 ||
        place_make_dir(path, 0700, err) < 0)
        return -1;
    if (save_copies(store, journal, err) == 0 && journal_save(store, journal, err) == 0)
        return 0;
    remove_run(store, journal->number, NULL);
    return -1;
}

/* --- reading ------------------------------------------------------------------------------- */

static int read_copies(const struct journal_store *store, struct journal *journal, struct err *err)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < journal->count; i++) {
        struct placed *sides[] = {&journal->edits[i].edit.before, &journal->edits[i].edit.after};
        for (size_t side = 0; side < 2; side++) {
            struct placed copy;
            if (copy_path(store, journal->number, i, side == 1, path, err) < 0 ||
                place_read(path, store->arena, &copy, err) < 0)
                return -1;
            if (!copy.exists)
                return err_set(err, "%s is not there", path);
            sides[side]->text = copy.text;
        }
    }
    return 0;
}

static int read_run(const struct journal_store *store, unsigned number, struct journal *journal,
                    bool *found, struct err *err)
{
    char path[PATH_MAX];
    struct placed file;
    *journal = (struct journal){0};
    if (run_path(store, number, FILE_NAME, path, err) < 0 ||
        place_read(path, store->arena, &file, err) < 0)
        return -1;
    *found = file.exists;
    if (!file.exists)
        return 0;
    if (journal_of_json(file.text, store->root, store->arena, journal, err) < 0)
        return err_wrap(err, "%s", path);
    journal->number = number;
    if (read_copies(store, journal, err) < 0)
        return -1;
    return journal_check(journal, err) < 0 ? err_wrap(err, "%s", path) : 0;
}

int journal_newest(const struct journal_store *store, struct journal *journal, bool *found,
                   struct err *err)
{
    *found = false;
    for (;;) {
        unsigned number = store->lock < 0 ? 0 : newest_number(store);
        if (number == 0)
            return 0;
        if (read_run(store, number, journal, found, err) < 0)
            return -1;
        if (*found)
            return 0;
        if (remove_run(store, number, err) < 0)
            return -1;
    }
}
