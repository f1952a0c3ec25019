/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a thread under a signal mask that it inherits, and puts the old one back. */
#include "base/thread.h"

#include <signal.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *cookie), void *cookie,
                 struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, cookie);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set_errno(err, failed, "cannot start the thread %s", name);
    pthread_setname_np(*thread, name);
    return 0;
}
