/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second file in the words of a SIEM beside the log: `audit.jsonl` -> `ecs-audit.jsonl`. It
 * follows the log on a thread of its own and holds nobody up: it is not synced record by record,
 * and when it cannot keep up or cannot be written, lines are left out and counted in the daemon's
 * log. The native file is the truth; `crigate audit convert` makes the second one anew.
 */
#ifndef CRIGATE_AUDIT_SECOND_H
#define CRIGATE_AUDIT_SECOND_H

#include "audit/convert.h"
#include "audit/line.h"

#define SECOND_MOST ((size_t)8 * 1024 * 1024) /* bytes of native lines that wait for the thread */

struct second;

/*
 * Opens the file beside options->path, with the same owner, size, age and number of files; starts
 * the thread. A file that cannot be opened is logged and tried again. Its age is counted from when
 * the daemon opened it, so that a restart begins it anew. `format` is not AUDIT_NATIVE. `options`
 * is borrowed for the length of the call. -1: there is no memory or no thread.
 */
int second_open(const struct audit_options *options, enum audit_format format,
                struct second **second, struct err *err) MUST_CHECK;

/* Takes a list of sealed lines, which it frees. The writer's thread; does not block. */
void second_take(struct second *second, struct audit_line *lines);

/* The file's path is to be opened anew. The writer's thread. */
void second_reopen(struct second *second);

/* Writes what it has, syncs, ends the thread. NULL is allowed. */
void second_close(struct second *second);
DEFINE_OWNED(own_second, struct second, second_close)

#endif
