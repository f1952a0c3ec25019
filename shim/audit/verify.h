/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether lines are the log that was written: each is a record, links to the one before it, and
 * none is missing. Fed line by line, in order; what it finds is told by callback. One thread.
 *
 * A line that was altered in place is one finding, at the line itself or at the next, as long as
 * its number can still be told. What the journal took is pieces of the chain, each begun by an
 * audit.degraded that follows a line of the files.
 *
 * What a chain cannot tell: whether lines at its end are missing, and whether the last line was
 * altered. For that there is the anchor, a hash that somebody else kept: every heartbeat carries
 * the head, and every record's `prev` is one.
 */
#ifndef CRIGATE_AUDIT_VERIFY_H
#define CRIGATE_AUDIT_VERIFY_H

#include <openssl/types.h>

#include "audit/record.h"
#include "audit/segments.h"

enum verify_kind {
    VERIFY_NOTE, /* nothing is wrong */
    VERIFY_TORN,
    VERIFY_NOT_A_RECORD,
    VERIFY_BROKEN_LINK,
    VERIFY_GAP,
    VERIFY_LOST, /* the gate itself says so */
};

/* "note", "torn", "notARecord", "brokenLink", "gap", "lost". */
const char *verify_kind_name(enum verify_kind kind);

/* `text` is clean, `file` is foreign text; both are valid for the call. */
typedef void verify_found_fn(void *cookie, enum verify_kind kind, const char *file, uint64_t line,
                             const char *text);

struct verify_place {
    const char *file; /* borrowed from the segments */
    uint64_t line;    /* 0: there is none */
};

struct verify {
    verify_found_fn *found;
    void *cookie;
    const char *anchor; /* 64 lower-case hex digits to look for, or NULL */

    uint64_t records, files, starts;
    char head[RECORD_HASH_SIZE];        /* hash of the last line */
    char first_prev[RECORD_HASH_SIZE];  /* what the first record links to; empty: there is none */
    char first_time[40], last_time[40]; /* as they stand in the records: foreign text */
    const char *anchor_file;            /* borrowed from the segments */
    uint64_t anchor_line;               /* 0: not found */

    /* Its own. */
    EVP_MD_CTX *hash;
    EVP_MD *sha256;
    char instance[33];
    uint64_t seq;
    struct verify_place last, older; /* the line before the one at hand, and the one before that */
    char older_head[RECORD_HASH_SIZE]; /* hash of the older one */
    uint64_t unread;                   /* lines since the last record that are none */
    struct {
        uint64_t missing, seq; /* seq 0: it is at the line at hand */
        struct segment_line line;
    } gap;             /* that the next line may explain */
    uint64_t declared; /* records that the line at hand says are not in these files */
};

/* -1: libcrypto has no SHA-256 or no memory. */
int verify_begin(struct verify *verify, verify_found_fn *found, void *cookie, const char *anchor,
                 struct err *err) MUST_CHECK;

/* -1: no hash could be had. */
int verify_line(struct verify *verify, const struct segment_line *line, struct err *err) MUST_CHECK;

/* After the last line. */
void verify_finish(struct verify *verify);

/* Safe on a zeroed one. */
void verify_end(struct verify *verify);

#endif
