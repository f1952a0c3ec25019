/* SPDX-License-Identifier: Apache-2.0 */
/* A test bed for `crigate audit resend`: a directory with made logs, the command run in it, and a
 * syslog receiver. */
#ifndef CRIGATE_TESTS_RESEND_BED_H
#define CRIGATE_TESTS_RESEND_BED_H

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_RUN "00000000000000000000000000000001"
#define SECOND_RUN "00000000000000000000000000000002"

struct resend_bed {
    char dir[64];
    char out[65536], said[65536]; /* both outputs of the last command */
};

void resend_bed_make(struct resend_bed *bed);
void resend_bed_free(struct resend_bed *bed);

/* Appends records of a run of the gate; record N is of the second N after 02:00:00. */
void resend_bed_add(const struct resend_bed *bed, const char *file, const char *instance,
                    unsigned first, unsigned last);

/* The text of one record, without its newline. */
void resend_bed_record(char *line, size_t size, const char *instance, unsigned seq);

/* Writes crigate.yaml, which names DIR/audit.jsonl. */
void resend_bed_configure(const struct resend_bed *bed);

/* Runs the command with bash in the directory; its exit status. */
__attribute__((format(printf, 2, 3))) int resend_bed_run(struct resend_bed *bed, const char *format,
                                                         ...);
/* Any other command, which must succeed. */
void resend_bed_shell(const struct resend_bed *bed, const char *command);

/* What a receiver does with its one connection. */
enum manners {
    READS_ALL,        /* until the end, then closes */
    RESETS_AFTER_ONE, /* reads a little, then RST */
    CLOSES_UNREAD,    /* at once, with data unread */
    ENDS_AT_ONCE,     /* its own side, and reads nothing until receiver_stop() */
    NEVER_READS,      /* until receiver_stop() */
    READS_AND_STAYS,  /* reads all, but does not close until receiver_stop() */
};

struct receiver {
    enum manners manners;
    int listener, port;
    int stop[2]; /* a pipe; closing its writing end lets the receiver go */
    pthread_t thread;
    char *text; /* what it read, with a NUL behind it */
    size_t len;
};

/* Listens on 127.0.0.1, on a port that the kernel chooses. */
void receiver_start(struct receiver *receiver, enum manners manners);

/* Lets it go, and waits until it is done with its one connection, which must have been made;
 * `text` is then all that it read. */
void receiver_stop(struct receiver *receiver);

void receiver_free(struct receiver *receiver);

#endif
