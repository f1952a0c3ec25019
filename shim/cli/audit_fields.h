/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the audit log as the commands that show it read it. */
#ifndef CRIGATE_CLI_AUDIT_FIELDS_H
#define CRIGATE_CLI_AUDIT_FIELDS_H

#include <jansson.h>

#include "audit/record_scan.h"
#include "base/own.h"

/* Borrows from the line; the caller owns `root`. */
struct audit_fields {
    struct record_scan scan;
    json_t *root;
};

/* Reads the front of `line` only, which a filter on the time needs; no `root` yet. False when the
 * line is no record. */
bool audit_fields_scan(struct str line, struct audit_fields *fields) MUST_CHECK;

/* Fills `root`. False when the line is no record after all. */
bool audit_fields_parse(struct str line, struct audit_fields *fields) MUST_CHECK;

/* A text at `object`.`key`, or at `key` when `object` is NULL; empty when there is none. */
struct str audit_field(const struct audit_fields *fields, const char *object, const char *key);

/* The same for a number; 0 when there is none, or a negative one. */
uint64_t audit_field_number(const struct audit_fields *fields, const char *object, const char *key);

/* Whether it tells a decision on its own: the second stage of a call repeats the first. */
bool audit_fields_decide(const struct audit_fields *fields);

#endif
