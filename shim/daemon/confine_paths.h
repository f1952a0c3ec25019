/* SPDX-License-Identifier: Apache-2.0 */
/* What the settings make the daemon read and write. */
#ifndef CRIGATE_DAEMON_CONFINE_PATHS_H
#define CRIGATE_DAEMON_CONFINE_PATHS_H

#include "base/err.h"
#include "base/own.h"
#include "config/settings.h"

/* Confines the calling thread's files by the settings; the ABI of Landlock, or -1. */
int confine_paths(const struct settings *settings, const char *journal, struct err *err) MUST_CHECK;

#endif
