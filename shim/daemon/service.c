/* SPDX-License-Identifier: Apache-2.0 */
/* libsystemd's word for each of them. */
#include "daemon/service.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/say.h"

/* What is of no use is no reason not to serve. */
static void take_socket(struct service_sockets *sockets, int fd)
{
    int *place = NULL;
    if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0)
        place = &sockets->cri;
    else if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0)
        place = &sockets->http;
    if (place && *place < 0) {
        *place = fd;
        return;
    }
    say_warn("the service manager hands over descriptor %d, which is not used: one unix stream "
             "socket and one TCP socket are, both listening",
             fd);
    close(fd);
}

int service_sockets_take(struct service_sockets *sockets, struct err *err)
{
    *sockets = (struct service_sockets){-1, -1};
    int count = sd_listen_fds(true);
    if (count < 0)
        return err_set_errno(err, -count, "the service manager's sockets");
    for (int i = 0; i < count; i++)
        take_socket(sockets, SD_LISTEN_FDS_START + i);
    return 0;
}

void service_ready(const char *status)
{
    sd_notifyf(false, "READY=1\nSTATUS=%s", status);
}

void service_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
               (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void service_stopping(void)
{
    sd_notify(false, "STOPPING=1\nSTATUS=letting running calls end");
}

static void on_tick(struct loop_op *op, bool ok)
{
    struct service_watchdog *watchdog = container_of(op, struct service_watchdog, tick);
    (void)ok;
    if (watchdog->over)
        return;
    sd_notify(false, "WATCHDOG=1");
    loop_after(watchdog->loop, &watchdog->tick, watchdog->interval_ms);
}

void service_watchdog_start(struct service_watchdog *watchdog, struct loop *loop)
{
    uint64_t limit_us;
    if (sd_watchdog_enabled(false, &limit_us) <= 0)
        return;
    uint64_t interval_ms = limit_us / 3000;
    *watchdog = (struct service_watchdog){
        .loop = loop,
        .tick = {.done = on_tick},
        .interval_ms = interval_ms < 1       ? 1
                       : interval_ms > 60000 ? 60000
                                             : (int)interval_ms,
    };
    loop_after(loop, &watchdog->tick, 0);
}

void service_watchdog_stop(struct service_watchdog *watchdog)
{
    watchdog->over = true;
}
