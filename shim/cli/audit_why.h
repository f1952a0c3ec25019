/* SPDX-License-Identifier: Apache-2.0 */
/* What a record says beyond its columns, in a sentence for a person. */
#ifndef CRIGATE_CLI_AUDIT_WHY_H
#define CRIGATE_CLI_AUDIT_WHY_H

#include "base/writer.h"
#include "cli/audit_fields.h"
#include "cli/table.h"

/* `style` is how much it matters. */
void audit_why_write(const struct audit_fields *fields, struct writer *writer,
                     enum table_style *style);

#endif
