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

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "audit/audit.h"
#include "audit/record.h"
#include "base/own.h"

/* What a group begins with. All but `empty` is told once, by the first group after an open. */
struct audit_file_found {
    bool empty;                  /* nothing is in the file */
    char head[RECORD_HASH_SIZE]; /* of the last line; of an empty file, that of the file before */
    char previous[NAME_MAX + 1]; /* of an empty file: the name of the file before, "" for none */
    off_t bytes_cut;             /* of a torn last line */
};

struct audit_file {
    const struct audit_options *options; /* borrowed: path, owner, limits */
    const char *path;                    /* borrowed */
    const char *starts_with;             /* how each of its lines begins, borrowed */
    int fd;                              /* -1: not open */
    off_t start;                         /* where the group that is being written begins */
    off_t size;                          /* what was in it when it was opened */
    time_t began;                        /* when its first line was written */
    struct audit_file_found found;       /* not yet told */
    struct {
        bool needed; /* a failed group could not be cut off yet */
        dev_t dev;
        ino_t ino;
        off_t end; /* what belongs to the log ends here */
    } cut;
};

/* A file that is not open yet. `starts_with` is what a line begins with, for the check that a torn
 * line is one of ours. All is borrowed. */
struct audit_file audit_file_make(const struct audit_options *options, const char *path,
                                  const char *starts_with);

/*
 * Opens the file; does nothing when it is open. When it is not there it is created, with mode 0640
 * whatever the umask, and so is its directory, with 0750; both get the owner that the options name,
 * and their entries are made durable. Bytes behind the last newline, which a crash left there, are
 * cut and warned of; if they, or
 * the last line, do not begin as a record of ours, it is another's file, and an error.
 */
int audit_file_open(struct audit_file *file, struct err *err) MUST_CHECK;

/*
 * One group is begin, writes, commit. Begin opens the file if it has to, and anew if it was
 * deleted; commit returns when all of the group is durable. Each of them, when it fails, has undone
 * the group: the caller tells the group's records and begins another.
 */
int audit_file_begin(struct audit_file *file, struct audit_file_found *found,
                     struct err *err) MUST_CHECK;

/* Writes all of `parts`, at most IOV_MAX, and uses them up. */
int audit_file_write(struct audit_file *file, struct iovec *parts, size_t count,
                     struct err *err) MUST_CHECK;

/* 1: somebody deleted the file while the group was written; it is closed, and the group is nowhere.
 */
int audit_file_commit(struct audit_file *file, struct err *err) MUST_CHECK;

/* Cuts the unfinished group off and closes. */
void audit_file_undo(struct audit_file *file);

/* Whether it has the size or the age at which it is to be rotated; not while a group is written. */
bool audit_file_is_due(const struct audit_file *file, time_t now);

/* Gives it the name of a rotated file, closes it, deletes the oldest ones. The next group begins a
 * new file. When somebody else has renamed it, it is audit_file_reopen(): what has its path now is
 * not ours to rename. -1: it is as it was. `seq` is that of its last record. */
int audit_file_rotate(struct audit_file *file, uint64_t seq, const struct timespec *now,
                      struct err *err) MUST_CHECK;

/* Somebody else renamed it: closes it, and keeps its new name for the first line of the next; one
 * that was deleted has none. */
void audit_file_reopen(struct audit_file *file);

/* Safe on a closed file. */
void audit_file_close(struct audit_file *file);

#endif
