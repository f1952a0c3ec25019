/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the audit file made of whole, durable lines: opens, repairs, appends, undoes. */
#include "audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>

#include "audit/previous.h"
#include "audit/record_scan.h"
#include "audit/rotation.h"
#include "audit/tail.h"
#include "base/say.h"

static int fail(const struct audit_file *file, int errnum, struct err *err)
{
    return err_set_errno(err, errnum, "audit log %s", file->path);
}

/* The path of the directory that `path` is in; the caller frees it. NULL: memory is out. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Makes the entry of `path` in its directory durable. */
static int sync_entry(const struct audit_file *file, const char *path, struct err *err)
{
    OWNED_MEM char *parent = parent_of(path);
    if (!parent)
        return fail(file, ENOMEM, err);
    OWNED_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system whose directories cannot be synced, where nothing more can be done. */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return fail(file, errno, err);
    return 0;
}

static int take_owner(const struct audit_file *file, int fd, struct err *err)
{
    const struct audit_options *options = file->options;
    if (options->owner == (uid_t)-1 && options->group == (gid_t)-1)
        return 0;
    return fchown(fd, options->owner, options->group) < 0 ? fail(file, errno, err) : 0;
}

/* The last directory of the path only: more is a mistake in the settings. */
static int make_directory(const struct audit_file *file, struct err *err)
{
    OWNED_MEM char *parent = parent_of(file->path);
    if (!parent)
        return fail(file, ENOMEM, err);
    if (mkdir(parent, 0750) < 0)
        return errno == EEXIST ? 0 : fail(file, errno, err);
    OWNED_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fchmod(fd, 0750) < 0)
        return fail(file, errno, err);
    return take_owner(file, fd, err) < 0 ? -1 : sync_entry(file, parent, err);
}

/* Not blocking, lest a FIFO or a device holds the open; it changes nothing for a file. */
#define OPEN_FLAGS (O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/* The descriptor of the file, made if it is not there; -1 on failure. */
static int open_or_create(const struct audit_file *file, struct err *err)
{
    OWNED_FD int fd = open(file->path, OPEN_FLAGS);
    if (fd >= 0)
        return steal_fd(&fd);
    if (errno == ELOOP)
        return err_set(err, "audit log %s: is a symbolic link; name the file itself", file->path);
    if (errno != ENOENT)
        return fail(file, errno, err);
    if (make_directory(file, err) < 0)
        return -1;
    fd = open(file->path, OPEN_FLAGS | O_CREAT | O_EXCL, 0640);
    if (fd < 0 || fchmod(fd, 0640) < 0)
        return fail(file, errno, err);
    return steal_fd(&fd);
}

static int not_ours(const struct audit_file *file, struct err *err)
{
    return err_set(err,
                   "audit log %s: holds something else: it does not end in a record; move it away",
                   file->path);
}

/* Whether the line at `at` may be a record, or the start of one, or has a hole that a crash left in
 * its place. 1, 0, or -1 on failure. */
static int looks_ours(const struct audit_file *file, int fd, off_t at, struct err *err)
{
    const char *start = file->starts_with;
    char found[64];
    size_t want = strlen(start) < sizeof(found) ? strlen(start) : sizeof(found);
    ssize_t got;
    do
        got = pread(fd, found, want, at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(file, errno, err);
    for (ssize_t i = 0; i < got; i++) {
        if (found[i] != start[i] && found[i] != '\0')
            return 0;
    }
    return 1;
}

/* A log of another program, named by mistake, has whole lines too. */
static int expect_record(const struct audit_file *file, int fd, off_t end, struct err *err)
{
    off_t start = tail_line_end(fd, end - 1);
    if (start < 0)
        return start == TAIL_ENDLESS ? not_ours(file, err) : fail(file, errno, err);
    int ours = looks_ours(file, fd, start, err);
    return ours == 0 ? not_ours(file, err) : ours < 0 ? -1 : 0;
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
    off_t end = tail_line_end(fd, size);
    if (end < 0)
        return end == TAIL_ENDLESS ? not_ours(file, err) : fail(file, errno, err);
    if (end > 0 && expect_record(file, fd, end, err) < 0)
        return -1; /* nothing of another's is cut */
    if (end < size) {
        int ours = looks_ours(file, fd, end, err);
        if (ours <= 0)
            return ours < 0 ? -1 : not_ours(file, err);
        if (ftruncate(fd, end) < 0)
            return fail(file, errno, err);
        say_warn("audit log %s: cut %jd bytes of a torn last line", file->path,
                 (intmax_t)(size - end));
        file->found.bytes_cut = size - end;
    }
    file->cut.needed = false;
    file->size = end;
    return 0;
}

/* When the first line was written, as it says itself; now when it does not. */
static time_t first_time(int fd)
{
    char line[RECORD_MAX];
    ssize_t got = pread(fd, line, sizeof(line), 0);
    const char *newline = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
    struct record_scan scan;
    struct tm utc = {0};
    if (newline &&
        record_scan((struct str){.data = line, .len = (size_t)(newline - line)}, &scan) &&
        scan.time.len < 64) {
        char text[64] = "";
        memcpy(text, scan.time.data, scan.time.len);
        if (strptime(text, "%Y-%m-%dT%H:%M:%S", &utc))
            return timegm(&utc);
    }
    return time(NULL);
}

/* What the writer has to know of a file that it has not written to yet. */
static int look(struct audit_file *file, int fd, struct err *err)
{
    file->found.empty = file->size == 0;
    file->began = file->size ? first_time(fd) : time(NULL);
    if (file->size == 0)
        return previous_find(file->path, file->found.previous, file->found.head, err);
    file->found.previous[0] = '\0';
    return tail_hash(fd, file->size, file->path, file->found.head, err);
}

struct audit_file audit_file_make(const struct audit_options *options, const char *path,
                                  const char *starts_with)
{
    return (struct audit_file){
        .options = options, .path = path, .starts_with = starts_with, .fd = -1};
}

int audit_file_open(struct audit_file *file, struct err *err)
{
    if (file->fd >= 0)
        return 0;
    OWNED_FD int fd = open_or_create(file, err);
    if (fd < 0)
        return -1;
    struct stat st;
    if (fstat(fd, &st) < 0)
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
    if (take_owner(file, fd, err) < 0 || repair(file, fd, &st, err) < 0 ||
        look(file, fd, err) < 0 || sync_entry(file, file->path, err) < 0)
        return -1;
    file->fd = steal_fd(&fd);
    return 0;
}

/* What cannot be cut now is cut at the next open. */
void audit_file_undo(struct audit_file *file)
{
    struct stat st;
    if (file->fd >= 0 && fstat(file->fd, &st) == 0 && st.st_size > file->start &&
        ftruncate(file->fd, file->start) < 0) {
        file->cut.needed = true;
        file->cut.dev = st.st_dev;
        file->cut.ino = st.st_ino;
        file->cut.end = file->start;
    }
    audit_file_close(file);
}

static int give_up(struct audit_file *file, int errnum, struct err *err)
{
    audit_file_undo(file);
    return fail(file, errnum, err);
}

int audit_file_begin(struct audit_file *file, struct audit_file_found *found, struct err *err)
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
    if (st.st_size == 0)
        file->began = time(NULL); /* somebody may have truncated it */
    *found = file->found;
    found->empty = st.st_size == 0;
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
            return give_up(file, written < 0 ? errno : EIO, err);
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
    struct stat st;
    if (failed < 0 || fstat(file->fd, &st) < 0)
        return give_up(file, errno, err);
    if (st.st_nlink == 0) {
        audit_file_close(file);
        return 1;
    }
    file->found = (struct audit_file_found){0};
    return 0;
}

bool audit_file_is_due(const struct audit_file *file, time_t now)
{
    const struct audit_options *options = file->options;
    struct stat st;
    /* What is in it now: somebody may have truncated or deleted it. */
    if (file->fd < 0 || fstat(file->fd, &st) < 0 || st.st_size == 0 || st.st_nlink == 0)
        return false;
    return (options->max_size && (uint64_t)st.st_size >= options->max_size) ||
           (options->max_age_s && now - file->began >= (time_t)options->max_age_s);
}

/* Whether the path still names the file that is open. */
static bool is_in_place(const struct audit_file *file)
{
    struct stat ours, there;
    return fstat(file->fd, &ours) == 0 && lstat(file->path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int audit_file_rotate(struct audit_file *file, uint64_t seq, const struct timespec *now,
                      struct err *err)
{
    char name[NAME_MAX + 1];
    if (!is_in_place(file)) {
        audit_file_reopen(file);
        return 0;
    }
    if (rotation_rename(file->path, seq, now, name, err) < 0)
        return -1;
    audit_file_close(file);
    memcpy(file->found.previous, name, sizeof(name));
    rotation_prune(file->path, file->options->keep);
    return 0;
}

void audit_file_reopen(struct audit_file *file)
{
    char link[64], target[PATH_MAX + 1];
    struct stat st;
    if (file->fd < 0)
        return;
    bool deleted = fstat(file->fd, &st) == 0 && st.st_nlink == 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    ssize_t length = readlink(link, target, PATH_MAX);
    audit_file_close(file);
    if (length <= 0 || deleted)
        return;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    if (slash && strcmp(target, file->path) != 0)
        snprintf(file->found.previous, sizeof(file->found.previous), "%.*s", NAME_MAX, slash + 1);
}

void audit_file_close(struct audit_file *file)
{
    if (file->fd >= 0)
        close(steal_fd(&file->fd));
}
