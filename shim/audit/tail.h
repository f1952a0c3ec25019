/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a file of lines, found without reading the rest of it. */
#ifndef CRIGATE_AUDIT_TAIL_H
#define CRIGATE_AUDIT_TAIL_H

#include <sys/types.h>

#include "audit/record.h"
#include "base/own.h"

/* No newline in as many bytes as a crash can leave behind the last one. */
#define TAIL_ENDLESS ((off_t)-2)

/* The offset behind the last newline before `end`; 0: there is none. -1: errno says why; or
 * TAIL_ENDLESS. */
off_t tail_line_end(int fd, off_t end);

/* The hash of the last line of a file that ends behind a newline at `end`, which is not 0. `path`
 * is for the error. */
int tail_hash(int fd, off_t end, const char *path, char hash[RECORD_HASH_SIZE],
              struct err *err) MUST_CHECK;

#endif
