/* SPDX-License-Identifier: Apache-2.0 */
/* The file that is read is watched by its inode, its path by base/follow. */
#include "cli/audit_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "base/follow.h"
#include "cli/audit_successor.h"

#define ROOM ((size_t)65536)

struct audit_tail {
    const char *path;
    int fd; /* -1: there is no file yet */
    struct stat info;
    int watch, growth; /* of the inode; the inotify instance */
    struct follow *follow;
    bool moved; /* the path may lead to another file than `fd` */

    off_t at;        /* what is before it is in `buf`, or was handed out */
    off_t start;     /* of the line that `buf` begins with */
    uint64_t number; /* of the lines handed out */
    bool skipping;   /* the rest of a line that is too long */
    size_t used;
    char buf[ROOM];
    size_t last_len;
    char last[RECORD_MAX]; /* the last whole line, its newline too; none when `last_len` is 0 */
};

static void on_moved(void *cookie)
{
    ((struct audit_tail *)cookie)->moved = true;
}

/* --- which file ---------------------------------------------------------------------------- */

/* By its descriptor: the path may lead elsewhere by now. */
static int watch_inode(struct audit_tail *tail, int fd, struct err *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int watch = inotify_add_watch(tail->growth, path, IN_MODIFY);
    if (watch < 0)
        return err_set_errno(err, errno,
                             "%s cannot be watched (for \"No space left\", raise "
                             "fs.inotify.max_user_watches)",
                             tail->path);
    if (tail->watch >= 0 && tail->watch != watch)
        inotify_rm_watch(tail->growth, tail->watch);
    tail->watch = watch;
    return 0;
}

/* Takes `fd`, as the file to read from its beginning. */
static int begin(struct audit_tail *tail, int fd, struct err *err)
{
    OWNED_FD int next = fd;
    struct stat info;
    if (fstat(next, &info) < 0)
        return err_set_errno(err, errno, "%s", tail->path);
    if (watch_inode(tail, next, err) < 0)
        return -1;
    own_fd(&tail->fd);
    tail->fd = steal_fd(&next);
    tail->info = info;
    tail->at = tail->start = 0;
    tail->number = 0;
    tail->used = 0;
    tail->skipping = false;
    return 0;
}

/* Opens what the path leads to for the first time; it may be missing. */
static int open_first(struct audit_tail *tail, struct err *err)
{
    OWNED_FD int fd = -1;
    int opened = successor_open(tail->path, &fd, err);
    return opened > 0 ? begin(tail, steal_fd(&fd), err) : opened;
}

int audit_tail_open(const char *path, struct audit_tail **tail, struct err *err)
{
    OWNED(own_audit_tail) struct audit_tail *made = malloc(sizeof(*made));
    if (!made)
        return err_set(err, "memory is out");
    memset(made, 0, offsetof(struct audit_tail, buf));
    made->path = path;
    made->last_len = 0;
    made->fd = made->watch = -1;
    made->growth = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (made->growth < 0)
        return err_set_errno(err, errno, "inotify");
    if (follow_create(&made->follow, err) < 0 ||
        follow_add_open(made->follow, path, on_moved, made, err) < 0 || open_first(made, err) < 0)
        return -1;
    *tail = steal_ptr(&made);
    return 0;
}

bool audit_tail_is_at(const struct audit_tail *tail, const struct stat *info)
{
    return tail->fd >= 0 && info->st_dev == tail->info.st_dev && info->st_ino == tail->info.st_ino;
}

bool audit_tail_has_file(const struct audit_tail *tail)
{
    return tail->fd >= 0;
}

void audit_tail_close(struct audit_tail *tail)
{
    if (!tail)
        return;
    follow_destroy(tail->follow);
    own_fd(&tail->fd);
    own_fd(&tail->growth);
    free(tail);
}

/* --- lines --------------------------------------------------------------------------------- */

static void hand_out(struct audit_tail *tail, struct str text, bool too_long, audit_tail_fn *take,
                     void *cookie)
{
    struct segment_line line = {
        .text = text, .file = tail->path, .number = ++tail->number, .too_long = too_long};
    take(cookie, &line);
}

/* `line` has its newline. */
static void take_line(struct audit_tail *tail, struct str line, audit_tail_fn *take, void *cookie)
{
    struct str text = {.data = line.data, .len = line.len - 1};
    tail->start += (off_t)line.len;
    if (tail->skipping) {
        tail->skipping = false;
        return;
    }
    tail->last_len = line.len <= RECORD_MAX ? line.len : 0;
    memcpy(tail->last, line.data, tail->last_len);
    hand_out(tail, text, line.len > RECORD_MAX, take, cookie);
}

/* What is left is longer than a line can be: it is told of now, and its rest passed over. */
static void drop_long(struct audit_tail *tail, audit_tail_fn *take, void *cookie)
{
    if (!tail->skipping)
        hand_out(tail, (struct str){.data = tail->buf, .len = tail->used}, true, take, cookie);
    tail->skipping = true;
    tail->last_len = 0;
    tail->start += (off_t)tail->used;
    tail->used = 0;
}

static void take_lines(struct audit_tail *tail, audit_tail_fn *take, void *cookie)
{
    const char *at = tail->buf, *end = tail->buf + tail->used, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        take_line(tail, (struct str){.data = at, .len = (size_t)(newline + 1 - at)}, take, cookie);
        at = newline + 1;
    }
    tail->used = (size_t)(end - at);
    memmove(tail->buf, at, tail->used);
    if (tail->used >= RECORD_MAX || (tail->skipping && tail->used > 0))
        drop_long(tail, take, cookie);
}

/* --- reading ------------------------------------------------------------------------------- */

/* 1: it got some bytes. 0: there is none. */
static int read_some(struct audit_tail *tail, audit_tail_fn *take, void *cookie, struct err *err)
{
    ssize_t got;
    do {
        got = pread(tail->fd, tail->buf + tail->used, ROOM - tail->used, tail->at);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_set_errno(err, errno, "%s", tail->path);
    if (got == 0)
        return 0;
    tail->at += got;
    tail->used += (size_t)got;
    take_lines(tail, take, cookie);
    return 1;
}

/* The gate cut off what it could not write whole, or somebody emptied the file. */
static int follow_cut(struct audit_tail *tail, struct err *err)
{
    struct stat info;
    if (fstat(tail->fd, &info) < 0)
        return err_set_errno(err, errno, "%s", tail->path);
    if (info.st_size >= tail->at)
        return 0;
    tail->at = tail->start = info.st_size < tail->start ? info.st_size : tail->start;
    tail->used = 0;
    tail->skipping = false;
    tail->last_len = 0;
    return tail->at < info.st_size;
}

/* At the end of the file. 1: another one has been begun. */
static int go_on(struct audit_tail *tail, audit_tail_fn *take, void *cookie, struct err *err)
{
    OWNED_FD int next = -1;
    struct str last = {.data = tail->last, .len = tail->last_len};
    enum successor found = successor_find(tail->path, &tail->info, last, &next, err);
    if (found == SUCCESSOR_EMPTY && inotify_add_watch(tail->growth, tail->path, IN_MODIFY) >= 0)
        found = successor_find(tail->path, &tail->info, last, &next, err); /* written by now? */
    if (found == SUCCESSOR_ERROR)
        return -1;
    if (found == SUCCESSOR_SAME || found == SUCCESSOR_MISSING)
        tail->moved = false;
    if (found != SUCCESSOR_FOUND)
        return 0;
    /* Nothing is written to a file after the first line of the next, but some may have been since
     * its end was seen. */
    int more = read_some(tail, take, cookie, err);
    if (more)
        return more;
    if (tail->used > 0) /* torn for good */
        hand_out(tail, (struct str){.data = tail->buf, .len = tail->used}, false, take, cookie);
    return begin(tail, steal_fd(&next), err) < 0 ? -1 : 1;
}

int audit_tail_read(struct audit_tail *tail, audit_tail_fn *take, void *cookie, struct err *err)
{
    if (tail->fd < 0) {
        int opened = tail->moved ? open_first(tail, err) : 0;
        tail->moved = false;
        if (opened < 0 || tail->fd < 0)
            return opened;
    }
    int more = read_some(tail, take, cookie, err);
    if (more == 0)
        more = follow_cut(tail, err);
    if (more == 0 && tail->moved)
        more = go_on(tail, take, cookie, err);
    return more;
}

int audit_tail_wait(struct audit_tail *tail, int stop_fd, struct err *err)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    struct pollfd fds[] = {{.fd = stop_fd, .events = POLLIN},
                           {.fd = STDOUT_FILENO},
                           {.fd = tail->growth, .events = POLLIN},
                           {.fd = follow_fd(tail->follow), .events = POLLIN}};
    if (poll(fds, 4, follow_timeout(tail->follow)) < 0 && errno != EINTR)
        return err_set_errno(err, errno, "poll");
    if (fds[0].revents || fds[1].revents)
        return 0;
    while (read(tail->growth, events, sizeof(events)) > 0)
        continue;
    follow_dispatch(tail->follow);
    return 1;
}
