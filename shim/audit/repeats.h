/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals that come again: the kubelet tries a refused pod every 10 to 15 s. The first is written
 * whole; those equal to it within the window are counted, and told by one `repeated` record when
 * the window is over. Any thread; it has a lock of its own.
 *
 * Equal are two refusals that differ in time, request id, attempt, the peer's pid and duration
 * alone. They are compared by a SHA-256 over their fields, since pods' authors choose some of them:
 * who could find two pods with one key would hide the refusal of the second.
 *
 * At most REPEATS_MOST distinct refusals are remembered. The oldest makes room, when it has counted
 * nothing; while it has, what is new is written whole each time, so nothing goes without a count.
 */
#ifndef CRIGATE_AUDIT_REPEATS_H
#define CRIGATE_AUDIT_REPEATS_H

#include "audit/audit.h"

#define REPEATS_MOST 10000
#define REPEATS_KEY_SIZE 32

struct repeats;

/* NULL: memory is out. */
struct repeats *repeats_create(uint32_t window_s);

/* The key of a refusal, one for both stages of a decision. False: `event` is none (its action is
 * not AUDIT_REFUSE), or no hash could be had; it is then written whole. */
bool repeats_key(const struct audit_event *event, unsigned char key[REPEATS_KEY_SIZE]);

/*
 * Whether an equal one is on record within the window at `now` (CLOCK_REALTIME); then it is
 * counted, and `completed` of a counted call is passed over: the count is of calls; the first's is
 * written. If not, the
 * caller writes the record whole, and the window begins with it, when there is room for it.
 */
bool repeats_count(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE],
                   const struct audit_event *event, const struct timespec *now);

/* The first of them did not reach a sink: the next one is written whole. What has been counted
 * since is still told. */
void repeats_forget(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE]);

/*
 * Takes one whose window is over at `now` (any, when `closing`) and that has a count: fills
 * `event`, of type "repeated", whose strings live until the next call or repeats_destroy(). False:
 * there is none. One thread calls it.
 */
bool repeats_take(struct repeats *repeats, const struct timespec *now, bool closing,
                  struct audit_event *event);

/* NULL is allowed. */
void repeats_destroy(struct repeats *repeats);

#endif
