/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C, and the signals like it, wait until what was started has been removed again. */
#ifndef CRIGATE_CLI_VERIFY_STOP_H
#define CRIGATE_CLI_VERIFY_STOP_H

#include <stdbool.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted. A second one of its kind ends the
 * program, as it does by default. */
void verify_stop_catch(void);
bool verify_stop_asked(void);

/* If one was noted, lets it end the program now. */
void verify_stop_obey(void);

#endif
