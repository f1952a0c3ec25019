/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A native record -> the same told in the words of a SIEM: the Elastic Common Schema 8.11
 * (elastic.co/docs/reference/ecs) or API Activity of OCSF 1.4.0 (schema.ocsf.io/1.4.0, the first
 * with `is_alert`). What has no place there stands below `crigate`, or in `unmapped`, under its
 * native name, so that nothing is left out. Labels and annotations become lists of KEY=VALUE: a
 * dot in a key of an object would be a level of its own to Elasticsearch. Any thread.
 */
#ifndef CRIGATE_AUDIT_CONVERT_H
#define CRIGATE_AUDIT_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#define CONVERTED_MAX ((size_t)32 * 1024) /* bytes a line, newline included: Fluent Bit's most */

/* How a second file beside the log is written. */
enum audit_format { AUDIT_NATIVE, AUDIT_ECS, AUDIT_OCSF };

/* "native", "ecs", "ocsf"; false when it is none of them. */
bool audit_format_parse(struct str word, enum audit_format *format) MUST_CHECK;
const char *audit_format_name(enum audit_format format);

/* How every line of the format begins. */
const char *audit_format_start(enum audit_format format);

/*
 * Converts one line (without or with its newline) to one line of ASCII with a newline in `*out`,
 * which the caller frees. -1 when `line` is no record of version 1, or memory is out. `format` is
 * not AUDIT_NATIVE.
 */
int audit_convert(enum audit_format format, struct str line, char **out, size_t *length,
                  struct err *err) MUST_CHECK;

#endif
