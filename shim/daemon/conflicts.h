/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about labels that two sources give with different values: each once, for as long as the
 * two differ in the same way. One thread at a time. */
#ifndef CRIGATE_DAEMON_CONFLICTS_H
#define CRIGATE_DAEMON_CONFLICTS_H

#include "base/arena.h"
#include "policy/facts.h"

struct conflict;

/* Zeroed is empty. */
struct conflicts {
    struct arena arena, before_arena;
    const struct conflict *now, *before;
};

/* A merge begins: what is not told again until the next one is over. */
void conflicts_begin(struct conflicts *conflicts);

/* Warns, unless the merge before had the same. Its type is node_labels_conflict_fn. */
void conflicts_add(void *conflicts, const struct label *file, const struct label *api);

void conflicts_free(struct conflicts *conflicts);

#endif
