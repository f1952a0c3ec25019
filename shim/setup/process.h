/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one program to its end. Any thread. */
#ifndef CRIGATE_SETUP_PROCESS_H
#define CRIGATE_SETUP_PROCESS_H

#include "base/arena.h"
#include "base/err.h"

struct process_result {
    int status;                /* of its exit; 128 and its number for a signal */
    struct str output, errors; /* what it printed */
};

/* No program that is asked here prints more. */
#define PROCESS_OUTPUT_MAX ((size_t)4 * 1024 * 1024)

/*
 * Runs argv[0], looked up on the PATH, without standard input, and waits for it. -1: it cannot be
 * run, printed too much, or did not end within `timeout_ms`, when it is killed; `err` names it. An
 * exit status other than 0 is no error here.
 */
int process_run(const char *const *argv, int timeout_ms, struct arena *arena,
                struct process_result *result, struct err *err) MUST_CHECK;

/* Whether the PATH has an executable of that name. */
bool process_exists(const char *name);

#endif
