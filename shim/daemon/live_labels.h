/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's labels in force follow their sources, a file and the API server: each change becomes a
 * merged snapshot, which the loop puts in force for the calls that arrive from then on, with one
 * record and one log line.
 */
#ifndef CRIGATE_DAEMON_LIVE_LABELS_H
#define CRIGATE_DAEMON_LIVE_LABELS_H

#include "config/settings.h"
#include "gate/call.h"

struct live_labels;

/*
 * Reads the file, starts the watch of the API server, and gives `gate` the labels to begin with;
 * that they are not known is a warning. `settings` and `gate` are borrowed. -1: a wrong kubeconfig,
 * no thread or no memory.
 */
int live_labels_open(const struct settings *settings, struct gate *gate, struct live_labels **live,
                     struct err *err) MUST_CHECK;

/* From now on the gate's loop, which will run, is told of changes. */
void live_labels_start(struct live_labels *live);

/* Reads the file again, if one is set. Labels that are wrong now change nothing; a file that is
 * gone leaves them unknown. `asked`: as in live_policy_look(). One thread at a time. */
void live_labels_look(struct live_labels *live, bool asked);

/* Writes what is in force into `event->labels`. Only on the loop, or before it runs. */
void live_labels_describe(const struct live_labels *live, struct audit_event *event);

/* Ends the watch of the API server, within a second. After that only what is on its way to the loop
 * is told; the loop must have ended before live_labels_destroy(). */
void live_labels_stop(struct live_labels *live);

/* Stops, if need be, and frees; what is in force stays the gate's. NULL is allowed. */
void live_labels_destroy(struct live_labels *live);
DEFINE_OWNED(own_live_labels, struct live_labels, live_labels_destroy)

#endif
