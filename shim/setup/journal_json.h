/* SPDX-License-Identifier: Apache-2.0 */
/* A run's journal as JSON, without the bytes of the files; their hashes are in it. */
#ifndef CRIGATE_SETUP_JOURNAL_JSON_H
#define CRIGATE_SETUP_JOURNAL_JSON_H

#include "setup/journal.h"

/* The paths in it are without `root`, which they begin with. NULL with `err`; else the caller frees
 * it. */
char *journal_to_json(const struct journal *journal, const char *root, struct err *err) MUST_CHECK;

/* The texts of the edits are empty; once they are there, journal_check() holds them against their
 * hashes. Lives in `arena`. */
int journal_of_json(struct str text, const char *root, struct arena *arena, struct journal *journal,
                    struct err *err) MUST_CHECK;

/* -1: a text is not the one whose hash was written. */
int journal_check(const struct journal *journal, struct err *err) MUST_CHECK;

#endif
