/* SPDX-License-Identifier: Apache-2.0 */
/* In place of confine.c where sanitizers are built in: they read /proc, trace the process and map
 * what they like, and what they report is about the same daemon. */
#include "base/say.h"
#include "daemon/confine.h"

void confine(const struct settings *settings, const char *journal)
{
    (void)settings;
    (void)journal;
    say_info("not confined: built with sanitizers");
}
