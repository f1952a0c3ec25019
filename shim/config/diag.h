/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings in a file that a person wrote, as a compiler prints them: file:line:column, the line, a
 * caret under the character, and what to do. All findings of one run are kept, in order.
 */
#ifndef CRIGATE_CONFIG_DIAG_H
#define CRIGATE_CONFIG_DIAG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/spec.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
    enum diag_level level;
    const char *path;
    struct place at;     /* line 0: the file as a whole (it cannot be read, say) */
    const char *message; /* one sentence, no newline */
    const char *line;    /* the offending line, for the caret; NULL for the file as a whole */
    const char *hint;    /* "did you mean ...?"; NULL when there is none */
};

/* Zeroed is empty. Findings live until diags_free(). */
struct diags {
    struct arena arena;
    struct diag *items;
    size_t count, room;
    size_t errors;
    bool memory_out; /* a finding was lost; counts as an error */
};

/* Prints all of them to `out`, coloured when it is a terminal, with a closing count. */
void diags_print(const struct diags *diags, FILE *out);

/* The first error on one line, "path:line:column: message", for a log. -1 always; see err_set(). */
int diags_first(const struct diags *diags, struct err *err);

void diags_free(struct diags *diags);

#define OWNED_DIAGS OWNED(diags_free)

#endif
