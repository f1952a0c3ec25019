/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a thread under a signal mask and a name that it inherits, and puts the old ones back. */
#include "base/thread.h"

#include <signal.h>
#include <sys/prctl.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *cookie), void *cookie,
                 struct err *err)
{
    sigset_t all, before;
    char own[16];
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* To name another thread takes /proc, which a confined process may not write to. */
    prctl(PR_GET_NAME, own);
    prctl(PR_SET_NAME, name);
    int failed = pthread_create(thread, NULL, run, cookie);
    prctl(PR_SET_NAME, own);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set_errno(err, failed, "cannot start the thread %s", name);
    return 0;
}
