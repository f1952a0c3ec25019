/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: puts the parts together from the bottom up, runs until SIGTERM or SIGINT, and takes
 * them down from the top. */
#ifndef CRIGATE_DAEMON_DAEMON_H
#define CRIGATE_DAEMON_DAEMON_H

/* Runs the daemon with the settings of the file `config`, in the foreground. 0 once it was told to
 * end; -1 when it could not start, and what is wrong stands on standard error. Once a process. */
int daemon_run(const char *config);

/* Whether daemon_run() would take the settings, and what they name: -1: no, and why stands on
 * standard error. Opens no socket and writes nothing. */
int daemon_check(const char *config);

#endif
