/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a file with what setup found and with what it wrote. */
#include "setup/revert.h"

#include <limits.h>

#include "setup/hunk.h"

static bool same(const struct placed *a, const struct placed *b)
{
    return a->exists == b->exists && (!a->exists || str_eq(a->text, b->text));
}

static const char *find(struct str text, const char *what)
{
    return memmem(text.data, text.len, what, strlen(what));
}

/* A directory that was made for the file goes, unless somebody has put another one there. */
static void remove_dir(const struct journal_edit *item)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(item->edit.path, '/');
    if (!item->makes_dir || !slash)
        return;
    snprintf(dir, sizeof(dir), "%.*s", (int)(slash - item->edit.path), item->edit.path);
    rmdir(dir);
}

static int restore(const struct journal_edit *item, struct err *err)
{
    if (place_put(item->edit.path, &item->edit.before, err) < 0)
        return -1;
    if (!item->edit.before.exists)
        remove_dir(item);
    return 0;
}

/* Of a file that setup made, what stands in front of its block (a version) stays: the lines that a
 * person has added need it. */
static struct hunk own_lines(const struct edit *edit)
{
    struct str before = edit->before.text;
    const char *mark = find(edit->after.text, edit->mark);
    if (!edit->before.exists && edit->stage == EDIT_CONTAINERD && mark)
        before = (struct str){.data = edit->after.text.data,
                              .len = (size_t)(mark - edit->after.text.data)};
    return hunk_between(before, edit->after.text);
}

static int by_hand(const struct edit *edit, struct err *err)
{
    if (edit->stage == EDIT_KUBELET)
        return err_set(err,
                       "%s has been changed since, and still has the gate's socket (%s): put "
                       "containerd's there by hand, and run this again",
                       edit->path, edit->mark);
    return err_set(err,
                   "%s has been changed since, and so have the lines that setup wrote, which "
                   "begin with \"%s\": take them out by hand, and run this again",
                   edit->path, edit->mark);
}

static int take_out(const struct journal_edit *item, const struct placed *now, struct arena *arena,
                    bool *changed, struct err *err)
{
    struct hunk hunk = own_lines(&item->edit);
    struct placed reverted = *now;
    switch (hunk_revert(&hunk, now->text, arena, &reverted.text)) {
    case HUNK_TAKEN_OUT:
        *changed = true;
        return place_put(item->edit.path, &reverted, err);
    case HUNK_NOT_THERE:
        if (!find(now->text, item->edit.mark))
            return 0; /* a person has taken it out */
        return by_hand(&item->edit, err);
    case HUNK_AMBIGUOUS:
        return by_hand(&item->edit, err);
    case HUNK_MEMORY_OUT:
        break;
    }
    return err_set(err, "memory is out");
}

int revert_edit(const struct journal_edit *item, struct arena *arena, bool *changed,
                struct err *err)
{
    struct placed now;
    *changed = false;
    place_sweep(item->edit.path);
    if (place_read(item->edit.path, arena, &now, err) < 0)
        return -1;
    if (same(&now, &item->edit.before)) {
        if (!now.exists)
            remove_dir(item);
        return 0;
    }
    if (!same(&now, &item->edit.after))
        return now.exists ? take_out(item, &now, arena, changed, err) : 0;
    *changed = true;
    return restore(item, err);
}
