/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot in the text format of Prometheus, version 0.0.4. */
#ifndef CRIGATE_STATUS_METRICS_H
#define CRIGATE_STATUS_METRICS_H

#include <stdio.h>

#include "status/snapshot.h"

/* Writes all of /metrics. Errors stay in `out`. */
void metrics_write(const struct snapshot *snapshot, FILE *out);

#endif
