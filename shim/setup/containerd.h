/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gVisor's runtime in containerd's configuration: whether it is registered, and if not, which file
 * gets which lines. Versions 2 to 4 of the file; version 1 is refused.
 */
#ifndef CRIGATE_SETUP_CONTAINERD_H
#define CRIGATE_SETUP_CONTAINERD_H

#include "setup/edit.h"
#include "setup/toml.h"

#define CONTAINERD_RUNSC "runsc"
#define CONTAINERD_RUNSC_TYPE "io.containerd.runsc.v1" /* gVisor's own shim */

enum containerd_state {
    CONTAINERD_HAS_RUNSC, /* `type` says how */
    CONTAINERD_NEEDS_EDIT,
};

struct containerd_plan {
    enum containerd_state state;
    unsigned version;
    const char *where;    /* the file that has the runtime, or will have */
    struct str type;      /* runtime_type of a runsc that is there; empty: not told */
    bool is_drop_in;      /* the edit is a file of its own */
    struct edit edit;     /* CONTAINERD_NEEDS_EDIT */
    struct str *handlers; /* that the files name, runsc included; sorted not at all */
    size_t handler_count;
};

struct containerd_request {
    const char *root;        /* "" is this machine */
    const char *path;        /* of the main file, without the root */
    unsigned version_if_new; /* of a file that is made because there is none */
};

/*
 * Reads, changes nothing. -1: the files cannot be read or placed for sure; `err` says what to do by
 * hand. All lives in `arena`.
 *
 * An import replaces the whole table of a plugin in containerd 1.x, and is merged into it from 2.0
 * on (containerd issue 5837, pull request 9982). Only 2.0 and later read a version 3 file, so only
 * beside one of these is the runtime put into a file of its own.
 */
int containerd_plan_make(const struct containerd_request *request, struct arena *arena,
                         struct containerd_plan *plan, struct err *err) MUST_CHECK;

/* Whether the path of `entry` is, or is under, containerd's table of that runtime handler; "":
 * of any. */
bool containerd_is_handler(const struct toml_entry *entry, struct str handler);

/* Adds each handler that `toml` names and that is not there yet. -1: memory is out. */
int containerd_add_handlers(const struct toml *toml, struct arena *arena, struct str **handlers,
                            size_t *count) MUST_CHECK;

#endif
