/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own log: one line a message on standard error, for a person or journald. What the
 * gate decides goes to the audit log instead. Any thread.
 */
#ifndef CRIGATE_BASE_SAY_H
#define CRIGATE_BASE_SAY_H

void say_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
