/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What setup has done to this node, kept so that it can be taken back: /var/lib/crigate/setup/N/
 * for the N-th run that changed something, with the bytes of each file before and after, and
 * journal.json, which says whose they are. It is on disk before the first file of the node is
 * touched.
 */
#ifndef CRIGATE_SETUP_JOURNAL_H
#define CRIGATE_SETUP_JOURNAL_H

#include "base/sha256.h"
#include "setup/edit.h"
#include "setup/units.h"

#define JOURNAL_EDITS_MAX 16

/* The place of all runs, locked: one setup at a time. */
struct journal_store {
    const char *root; /* borrowed; paths are kept without it, as an image may be moved or booted */
    const char *dir;
    int lock; /* -1: not there; there was no run yet */
    struct arena *arena;
};

struct journal_edit {
    struct edit edit;
    char before_sha256[SHA256_HEX_SIZE], after_sha256[SHA256_HEX_SIZE]; /* of one that was read */
    bool makes_dir; /* the file's directory is not there either */
};

struct journal {
    unsigned number;
    bool is_complete; /* false: the run was cut short, and is to be taken back */
    struct journal_edit edits[JOURNAL_EDITS_MAX];
    size_t count;
    bool enabled[GATE_UNITS], started[GATE_UNITS]; /* units that were not before this run */
    bool restarts_containerd, restarts_kubelet;    /* noted before they are restarted */
};

/* Opens and locks the store under `root`. Without `make` one that is not there stays so. -1:
 * another setup holds it, or it cannot be made. */
int journal_open(const char *root, bool make, struct arena *arena, struct journal_store *store,
                 struct err *err) MUST_CHECK;

/* Removes the store when it has no run, and unlocks it. Safe on a zeroed one with lock -1. */
void journal_close(struct journal_store *store);

/* Reads the newest run; *found is false when there is none. Leftovers of a run that was cut short
 * before it changed anything are removed. -1: it cannot be read, or its bytes are not those that
 * were written. */
int journal_newest(const struct journal_store *store, struct journal *journal, bool *found,
                   struct err *err) MUST_CHECK;

/* Writes a new run, with a number of its own. */
int journal_begin(const struct journal_store *store, struct journal *journal,
                  struct err *err) MUST_CHECK;

/* Writes what has changed in it since. */
int journal_save(const struct journal_store *store, const struct journal *journal,
                 struct err *err) MUST_CHECK;

/* Forgets the run: what it did is taken back. */
int journal_remove(const struct journal_store *store, const struct journal *journal,
                   struct err *err) MUST_CHECK;

#endif
