/* SPDX-License-Identifier: Apache-2.0 */
/* How `crigate verify` prints what it found. */
#ifndef CRIGATE_CLI_VERIFY_PRINT_H
#define CRIGATE_CLI_VERIFY_PRINT_H

#include <jansson.h>

#include "cli/table.h"
#include "cli/verify_proof.h"

/* A table, and below it why a runtime is not proven. -1: memory is out. */
int verify_report_print(const struct verify_report *report, const struct table_look *look,
                        FILE *out) MUST_CHECK;

/* The same as an object, the caller's; NULL when memory is out. */
json_t *verify_report_json(const struct verify_report *report) MUST_CHECK;

#endif
