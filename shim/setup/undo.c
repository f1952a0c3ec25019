/* SPDX-License-Identifier: Apache-2.0 */
/* Takes runs back: the kubelet first, then the gate, then containerd; never a person's own edit. */
#include "base/say.h"
#include "setup/process.h"
#include "setup/revert.h"
#include "setup/setup.h"

/* What is wrong first is what is told. */
struct undoing {
    const struct journal_store *store;
    struct journal *journal;
    bool has_systemd, no_start;
    bool failed;
    struct err *err;
};

static void note_failure(struct undoing *undoing, const struct err *why)
{
    say_error("%s", why->text);
    if (!undoing->failed)
        *undoing->err = *why;
    undoing->failed = true;
}

/* Whether all files of the stage are as they were; `*changed`: one was not before. */
static bool revert_stage(struct undoing *undoing, enum edit_stage stage, bool *changed)
{
    bool all = true;
    for (size_t i = undoing->journal->count; i-- > 0;) {
        const struct journal_edit *item = &undoing->journal->edits[i];
        struct err why = {0};
        bool did = false;
        if (item->edit.stage != stage)
            continue;
        if (revert_edit(item, undoing->store->arena, &did, &why) < 0) {
            note_failure(undoing, &why);
            all = false;
        } else if (did) {
            say_info("%s is as it was", item->edit.path);
        }
        *changed = *changed || did;
    }
    return all;
}

static bool restart(struct undoing *undoing, const char *unit)
{
    struct err why = {0};
    if (!undoing->has_systemd || undoing->no_start || !unit_is("cat", unit))
        return true;
    /* one that fails for now is started too: it is to run as it did before */
    if (!unit_is("is-active", unit) && !unit_is("is-failed", unit))
        return true;
    if (unit_do("restart", unit, &why) < 0) {
        note_failure(undoing, &why);
        return false;
    }
    say_info("systemctl restart %s", unit);
    return true;
}

/* The service before its socket, which would start it again. */
static void stop_gate(struct undoing *undoing)
{
    for (size_t i = GATE_UNITS; i-- > 0;) {
        const char *unit = gate_units[i];
        struct err why = {0};
        bool stops = undoing->journal->started[i] && !undoing->no_start;
        if (!undoing->has_systemd || (!stops && !undoing->journal->enabled[i]) ||
            !unit_is("cat", unit))
            continue;
        if (undoing->journal->enabled[i] && unit_do("disable", unit, &why) < 0)
            note_failure(undoing, &why);
        if (stops && unit_do("stop", unit, &why) < 0)
            note_failure(undoing, &why);
    }
}

static void undo(struct undoing *undoing)
{
    struct journal *journal = undoing->journal;
    bool kubelet = journal->restarts_kubelet, containerd = journal->restarts_containerd;
    bool freed = revert_stage(undoing, EDIT_KUBELET, &kubelet);
    if (kubelet && !restart(undoing, UNIT_KUBELET))
        freed = false;
    /* a kubelet that may still be pointed at the gate keeps it */
    if (freed)
        stop_gate(undoing);
    revert_stage(undoing, EDIT_CONTAINERD, &containerd);
    if (containerd)
        restart(undoing, UNIT_CONTAINERD);
}

int setup_undo_run(const struct setup_options *options, const struct journal_store *store,
                   struct journal *journal, struct err *err)
{
    struct undoing undoing = {.store = store,
                              .journal = journal,
                              .has_systemd = !*options->root && units_available(),
                              .no_start = options->no_start,
                              .err = err};
    /* from here on a kill leaves a run that is to be taken back */
    if (journal->is_complete) {
        journal->is_complete = false;
        if (journal_save(store, journal, err) < 0)
            return -1;
    }
    undo(&undoing);
    return undoing.failed ? -1 : journal_remove(store, journal, err);
}

int setup_recover(const struct setup_options *options, const struct journal_store *store,
                  struct err *err)
{
    struct journal journal;
    bool found;
    if (journal_newest(store, &journal, &found, err) < 0)
        return -1;
    if (!found || journal.is_complete)
        return 0;
    say_warn("an earlier run was cut short: taking it back first");
    return setup_undo_run(options, store, &journal, err);
}

int setup_undo(const struct setup_options *options, const struct journal_store *store, size_t *runs,
               struct err *err)
{
    for (*runs = 0;; ++*runs) {
        struct journal journal;
        bool found;
        if (journal_newest(store, &journal, &found, err) < 0)
            return -1;
        if (!found)
            return 0;
        if (setup_undo_run(options, store, &journal, err) < 0)
            return -1;
    }
}
