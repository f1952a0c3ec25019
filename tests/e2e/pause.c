/* SPDX-License-Identifier: Apache-2.0 */
/* Process 1 of a pod's sandbox, and of the test node itself: does nothing, for ever, and reaps the
 * processes that are left to it. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return 1;
    for (;;) {
        /* whoever died before the mask was set has no signal waiting */
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        int sig = sigwaitinfo(&set, NULL);
        if (sig == SIGTERM || sig == SIGINT)
            return 0;
        if (sig < 0 && errno != EINTR)
            return 1;
    }
}
