/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the next file of a log by the link in its first line. */
#include "cli/audit_successor.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>

#include "audit/record_scan.h"
#include "base/say.h"
#include "base/sha256.h"
#include "cli/audit_files.h"

int successor_open(const char *path, int *fd, struct err *err)
{
    struct stat info;
    OWNED_FD int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (opened < 0 && errno == ENOENT)
        return 0;
    if (opened < 0 || fstat(opened, &info) < 0)
        return err_set_errno(err, errno, "%s cannot be read", path);
    if (!S_ISREG(info.st_mode))
        return err_set(err, "%s is no regular file: only such can be followed", path);
    *fd = steal_fd(&opened);
    return 1;
}

/* The length of the first line without its newline, in `buf`; -1: there is no whole line. A line
 * that is too long counts as whole, and is no record. */
static ssize_t first_line(int fd, char buf[RECORD_MAX])
{
    ssize_t got = pread(fd, buf, RECORD_MAX, 0);
    const char *newline = got > 0 ? memchr(buf, '\n', (size_t)got) : NULL;
    if (newline)
        return newline - buf;
    return got == (ssize_t)RECORD_MAX ? got : -1;
}

static bool carries(int fd, const char *hash)
{
    char buf[RECORD_MAX];
    struct record_scan scan;
    ssize_t len = first_line(fd, buf);
    return len > 0 && record_scan((struct str){.data = buf, .len = (size_t)len}, &scan) &&
           str_eq(scan.prev, str_of(hash));
}

/* Among the rotated files. False: none carries the hash. */
static bool find_rotated(const char *path, const char *hash, int *fd)
{
    OWNED(globfree) glob_t found = {0};
    OWNED_MEM char *pattern = audit_files_rotated(path, "");
    if (!pattern || glob(pattern, 0, NULL, &found) != 0)
        return false;
    for (size_t i = found.gl_pathc; i-- > 0;) { /* the latest come last */
        OWNED_FD int candidate = -1;
        if (successor_open(found.gl_pathv[i], &candidate, NULL) > 0 && carries(candidate, hash)) {
            *fd = steal_fd(&candidate);
            return true;
        }
    }
    return false;
}

enum successor successor_find(const char *path, const struct stat *current, struct str last,
                              int *fd, struct err *err)
{
    OWNED_FD int live = -1;
    struct stat info;
    char buf[RECORD_MAX], hash[SHA256_HEX_SIZE];
    int opened = successor_open(path, &live, err);
    if (opened <= 0)
        return opened < 0 ? SUCCESSOR_ERROR : SUCCESSOR_MISSING;
    if (fstat(live, &info) < 0) {
        err_set_errno(err, errno, "%s", path);
        return SUCCESSOR_ERROR;
    }
    if (info.st_dev == current->st_dev && info.st_ino == current->st_ino)
        return SUCCESSOR_SAME;
    if (first_line(live, buf) < 0)
        return SUCCESSOR_EMPTY;
    if (last.len && sha256_hex(last, hash, err) < 0)
        return SUCCESSOR_ERROR;
    if (last.len && !carries(live, hash)) {
        if (find_rotated(path, hash, fd))
            return SUCCESSOR_FOUND;
        say_warn("%s does not begin where the file before it ended: records may be missing", path);
    }
    *fd = steal_fd(&live);
    return SUCCESSOR_FOUND;
}
