/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake saw, and what it is to do: a line in the ledger for each method ever called. */
#ifndef CRIGATE_TESTS_FAKE_LEDGER_H
#define CRIGATE_TESTS_FAKE_LEDGER_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

struct ledger_line {
    struct ledger_line *next;
    grpc_slice method;
    uint64_t calls, requests, ended, cancelled, cancelled_at_ns, open;
    grpc_byte_buffer *last;        /* request; NULL before the first */
    bool keeps;                    /* every request, not only the last */
    struct bytes kept;             /* what those said, each as a field 1 */
    grpc_metadata_array *steering; /* taken for each call's metadata; NULL: the call's own is. Kept
                                      for good, since calls borrow from it */
};

struct ledger {
    struct ledger_line *lines;
};

/* The line of `method`, made at need; it stays. */
struct ledger_line *ledger_find(struct ledger *ledger, grpc_slice method);

/* One more request; the line owns `request` from now on. */
void ledger_request(struct ledger_line *line, grpc_byte_buffer *request);

/* Keeps what the request says, when the line keeps. */
void ledger_keep(struct ledger_line *line, grpc_slice request);

/* A call's client has closed its side in good order. */
void ledger_ended(struct ledger_line *line);

/* A call was cancelled now. */
void ledger_cancelled(struct ledger_line *line);

/* Steers the method's later calls: `text` has the lines after the method's. */
void ledger_steer(struct ledger_line *line, const char *text);

/* The line as text, for /fake.Fake/Saw; the caller owns the slice. */
grpc_slice ledger_text(const struct ledger_line *line);

#endif
