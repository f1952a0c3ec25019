/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals that come again: the kubelet tries a refused pod every 10 to 15 s. The first is written
 * whole; those equal to it within the window are counted and told by one `repeated` record when the
 * window is over. At most REPEATS_MOST distinct refusals are remembered: beyond them the oldest
 * one's window ends early. Guarded by a lock of its own: any thread.
 *
 * Equal are two refusals that differ in time, request id, attempt, peer's pid and duration alone.
 * They are compared by a SHA-256 over their fields, since pods' authors choose some of them: who
 * could find two pods with one key would hide the second's refusal.
 */
#ifndef CRIGATE_AUDIT_REPEATS_H
#define CRIGATE_AUDIT_REPEATS_H

#include "audit/audit.h"

#define REPEATS_MOST 10000
#define REPEATS_KEY_SIZE 32

struct repeats;

/* NULL: memory is out. */
struct repeats *repeats_create(uint32_t window_s);

/* The key of a refusal. False: `event` is none (its action is not AUDIT_REFUSE), or no hash could
 * be had; it is then written whole. A decision's two stages have keys of their own. */
bool repeats_key(const struct audit_event *event, unsigned char key[REPEATS_KEY_SIZE]);

/* Whether an equal one is on record within the window at `now`; it is counted then. Else the window
 * begins, and the caller writes the record whole. */
bool repeats_count(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE],
                   const struct audit_event *event, const struct timespec *now);

/* The first of them did not reach a sink: the next one is written whole. What was counted
 * meanwhile is still told. */
void repeats_forget(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE]);

/*
 * Takes one whose window is over (all of them when `closing`) and that has a count: fills `event`,
 * of type "repeated", whose strings live until the next call or repeats_destroy(). False: none is
 * due. One thread calls it.
 */
bool repeats_take(struct repeats *repeats, const struct timespec *now, bool closing,
                  struct audit_event *event);

/* NULL is allowed. */
void repeats_destroy(struct repeats *repeats);

#endif
