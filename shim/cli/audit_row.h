/* SPDX-License-Identifier: Apache-2.0 */
/* One record as a line for a person. */
#ifndef CRIGATE_CLI_AUDIT_ROW_H
#define CRIGATE_CLI_AUDIT_ROW_H

#include "cli/audit_fields.h"
#include "cli/table.h"

/* Prints the titles of the columns. -1: memory is out. */
int audit_row_print_titles(const struct table_look *look, FILE *out) MUST_CHECK;

/* Prints a parsed record. -1: memory is out. */
int audit_row_print(const struct audit_fields *fields, const struct table_look *look,
                    FILE *out) MUST_CHECK;

#endif
