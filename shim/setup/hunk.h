/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where two texts differ, in whole lines; and its way back out of a third. Pure. */
#ifndef CRIGATE_SETUP_HUNK_H
#define CRIGATE_SETUP_HUNK_H

#include "base/arena.h"

/* Both borrow from the texts; each is whole lines, the last of a file perhaps without its end. */
struct hunk {
    struct str old, new;
    uint32_t line; /* of the first line, from 1 */
};

struct hunk hunk_between(struct str before, struct str after);

enum hunk_found {
    HUNK_NOT_THERE,
    HUNK_TAKEN_OUT,
    HUNK_AMBIGUOUS, /* it stands there more than once */
    HUNK_MEMORY_OUT,
};

/* `*reverted` is `text` with the hunk's old lines in place of its new ones. In `arena`. */
enum hunk_found hunk_revert(const struct hunk *hunk, struct str text, struct arena *arena,
                            struct str *reverted) MUST_CHECK;

#endif
