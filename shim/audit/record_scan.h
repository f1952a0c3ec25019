/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first fields of a line of the log, read without a JSON parser: a GiB of lines is checked in
 * seconds. It takes only what record.h writes, to the byte, so a line that it takes begins as ours
 * do; whether the rest is well-formed JSON is not looked at. Any thread.
 */
#ifndef CRIGATE_AUDIT_RECORD_SCAN_H
#define CRIGATE_AUDIT_RECORD_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Borrows from the line. */
struct record_scan {
    uint64_t seq;
    struct str prev;     /* 64 lower-case hex digits */
    struct str instance; /* 32 of them */
    struct str type;
    struct str stage; /* empty: none */
    struct str time;  /* RFC 3339, UTC, microseconds: text order is the order in time */
};

/* `line` is without its newline. False when it does not begin as a record does, or does not end in
 * a brace. */
bool record_scan(struct str line, struct record_scan *scan);

#endif
