/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon as a service of systemd: sockets that it is given, and what it tells of itself.
 * Without systemd there are no sockets, and what is told goes nowhere.
 */
#ifndef CRIGATE_DAEMON_SERVICE_H
#define CRIGATE_DAEMON_SERVICE_H

#include "base/own.h"
#include "gate/loop.h"

/* Listening sockets; the caller's; -1: none. */
struct service_sockets {
    int cri;  /* a unix stream socket, for the kubelet */
    int http; /* a TCP socket */
};

/* Takes what sd_listen_fds(3) has; afterwards nobody else does. One that is neither, or a second of
 * a kind, is a warning. -1: there is no telling. */
int service_sockets_take(struct service_sockets *sockets, struct err *err) MUST_CHECK;

/* Any thread. `status` is a sentence for `systemctl status`. */
void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

/* Tells systemd that the loop is alive, as often as WatchdogSec= asks, until it does not run any
 * more: a gate whose loop hangs is started anew. */
struct service_watchdog {
    struct loop *loop;
    struct loop_op tick;
    int interval_ms;
    bool over;
};

/* From the start to watchdog_stop(), which comes before loop_stop(). Loop thread only, or before
 * it runs. */
void service_watchdog_start(struct service_watchdog *watchdog, struct loop *loop);
void service_watchdog_stop(struct service_watchdog *watchdog);

#endif
