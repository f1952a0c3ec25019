/* SPDX-License-Identifier: Apache-2.0 */
/* Does a plan step by step: containerd, the gate, the kubelet; a step that fails takes all back. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/deadline.h"
#include "base/say.h"
#include "setup/containerd_dump.h"
#include "setup/probe.h"
#include "setup/setup.h"

#define ANSWER_MS 60000 /* containerd with many pods, the gate, the kubelet: each */
#define PAUSE_MS 100

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

/* ^C, and a terminal that goes away, end the work with everything taken back. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

static int check_interrupted(struct err *err)
{
    return interrupted ? err_set(err, "interrupted by signal %d", (int)interrupted) : 0;
}

/* --- files --------------------------------------------------------------------------------- */

static void add_edit(struct journal *journal, const struct edit *edit)
{
    journal->edits[journal->count++] =
        (struct journal_edit){.edit = *edit, .makes_dir = !place_has_dir(edit->path)};
}

static void fill_journal(const struct setup_plan *plan, struct journal *journal)
{
    *journal = (struct journal){0};
    if (plan->containerd.state == CONTAINERD_NEEDS_EDIT)
        add_edit(journal, &plan->containerd.edit);
    for (size_t i = 0; i < plan->kubelet.count; i++)
        add_edit(journal, &plan->kubelet.edits[i]);
}

/* Nobody has changed it since the plan was made. */
static int check_unchanged(const struct edit *edit, struct arena *arena, struct err *err)
{
    struct placed now;
    if (place_read(edit->path, arena, &now, err) < 0)
        return -1;
    if (now.exists != edit->before.exists || (now.exists && !str_eq(now.text, edit->before.text)))
        return err_set(err, "%s has been changed meanwhile: run this again", edit->path);
    return 0;
}

static int write_file(const struct journal_store *store, const struct journal_edit *item,
                      struct err *err)
{
    if (check_unchanged(&item->edit, store->arena, err) < 0)
        return -1;
    if (item->makes_dir && place_make_dir(item->edit.path, 0755, err) < 0)
        return -1;
    if (place_put(item->edit.path, &item->edit.after, err) < 0)
        return -1;
    say_info("wrote %s", item->edit.path);
    return 0;
}

static int write_stage(const struct journal_store *store, const struct journal *journal,
                       enum edit_stage stage, struct err *err)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->edits[i].edit.stage == stage &&
            (check_interrupted(err) < 0 || write_file(store, &journal->edits[i], err) < 0))
            return -1;
    }
    return 0;
}

/* --- services ------------------------------------------------------------------------------ */

static int do_unit(const char *verb, const char *unit, struct err *err)
{
    if (check_interrupted(err) < 0 || unit_do(verb, unit, err) < 0)
        return -1;
    say_info("systemctl %s %s", verb, unit);
    return 0;
}

static void pause_a_moment(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Until what `unit` listens with answers. */
static int wait_for_cri(const char *socket, const struct policy *policy, const char *unit,
                        struct err *err)
{
    int64_t end = deadline_now_ms() + ANSWER_MS;
    struct err why = {0};
    while (probe_cri(socket, policy, &why) < 0) {
        if (check_interrupted(err) < 0)
            return -1;
        if (deadline_now_ms() > end || unit_is("is-failed", unit))
            return err_set(err, "%s does not answer at %s (look at `journalctl -u %s`): %s", unit,
                           socket, unit, why.text);
        pause_a_moment();
    }
    return 0;
}

static int apply_containerd(const struct setup_plan *plan, const struct journal_store *store,
                            struct journal *journal, struct err *err)
{
    if (write_stage(store, journal, EDIT_CONTAINERD, err) < 0)
        return -1;
    if (plan->containerd.state == CONTAINERD_NEEDS_EDIT && plan->can_dump) {
        struct toml after;
        if (containerd_dump(plan->options->containerd_config, store->arena, &after, err) < 0 ||
            containerd_dump_compare(&plan->dump, &after, store->arena, err) < 0)
            return -1;
    }
    if (!plan->restart_containerd)
        return 0;
    journal->restarts_containerd = true;
    if (journal_save(store, journal, err) < 0 || do_unit("restart", UNIT_CONTAINERD, err) < 0)
        return -1;
    return wait_for_cri(plan->settings.upstream, NULL, UNIT_CONTAINERD, err);
}

static int apply_gate(const struct setup_plan *plan, const struct journal_store *store,
                      struct journal *journal, struct err *err)
{
    for (size_t i = 0; i < GATE_UNITS; i++) {
        journal->enabled[i] = plan->enable[i];
        journal->started[i] = plan->start[i];
    }
    if (journal_save(store, journal, err) < 0)
        return -1;
    for (size_t i = 0; i < GATE_UNITS; i++) {
        if (plan->enable[i] && do_unit("enable", gate_units[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < GATE_UNITS; i++) {
        if (plan->start[i] && do_unit("start", gate_units[i], err) < 0)
            return -1;
    }
    if (!plan->has_systemd || plan->options->no_start)
        return 0;
    if (wait_for_cri(plan->settings.listen, plan->policy, gate_units[GATE_SERVICE], err) < 0)
        return -1;
    say_info("the gate answers at %s", plan->settings.listen);
    return 0;
}

/* A kubelet that speaks to the gate is connected to its socket. */
static int wait_for_kubelet(const char *listen, const struct probe_peers *before, struct err *err)
{
    int64_t end = deadline_now_ms() + ANSWER_MS;
    struct probe_peers now;
    while (probe_list_peers(listen, &now), !probe_has_new_peer(before, &now)) {
        if (check_interrupted(err) < 0)
            return -1;
        if (unit_is("is-failed", UNIT_KUBELET))
            return err_set(err, "the kubelet fails: look at `journalctl -u kubelet`");
        if (deadline_now_ms() > end)
            return err_set(err,
                           "the kubelet runs, but within %d s it did not connect to %s: does "
                           "another flag or file name its runtime?",
                           ANSWER_MS / 1000, listen);
        pause_a_moment();
    }
    say_info("the kubelet is connected to the gate");
    return 0;
}

static int apply_kubelet(const struct setup_plan *plan, const struct journal_store *store,
                         struct journal *journal, struct err *err)
{
    if (write_stage(store, journal, EDIT_KUBELET, err) < 0)
        return -1;
    if (!plan->restart_kubelet)
        return 0;
    struct probe_peers before;
    probe_list_peers(plan->settings.listen, &before);
    journal->restarts_kubelet = true;
    if (journal_save(store, journal, err) < 0 || do_unit("restart", UNIT_KUBELET, err) < 0)
        return -1;
    return wait_for_kubelet(plan->settings.listen, &before, err);
}

static int apply(const struct setup_plan *plan, const struct journal_store *store,
                 struct journal *journal, struct err *err)
{
    if (apply_containerd(plan, store, journal, err) < 0 ||
        apply_gate(plan, store, journal, err) < 0 || apply_kubelet(plan, store, journal, err) < 0)
        return -1;
    journal->is_complete = true;
    return journal_save(store, journal, err);
}

int setup_apply(const struct setup_plan *plan, struct journal_store *store, struct err *err)
{
    struct journal journal;
    struct err undo = {0};
    fill_journal(plan, &journal);
    catch_signals();
    if (journal_begin(store, &journal, err) < 0)
        return -1;
    if (apply(plan, store, &journal, err) == 0)
        return 0;
    say_error("%s; taking back what was done", err->text);
    if (setup_undo_run(plan->options, store, &journal, &undo) == 0)
        return err_wrap(err, "rolled back");
    struct err why = *err;
    return err_set(err, "%s; and not all could be taken back: %s", why.text, undo.text);
}
