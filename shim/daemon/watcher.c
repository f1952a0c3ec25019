/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's third ear: a signalfd, an inotify descriptor and an eventfd to end it. */
#include "daemon/watcher.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/say.h"
#include "base/thread.h"

struct watcher {
    watcher_signal_fn *signalled;
    void *cookie;
    int signals, end;
    struct follow *follow; /* NULL: there is no inotify */
    pthread_t thread;
    bool running;
};

static sigset_t waited_for(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    return set;
}

void watcher_block_signals(void)
{
    sigset_t set = waited_for();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int watcher_create(watcher_signal_fn *signalled, void *cookie, struct watcher **watcher,
                   struct err *err)
{
    sigset_t set = waited_for();
    OWNED(own_watcher) struct watcher *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "the watcher: out of memory");
    *made = (struct watcher){.signalled = signalled, .cookie = cookie, .signals = -1, .end = -1};
    made->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    made->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->signals < 0 || made->end < 0)
        return err_set_errno(err, errno, "the watcher");
    struct err cause;
    if (follow_create(&made->follow, &cause) < 0)
        say_warn("%s; a changed policy or label file is read at SIGHUP only", cause.text);
    *watcher = steal_ptr(&made);
    return 0;
}

int watcher_follow(struct watcher *watcher, const char *path, follow_fn *changed, void *cookie,
                   struct err *err)
{
    return watcher->follow ? follow_add(watcher->follow, path, changed, cookie, err) : 0;
}

/* False: a signal that ends the watching. */
static bool take_signals(struct watcher *watcher)
{
    struct signalfd_siginfo info;
    while (read(watcher->signals, &info, sizeof(info)) == sizeof(info)) {
        if (!watcher->signalled(watcher->cookie, (int)info.ssi_signo))
            return false;
    }
    return true;
}

static void *watch(void *cookie)
{
    struct watcher *watcher = cookie;
    struct pollfd fds[] = {
        {.fd = watcher->end, .events = POLLIN},
        {.fd = watcher->signals, .events = POLLIN},
        {.fd = watcher->follow ? follow_fd(watcher->follow) : -1, .events = POLLIN},
    };
    for (;;) {
        poll(fds, sizeof(fds) / sizeof(*fds),
             watcher->follow ? follow_timeout(watcher->follow) : -1);
        if (fds[0].revents || !take_signals(watcher))
            return NULL;
        if (watcher->follow)
            follow_dispatch(watcher->follow);
    }
}

int watcher_start(struct watcher *watcher, struct err *err)
{
    if (thread_start(&watcher->thread, "watcher", watch, watcher, err) < 0)
        return -1;
    watcher->running = true;
    return 0;
}

void watcher_stop(struct watcher *watcher)
{
    if (!watcher->running)
        return;
    eventfd_write(watcher->end, 1);
    pthread_join(watcher->thread, NULL);
    watcher->running = false;
}

void watcher_destroy(struct watcher *watcher)
{
    if (!watcher)
        return;
    watcher_stop(watcher);
    follow_destroy(watcher->follow);
    own_fd(&watcher->signals);
    own_fd(&watcher->end);
    free(watcher);
}
