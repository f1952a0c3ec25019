/* SPDX-License-Identifier: Apache-2.0 */
/* Notes a signal for later. */
#include "cli/verify_stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void note(int signal)
{
    asked = signal;
}

void verify_stop_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction before;
        sigaction(signals[i], NULL, &before);
        if (before.sa_handler != SIG_IGN) /* as nohup leaves it */
            sigaction(signals[i], &action, NULL);
    }
}

bool verify_stop_asked(void)
{
    return asked != 0;
}

void verify_stop_obey(void)
{
    if (asked) {
        signal(asked, SIG_DFL);
        raise(asked);
    }
}
