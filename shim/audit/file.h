/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit file: groups of whole lines, appended all or not at all. A group that fails is cut off
 * again and the file closed, so that the next group starts with a fresh open; that matters after a
 * failed fdatasync(), when the kernel may hold the lost pages for clean. One thread at a time.
 *
 * The file must be a regular one: a FIFO or /dev/null would take records and keep nothing. A
 * symbolic link as its last part is refused: who can plant one would choose where the proof goes.
 * The directories above it may be links. While it is open it is locked (flock), because two
 * daemons that cut back their own failed groups would cut each other's records. An append-only
 * file (chattr +a) cannot be repaired after a crash: it then fails with EPERM.
 */
#ifndef CRIGATE_AUDIT_FILE_H
#define CRIGATE_AUDIT_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/own.h"

struct audit_file {
    const char *path; /* borrowed */
    int fd;           /* -1: not open */
    off_t start;      /* where the group that is being written begins */
    struct {
        bool needed; /* a failed group could not be cut off yet */
        dev_t dev;
        ino_t ino;
        off_t end; /* what belongs to the log ends here */
    } cut;
};

/*
 * Opens the file, created 0600 when it is not there and its entry made durable; does nothing when
 * it is open. Bytes behind the last newline, which a crash left there, are cut and warned of; if
 * they do not look like a record of ours, it is another's file, and an error.
 */
int audit_file_open(struct audit_file *file, struct err *err) MUST_CHECK;

/*
 * One group is begin, writes, commit. Begin opens the file if it has to, and anew if it was
 * deleted; commit returns when all of the group is durable. Each of them, when it fails, has undone
 * the group: the caller tells the group's records and begins another.
 */
int audit_file_begin(struct audit_file *file, struct err *err) MUST_CHECK;

/* Writes all of `parts`, at most IOV_MAX, and uses them up. */
int audit_file_write(struct audit_file *file, struct iovec *parts, size_t count,
                     struct err *err) MUST_CHECK;
int audit_file_commit(struct audit_file *file, struct err *err) MUST_CHECK;

/* Safe on a closed file. */
void audit_file_close(struct audit_file *file);

#endif
