/* SPDX-License-Identifier: Apache-2.0 */
/* What `crigate verify` knows before it asks: the settings and their files, and the host. */
#ifndef CRIGATE_CLI_VERIFY_BED_H
#define CRIGATE_CLI_VERIFY_BED_H

#include "cli/verify_kernel.h"
#include "config/settings.h"
#include "node/labels.h"
#include "policy/policy.h"

struct verify_bed {
    const char *config; /* the path of the settings */
    struct settings settings;
    struct policy *policy;
    struct node_labels *labels;
    struct err labels_trouble; /* why they are not known; "" when they are */
    struct kernel_evidence host;
    const char *uid; /* for the pods of this run */
    int lock;        /* held for the length of the run; -1 at first */
    struct arena arena;
};

/* Fills a bed that is zeroed but for `lock`. -1: `err` says why, or is as it was where that has
 * been printed, finding by finding. verify_bed_free() is due either way. */
int verify_bed_load(const char *config, struct verify_bed *bed, struct err *err) MUST_CHECK;
void verify_bed_free(struct verify_bed *bed);

#endif
