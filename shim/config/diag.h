/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings in a file that a person wrote, as a compiler prints them: file:line:column, the line, a
 * caret under the character, and what to do. All findings of one run are counted, and the first
 * DIAGS_KEPT_MAX are kept. One thread at a time.
 */
#ifndef CRIGATE_CONFIG_DIAG_H
#define CRIGATE_CONFIG_DIAG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/spec.h"

/* A file with more findings than a person reads is printed up to here. */
#define DIAGS_KEPT_MAX ((size_t)1000)

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
    enum diag_level level;
    const char *path;
    struct place at;     /* line 0: the file as a whole (it cannot be read, say) */
    const char *message; /* one sentence, no newline */
    const char *line;    /* the part of the line round the place, safe for a terminal; NULL for the
                            file as a whole, and where lines may hold secrets */
    unsigned caret;      /* terminal columns of `line` in front of the caret */
    const char *hint;    /* "did you mean ...?"; NULL when there is none */
};

/* Zeroed is empty. Findings live until diags_free(). Several files may use it in turn as long as
 * the earlier ones had no errors: a reader fails when there is one. */
struct diags {
    struct arena arena;
    struct diag *items;
    size_t count, room;
    size_t errors, warnings; /* all that were found; `count` of them are kept */
    bool memory_out;         /* a finding was lost; counts as an error */
};

/* The text that findings point into, and the last place that was looked up in it. */
struct diag_source {
    const char *path;
    struct str text;    /* lines end with '\n' */
    bool holds_secrets; /* no finding shows a line of it */
    struct place at;    /* zeroed at first */
    size_t offset;
};

/*
 * Adds one finding; source, hint and the arguments are only borrowed. Foreign text in the message
 * may hold any byte: what could deceive on a terminal is written as \xNN. `hint` may be NULL.
 */
void diags_add(struct diags *diags, enum diag_level level, struct diag_source *source,
               struct place at, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Records that memory ran out. */
void diags_add_memory_out(struct diags *diags);

/* For "%.*s" in a message: foreign text, cut where a person stops reading. */
#define DIAG_TEXT(s) (int)diag_text_len(s), (s).data
size_t diag_text_len(struct str s);

/* Whether an error was found or memory ran out. */
bool diags_failed(const struct diags *diags);

/* Puts the findings from index `first` on, those of one file, in the order of their places. */
void diags_sort(struct diags *diags, size_t first);

/* Prints all of them to `out`, coloured when it is a terminal, with a closing count. */
void diags_print(const struct diags *diags, FILE *out);

/* The first error on one line, "path:line:column: message", for a log. -1 always; see err_set(). */
int diags_first(const struct diags *diags, struct err *err);

void diags_free(struct diags *diags);

#define OWNED_DIAGS OWNED(diags_free)

#endif
