/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A native record -> the same told in the words of a SIEM: Elastic Common Schema or OCSF API
 * Activity. Any thread.
 */
#ifndef CRIGATE_AUDIT_CONVERT_H
#define CRIGATE_AUDIT_CONVERT_H

#include "audit/audit.h"

/* "native", "ecs", "ocsf"; false when it is none of them. */
bool audit_format_parse(struct str word, enum audit_format *format) MUST_CHECK;
const char *audit_format_name(enum audit_format format);

/*
 * Converts one line (without or with its newline) to one line with a newline in `*out`, which the
 * caller frees. -1 when `line` is no record of version 1, or memory is out. `format` is not
 * AUDIT_NATIVE.
 */
int audit_convert(enum audit_format format, struct str line, char **out, size_t *length,
                  struct err *err) MUST_CHECK;

#endif
