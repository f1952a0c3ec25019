/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of `crigate ps` and the notes below it share. */
#ifndef CRIGATE_CLI_PS_TEXT_H
#define CRIGATE_CLI_PS_TEXT_H

#include "base/writer.h"
#include "cli/ps_report.h"

/* What the policy would do with the pod now, such as "runsc by rule agents-in-gvisor". */
void ps_write_says(struct writer *writer, const struct judged_sandbox *judged);

/* What a person should know about the table: why a pod drifts or cannot be judged, what was taken
 * for granted, and the sums. -1: memory is out. */
int ps_notes_print(const struct ps_report *report, const struct table_look *look,
                   FILE *out) MUST_CHECK;

/* The time since a sandbox was made, such as 41s, 3m, 4h12m or 9d; both in ns since 1970. */
void ps_format_age(int64_t created_at, int64_t now, char *buf, size_t size);

#endif
