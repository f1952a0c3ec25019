/* SPDX-License-Identifier: Apache-2.0 */
/* The node's labels as the settings' sources tell them without the network. */
#ifndef CRIGATE_CLI_KNOWN_LABELS_H
#define CRIGATE_CLI_KNOWN_LABELS_H

#include "config/settings.h"
#include "node/labels.h"

/*
 * Reads the label file and, in place of the API server, the cache of what it told last; `now` is
 * CLOCK_REALTIME in seconds. The caller owns `*labels`: the unknown one when a source does not
 * tell, and then `why` says why. -1: memory is out.
 */
int known_labels_read(const struct settings *settings, int64_t now, struct node_labels **labels,
                      struct err *why) MUST_CHECK;

#endif
