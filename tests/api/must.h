/* SPDX-License-Identifier: Apache-2.0 */
/* In a test's server there is nothing to do about a failure but to end the test. */
#ifndef CRIGATE_TESTS_API_MUST_H
#define CRIGATE_TESTS_API_MUST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(held)                                                                          \
    do {                                                                                    \
        if (!(held)) {                                                                      \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #held, strerror(errno)); \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

#endif
