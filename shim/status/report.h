/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot as the JSON that the status page shows. */
#ifndef CRIGATE_STATUS_REPORT_H
#define CRIGATE_STATUS_REPORT_H

#include "status/snapshot.h"

/* The caller frees the text; NULL: memory is out. */
char *report_make(const struct snapshot *snapshot) MUST_CHECK;

#endif
