/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the audit file made of whole, durable lines: opens, repairs, appends, undoes. */
#include "audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>

#include "audit/record.h"
#include "base/say.h"

/* A crash leaves at most one group behind the last newline, and a group is at most the queue. */
#define TORN_MAX ((off_t)16 * 1024 * 1024)

static int fail(const struct audit_file *file, int errnum, struct err *err)
{
    return err_set_errno(err, errnum, "audit log %s", file->path);
}

/* Makes the file's entry in its directory durable. */
static int sync_directory(const struct audit_file *file, struct err *err)
{
    OWNED_MEM char *copy = strdup(file->path);
    if (!copy)
        return fail(file, ENOMEM, err);
    char *slash = strrchr(copy, '/');
    const char *parent = ".";
    if (slash) {
        slash[slash == copy] = '\0';
        parent = copy;
    }
    OWNED_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system whose directories cannot be synced, where nothing more can be done. */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return fail(file, errno, err);
    return 0;
}

static int not_ours(const struct audit_file *file, struct err *err)
{
    return err_set(err,
                   "audit log %s: holds something else: it does not end in a record; move it away",
                   file->path);
}

/* The offset behind the last newline before `end`, -1 on failure. */
static off_t last_line_end(const struct audit_file *file, int fd, off_t end, struct err *err)
{
    char chunk[16 * 1024];
    off_t at = end;
    while (at > 0) {
        if (end - at >= TORN_MAX)
            return not_ours(file, err);
        size_t size = at < (off_t)sizeof(chunk) ? (size_t)at : sizeof(chunk);
        ssize_t got = pread(fd, chunk, size, at - (off_t)size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)size)
            return fail(file, got < 0 ? errno : EIO, err);
        const char *newline = memrchr(chunk, '\n', size);
        if (newline)
            return at - (off_t)size + (newline - chunk) + 1;
        at -= (off_t)size;
    }
    return 0;
}

/* Whether what is behind the last newline may be the start of a record, or a hole that the crash
 * left in its place. 1, 0, or -1 on failure. */
static int looks_torn(const struct audit_file *file, int fd, off_t at, struct err *err)
{
    static const char start[] = RECORD_START;
    char found[sizeof(start) - 1];
    ssize_t got;
    do
        got = pread(fd, found, sizeof(found), at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(file, errno, err);
    for (ssize_t i = 0; i < got; i++) {
        if (found[i] != start[i] && found[i] != '\0')
            return 0;
    }
    return 1;
}

/* Cuts what a failed group or a crash left behind the last whole record. */
static int repair(struct audit_file *file, int fd, const struct stat *st, struct err *err)
{
    off_t size = st->st_size;
    if (file->cut.needed && file->cut.dev == st->st_dev && file->cut.ino == st->st_ino &&
        file->cut.end < size) {
        size = file->cut.end;
        if (ftruncate(fd, size) < 0)
            return fail(file, errno, err);
    }
    off_t end = last_line_end(file, fd, size, err);
    if (end < 0)
        return -1;
    if (end < size) {
        int torn = looks_torn(file, fd, end, err);
        if (torn <= 0)
            return torn < 0 ? -1 : not_ours(file, err);
        if (ftruncate(fd, end) < 0)
            return fail(file, errno, err);
        say_warn("audit log %s: cut %jd bytes of a torn last line", file->path,
                 (intmax_t)(size - end));
    }
    file->cut.needed = false;
    return 0;
}

int audit_file_open(struct audit_file *file, struct err *err)
{
    if (file->fd >= 0)
        return 0;
    /* Not blocking, lest a FIFO or a device holds the open; it changes nothing for a file. */
    OWNED_FD int fd =
        open(file->path,
             O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0 && errno == ELOOP)
        return err_set(err, "audit log %s: is a symbolic link; name the file itself", file->path);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(file, errno, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, "audit log %s: not a regular file", file->path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? err_set(err,
                             "audit log %s: another process holds its lock; is a second "
                             "crigate running?",
                             file->path)
                   : fail(file, errno, err);
    if (fstat(fd, &st) < 0)
        return fail(file, errno, err);
    if (repair(file, fd, &st, err) < 0 || sync_directory(file, err) < 0)
        return -1;
    file->fd = steal_fd(&fd);
    return 0;
}

/* Cuts the unfinished group off and closes; what cannot be cut now is cut at the next open. */
static int undo(struct audit_file *file, int errnum, struct err *err)
{
    struct stat st;
    if (fstat(file->fd, &st) == 0 && st.st_size > file->start &&
        ftruncate(file->fd, file->start) < 0) {
        file->cut.needed = true;
        file->cut.dev = st.st_dev;
        file->cut.ino = st.st_ino;
        file->cut.end = file->start;
    }
    audit_file_close(file);
    return fail(file, errnum, err);
}

int audit_file_begin(struct audit_file *file, struct err *err)
{
    struct stat st;
    if (audit_file_open(file, err) < 0)
        return -1;
    if (fstat(file->fd, &st) == 0 && st.st_nlink == 0) {
        audit_file_close(file);
        if (audit_file_open(file, err) < 0)
            return -1;
    }
    if (fstat(file->fd, &st) < 0) {
        int errnum = errno;
        audit_file_close(file);
        return fail(file, errnum, err);
    }
    file->start = st.st_size;
    return 0;
}

/* Moves past `written` bytes; returns how many parts are used up. */
static size_t parts_skip(struct iovec *parts, size_t count, size_t written)
{
    size_t done = 0;
    while (done < count && written >= parts[done].iov_len)
        written -= parts[done++].iov_len;
    if (done < count) {
        parts[done].iov_base = (char *)parts[done].iov_base + written;
        parts[done].iov_len -= written;
    }
    return done;
}

int audit_file_write(struct audit_file *file, struct iovec *parts, size_t count, struct err *err)
{
    while (count > 0) {
        ssize_t written = writev(file->fd, parts, (int)count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return undo(file, written < 0 ? errno : EIO, err);
        size_t done = parts_skip(parts, count, (size_t)written);
        parts += done;
        count -= done;
    }
    return 0;
}

int audit_file_commit(struct audit_file *file, struct err *err)
{
    int failed;
    do
        failed = fdatasync(file->fd);
    while (failed < 0 && errno == EINTR);
    return failed < 0 ? undo(file, errno, err) : 0;
}

void audit_file_close(struct audit_file *file)
{
    if (file->fd >= 0)
        close(steal_fd(&file->fd));
}
