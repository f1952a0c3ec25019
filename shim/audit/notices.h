/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's own records, as lists of lines in the order in which they are to be written; the caller
 * owns them. What has no memory is counted in writer->untold. The writer's thread.
 */
#ifndef CRIGATE_AUDIT_NOTICES_H
#define CRIGATE_AUDIT_NOTICES_H

#include "audit/writer.h"

/* What has to be said before anything else is written to the file as it was found: segment.open,
 * audit.repaired, audit.recovered. NULL: nothing. */
struct audit_line *notices_first(struct audit_writer *writer, const struct audit_file_found *found);

/* What is due now: counts of repeats whose window is over (all of them when `closing`), the
 * heartbeat. NULL: nothing. */
struct audit_line *notices_due(struct audit_writer *writer, bool closing);

#endif
