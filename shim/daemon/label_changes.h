/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two sets of node labels, for the audit log and for a log line. */
#ifndef CRIGATE_DAEMON_LABEL_CHANGES_H
#define CRIGATE_DAEMON_LABEL_CHANGES_H

#include "audit/audit.h"
#include "base/writer.h"

/* In all of these NULL is a set that is not known, and as a list of labels counts as empty. */

/* The changes from one to the other, by key; they borrow from both sets. The caller frees the list.
 * NULL: memory is out. */
struct audit_change *label_changes_make(const struct label_set *before,
                                        const struct label_set *after, size_t *count) MUST_CHECK;

/* As "KEY: BEFORE → AFTER, KEY: (none) → AFTER", as many as a person reads, and how many more. */
void label_changes_write(struct writer *out, const struct audit_change *changes, size_t count);

#endif
