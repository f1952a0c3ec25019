/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of decisions by what they have in common, in bounded memory. */
#ifndef CRIGATE_CLI_AUDIT_TALLY_H
#define CRIGATE_CLI_AUDIT_TALLY_H

#include "cli/audit_fields.h"
#include "cli/audit_time.h"
#include "cli/table.h"

#define TALLY_NAMES_MAX ((size_t)4096) /* distinct names a group */
#define TALLY_NAME_MAX ((size_t)512)   /* bytes */

enum tally_by {
    TALLY_ACTION,
    TALLY_RULE,
    TALLY_RUNTIME,
    TALLY_NAMESPACE,
    TALLY_REFUSAL,
    TALLY_GROUPS,
};

struct tally_group {
    json_t *counts;  /* name -> count */
    uint64_t others; /* under names that there was no room for, or that are too long */
};

struct tally {
    struct tally_group groups[TALLY_GROUPS];
    uint64_t decisions;
    char first[AUDIT_TIME_SIZE], last[AUDIT_TIME_SIZE]; /* of their records; "": none */
};

/* -1: memory is out. Else tally_free() is due. */
int tally_make(struct tally *tally) MUST_CHECK;
void tally_free(struct tally *tally);

/* Counts a parsed record, if it tells of a decision, or of some that repeat one. -1: memory is out.
 */
int tally_add(struct tally *tally, const struct audit_fields *fields) MUST_CHECK;

/* One name of a group, borrowed from the tally. */
struct tally_row {
    struct str name;
    uint64_t count;
};

/* The rows of a group, the largest first, from malloc(). NULL: memory is out. */
struct tally_row *tally_sorted(const struct tally_group *group, size_t *count) MUST_CHECK;

/* A heading, then a table a group. -1: memory is out. */
int tally_print(const struct tally *tally, const struct table_look *look, FILE *out) MUST_CHECK;

/* The same as an object, the caller's, with all names; NULL when memory is out. */
json_t *tally_json(const struct tally *tally) MUST_CHECK;

#endif
