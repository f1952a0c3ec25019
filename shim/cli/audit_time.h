/* SPDX-License-Identifier: Apache-2.0 */
/* The times of records and of --since. Any thread. */
#ifndef CRIGATE_CLI_AUDIT_TIME_H
#define CRIGATE_CLI_AUDIT_TIME_H

#include <time.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#define AUDIT_TIME_SIZE ((size_t)28)  /* 2026-11-24T02:19:40.123456Z and a NUL */
#define AUDIT_LOCAL_SIZE ((size_t)24) /* 2026-11-24 02:19:40.123 and a NUL */

/* An RFC 3339 time. False when it is none. */
bool audit_time_parse(struct str text, struct timespec *time) MUST_CHECK;

/* The value of --since: an RFC 3339 time, or how long before `now`, as 45s, 10m, 2h, 3d or 1w.
 * `since` is then what no later record's time is less than, bytewise. False when it is neither. */
bool audit_time_since(const char *text, const struct timespec *now,
                      char since[AUDIT_TIME_SIZE]) MUST_CHECK;

/* A record's time in the local zone, to the millisecond; what is no time as "?". */
void audit_time_local(struct str text, char local[AUDIT_LOCAL_SIZE]);

#endif
