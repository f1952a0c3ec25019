/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own log: one line a message on standard error, for a person or journald. What the
 * gate decides goes to the audit log instead. Any thread.
 *
 * A message that comes again and again, by the place in the code that it is from, is told
 * SAY_BURST times within SAY_WINDOW_S; how many more there were stands in front of the first one
 * after that.
 */
#ifndef CRIGATE_BASE_SAY_H
#define CRIGATE_BASE_SAY_H

#define SAY_BURST 10
#define SAY_WINDOW_S 30

/*
 * Adds a field, NAME=VALUE, to this thread's next message, for those who filter or count: journald
 * keeps it beside the text, when standard error is journald's. Names are upper case and begin with
 * CRIGATE_; CRIGATE_EVENT says what happened in a word that stays (crigate(8) lists them). At most
 * SAY_FIELDS_MAX, the rest is left out.
 */
#define SAY_FIELDS_MAX 4
void say_field(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void say_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
