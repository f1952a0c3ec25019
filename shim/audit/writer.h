/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that makes lines durable, group by group: into the file; while that cannot be written,
 * into the journal; and while that does not take them either, they are lost and counted. It writes
 * the log's own records where they belong: segment.open first in each file, audit.recovered first
 * after trouble, the heartbeat each minute, `repeated` when a window is over.
 */
#ifndef CRIGATE_AUDIT_WRITER_H
#define CRIGATE_AUDIT_WRITER_H

#include "audit/chain.h"
#include "audit/file.h"
#include "audit/journal.h"
#include "audit/queue.h"
#include "audit/repeats.h"
#include "audit/second.h"

/* Since when something has been wrong, and what became of the records meanwhile. */
struct audit_trouble {
    bool now; /* the file could not be written the last time */
    bool journal_fails;
    struct timespec since; /* CLOCK_REALTIME; zero: nothing is to be told */
    struct timespec retry; /* CLOCK_MONOTONIC */
    uint64_t lost, in_journal;
    struct chain journal; /* goes on from the file's last line */
    struct err cause;
};

struct audit_writer {
    /* Set by who starts it; borrowed. */
    const struct audit_options *options;
    const struct record_origin *origin;
    struct audit_queue *queue;
    struct repeats *repeats; /* NULL: every refusal is written whole */
    struct second *second;   /* gets what the file has; NULL: there is none */

    struct audit_file file;
    struct audit_journal sink;
    bool chained;                /* the file's chain has been taken up */
    struct chain chain, settled; /* with what is being written, and without */
    uint64_t seq, settled_seq;   /* the last one given, with it and without */
    uint64_t records, lost;      /* in this run */
    uint64_t untold;             /* lost before they came here, not yet counted */
    struct audit_trouble trouble;
    struct timespec started, heartbeat, rotation; /* CLOCK_MONOTONIC; the latter two: not before */
    pthread_t thread;
};

/* Opens the file, which may fail and is then tried again, and starts the thread. */
int audit_writer_start(struct audit_writer *writer, struct err *err) MUST_CHECK;

/* Waits until all that is queued is settled (audit_queue_stop() comes first) and closes. */
void audit_writer_stop(struct audit_writer *writer);

#endif
