/* SPDX-License-Identifier: Apache-2.0 */
/* How `crigate ps` prints what a survey found. */
#ifndef CRIGATE_CLI_PS_REPORT_H
#define CRIGATE_CLI_PS_REPORT_H

#include <jansson.h>

#include "cli/table.h"
#include "survey/judge.h"

/* All borrowed. */
struct ps_report {
    const struct survey *survey;
    const char *labels_trouble; /* why they are not known; "" when they are */
    int64_t now;                /* CLOCK_REALTIME, ns */
};

/* A table and what must be said about it. -1: memory is out. */
int ps_report_print(const struct ps_report *report, const struct table_look *look,
                    FILE *out) MUST_CHECK;

/* The same as an object, the caller's; NULL when memory is out. */
json_t *ps_report_json(const struct ps_report *report) MUST_CHECK;

#endif
