/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's parts have to show, put into one snapshot. */
#ifndef CRIGATE_DAEMON_COLLECT_H
#define CRIGATE_DAEMON_COLLECT_H

#include "config/settings.h"
#include "daemon/live_labels.h"
#include "daemon/live_policy.h"
#include "gate/listen.h"
#include "status/snapshot.h"

/* All borrowed. */
struct collect_sources {
    const struct settings *settings;
    const struct gate *gate;
    const struct listener *listener; /* NULL: closed already */
    const struct live_policy *policy;
    const struct live_labels *labels;
    int64_t started; /* CLOCK_REALTIME, seconds */
};

/* Fills a zeroed snapshot. Loop thread only. -1: memory is out. */
int collect_snapshot(const struct collect_sources *sources, struct snapshot *snapshot) MUST_CHECK;

#endif
