/* SPDX-License-Identifier: Apache-2.0 */
/* One file back to what it was before setup, with what others have written since. */
#ifndef CRIGATE_SETUP_REVERT_H
#define CRIGATE_SETUP_REVERT_H

#include "setup/journal.h"

/*
 * A file that is as setup wrote it becomes what it was, to the byte, with its owner and mode, or is
 * removed. From one that was changed since, only setup's own lines are taken out. `*changed`: the
 * file is another than before. -1: these lines were changed too; nothing is done, and `err` says
 * what to do by hand.
 */
int revert_edit(const struct journal_edit *item, struct arena *arena, bool *changed,
                struct err *err) MUST_CHECK;

#endif
