/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the inspect target share; each takes any bytes, and aborts on a wrong answer.
 */
#ifndef CRIGATE_TESTS_INSPECT_FUZZ_H
#define CRIGATE_TESTS_INSPECT_FUZZ_H

#include <stdlib.h>

#include "base/str.h"
#include "cri.pb-c.h"

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

/* Reads each byte, so that a sanitizer sees one that is not ours. */
void touch(struct str s);

bool within(struct str s, struct str outer);
bool same(struct str s, ProtobufCBinaryData bytes);

/* An error is a line, and only a failure has one. */
void check_error(int result, const char *text);

void fuzz_pod(struct str message);
void fuzz_container(struct str message);
void fuzz_image(struct str message);
void fuzz_status(struct str message);
void fuzz_sandboxes(struct str message);

#endif
