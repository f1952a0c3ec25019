/* SPDX-License-Identifier: Apache-2.0 */
/* The programs that a test or a benchmark starts; they end with the thread that started them. */
#ifndef CRIGATE_TESTS_FAKE_PROCESS_H
#define CRIGATE_TESTS_FAKE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Starts argv[0]. `out` gets its standard output, unless negative. `cpu` is the processor that it
 * is bound to, -1 for any. Returns -1 when there is no process. */
pid_t process_start(char *const argv[], int out, int cpu);

/* Starts it as systemd does with Sockets=: `socket`, which listens, is the process's descriptor 3.
 */
pid_t process_start_with_socket(char *const argv[], int socket);

/* Starts the fake containerd on a socket and waits until it listens; -1 when it does not. */
pid_t process_start_fake(const char *program, const char *socket, int cpu);

/* True if a connection to the unix socket can be made. */
bool process_listens(const char *socket);

/* Kills it, and waits for its end. */
void process_kill(pid_t pid);

#endif
