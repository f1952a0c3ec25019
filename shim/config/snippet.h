/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a source line that stands in a finding, harmless for a terminal. */
#ifndef CRIGATE_CONFIG_SNIPPET_H
#define CRIGATE_CONFIG_SNIPPET_H

#include "config/diag.h"

/* Enough for one snippet with its NUL: each character of the window at its longest. */
#define SNIPPET_SIZE ((size_t)2048)

/* Writes the window round `at` into `buf`, whose size is SNIPPET_SIZE; returns the terminal columns
 * in front of the caret. Moves the source's last place. */
unsigned snippet_write(struct diag_source *source, struct place at, char *buf);

#endif
