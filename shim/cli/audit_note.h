/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit commands say on standard error about the files that they read. */
#ifndef CRIGATE_CLI_AUDIT_NOTE_H
#define CRIGATE_CLI_AUDIT_NOTE_H

#include "audit/segments.h"

/* "FILE:LINE: no record", dim on a terminal. */
void audit_note_no_record(const struct segment_line *line);

/* That the file to follow is waited for. */
void audit_note_missing(const char *path);

/* That there is no log at `path`, nor a rotated file of it. */
void audit_note_no_log(const char *path);

/* The errors name files, whose names are foreign. */
void audit_note_error(const struct err *err);

#endif
