/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error value for the whole project: the callee explains once, at the place that knows, into
 * the caller's `struct err`, and returns a negative number. Success leaves the value untouched.
 * On the way up a caller may put context in front with err_wrap(). Outcomes such as "refused" or
 * "end of stream" are not errors; they are enums of their own modules.
 */
#ifndef CRIGATE_BASE_ERR_H
#define CRIGATE_BASE_ERR_H

struct err {
    char text[1024]; /* a sentence for a person, without a newline; cut, never overrun */
};

/* Writes the explanation; always returns -1, so that `return err_set(err, ...)` reads well.
 * `err` may be NULL when a caller does not want the text. */
int err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": <strerror(errnum)>" at the end. `errnum` is a positive errno value. */
int err_set_errno(struct err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " in front of what is there; always returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
