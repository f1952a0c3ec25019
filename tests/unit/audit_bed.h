/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test bed for the audit log: a directory that goes away with the test, records that are waited
 * for, the log's own words caught, and system calls that fail when told to.
 */
#ifndef CRIGATE_TESTS_AUDIT_BED_H
#define CRIGATE_TESTS_AUDIT_BED_H

#include <semaphore.h>

#include <jansson.h>

#include "audit/audit.h"
#include "audit/record.h"

static inline void own_json(json_t **value)
{
    json_decref(*value);
}

struct bed {
    char dir[64], path[128];
    struct audit_options options; /* of the next bed_open(); the path is set by bed_make() */
    struct audit *audit;
    int said; /* the daemon's log, caught */
    char text[65536];
};

/* One record and its outcome. */
struct outcome {
    sem_t told;
    int times;
    bool failed;
    struct err err;
};

/* Set by a test, read by the fdatasync() and ftruncate() that stand in for the C library's. */
struct faults {
    _Atomic int fdatasync_errno; /* not 0: it fails so */
    _Atomic int ftruncate_errno; /* not 0: it fails so */
    _Atomic bool hold;           /* fdatasync() waits for `go` */
    sem_t held, go;              /* it waits now; it may go on */
    _Atomic unsigned syncs;      /* fdatasync() calls so far */
};
extern struct faults faults;

/* Makes the directory, names the file in it; opens nothing. */
void bed_make(struct bed *bed);
void bed_open(struct bed *bed);

/* Closes the log if it is open and removes the directory. */
void bed_free(struct bed *bed);

/* Mounts a file system of its own, `size` as tmpfs takes it, over the directory; it goes away with
 * the process. */
void bed_mount(struct bed *bed, const char *size);

/* Hands over one record; bed_wait() gives its outcome, within 20 s or the test fails. */
void bed_send(struct bed *bed, struct outcome *outcome);
void bed_wait(struct outcome *outcome);

/* Both in one step: the cause, or NULL when it is durable. Valid until the next call. */
const char *bed_record(struct bed *bed);

/* Every line of the file is a whole record; returns how many there are but for those that the log
 * writes of itself, with their seq in `seqs` (room for 4096). */
size_t bed_read(const struct bed *bed, long *seqs);

/* Every line of the file is a record of which `prev` is the hash of the line before it; that of the
 * first is `head`, which becomes the hash of the last. Returns the number of lines. */
size_t bed_chain(const char *path, char head[RECORD_HASH_SIZE]);

/* The first record of the type in the file, or NULL; the caller frees it. */
json_t *bed_find(const char *path, const char *type);

/* What the daemon's log has been told so far. */
const char *bed_said(struct bed *bed);

#endif
