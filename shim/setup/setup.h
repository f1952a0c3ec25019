/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the gate in front of a node's containerd: registers runsc with containerd, starts the gate's
 * units, and points the kubelet at the gate once it answers; and takes all of that back. One
 * thread.
 */
#ifndef CRIGATE_SETUP_SETUP_H
#define CRIGATE_SETUP_SETUP_H

#include "config/diag.h"
#include "config/settings.h"
#include "setup/containerd.h"
#include "setup/hunk.h"
#include "setup/journal.h"
#include "setup/kubelet.h"

struct setup_options {
    const char *config;            /* the gate's settings, without the root */
    const char *containerd_config; /* without the root */
    const char *kubelet_config;    /* without the root; NULL: to be found */
    const char *root; /* "" is this machine; else a tree where nothing is started, by a path without
                         symbolic links */
    bool no_start;    /* writes files and enables units, starts nothing */
};

enum setup_state {
    SETUP_TO_DO,
    SETUP_HOLDS, /* it is as it should be */
    SETUP_LEFT,  /* not done here: it is left to a person */
};

struct setup_step {
    enum setup_state state;
    const char *action; /* "write", "restart", "enable", "start" or "check" */
    const char *target; /* a file or a unit */
    const char *text;   /* a sentence for a person */
    struct hunk hunk;   /* of a file to be written */
};

#define SETUP_STEPS_MAX 32

struct setup_plan {
    const struct setup_options *options; /* borrowed */
    struct settings settings;
    struct policy *policy;
    struct containerd_plan containerd;
    struct kubelet_plan kubelet;
    bool has_systemd; /* systemd runs here, and this is about this machine */
    bool can_dump;    /* containerd can be asked about its configuration */
    struct toml dump; /* can_dump: what is in force */
    bool enable[GATE_UNITS], start[GATE_UNITS], restart_containerd, restart_kubelet;
    struct setup_step steps[SETUP_STEPS_MAX];
    size_t step_count;
    struct arena arena; /* owns all of the above */
};

/*
 * Finds out what is to be done, and changes nothing. Findings in the settings or the policy go to
 * `diags`. -1: this node cannot be set up; `err` says why and what to do, and is empty when `diags`
 * says it. Freed with setup_plan_free() in either case.
 */
int setup_plan_make(const struct setup_options *options, struct setup_plan *plan,
                    struct diags *diags, struct err *err) MUST_CHECK;
void setup_plan_free(struct setup_plan *plan);

/* Whether a step is to be done. */
bool setup_plan_changes(const struct setup_plan *plan);

/* Does the plan, in an order in which the kubelet always has a runtime; says each step on standard
 * error. -1: a step failed and `err` says which; all that was done is taken back, or `err` says
 * what could not be. */
int setup_apply(const struct setup_plan *plan, struct journal_store *store,
                struct err *err) MUST_CHECK;

/* Takes back one run. -1: something could not be, and the run is kept. */
int setup_undo_run(const struct setup_options *options, const struct journal_store *store,
                   struct journal *journal, struct err *err) MUST_CHECK;

/* Takes back a run that was cut short, if there is one. */
int setup_recover(const struct setup_options *options, const struct journal_store *store,
                  struct err *err) MUST_CHECK;

/* Takes back all runs, the newest first; `*runs` is how many there were. */
int setup_undo(const struct setup_options *options, const struct journal_store *store, size_t *runs,
               struct err *err) MUST_CHECK;

#endif
