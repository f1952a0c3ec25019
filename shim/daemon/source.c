/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file and compares it by its hash with what it held before. */
#include "daemon/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

/* It has been written to since `before`: what was read may be half of it. */
static bool is_written(int fd, const struct stat *before)
{
    struct stat now;
    return fstat(fd, &now) < 0 || now.st_size != before->st_size ||
           now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* A pipe would hold up whoever waits for its other end: opened without waiting, it is refused. */
static enum source_look read_now(const struct source *source, struct arena *arena, struct str *text,
                                 struct err *err)
{
    struct stat info;
    OWNED_FD int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        bool gone = errno == ENOENT || errno == ENOTDIR;
        err_set_errno(err, errno, "%s: it cannot be opened%s", source->path,
                      errno == EACCES ? " (if its directory was moved there, restart crigate)"
                                      : "");
        return gone ? SOURCE_GONE : SOURCE_UNREADABLE;
    }
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        err_set(err, "%s: it is not a regular file", source->path);
        return SOURCE_UNREADABLE;
    }
    if (file_read_fd(fd, source->most, arena, text, err)) {
        err_wrap(err, "%s", source->path);
        return SOURCE_UNREADABLE;
    }
    if (is_written(fd, &info)) {
        err_set(err, "%s: it was written to while it was read", source->path);
        return SOURCE_UNREADABLE;
    }
    return SOURCE_OTHER;
}

enum source_look source_look(struct source *source, struct arena *arena, struct str *text,
                             struct err *err)
{
    char sha256[SHA256_HEX_SIZE] = "";
    enum source_look look = read_now(source, arena, text, err);
    if (look == SOURCE_OTHER && sha256_hex(*text, sha256, err)) {
        err_wrap(err, "%s", source->path);
        look = SOURCE_UNREADABLE;
    }
    if (look == source->last && strcmp(sha256, source->sha256) == 0)
        return SOURCE_SAME;
    source->last = look;
    strcpy(source->sha256, sha256);
    return look;
}

void source_forget(struct source *source)
{
    source->last = SOURCE_SAME;
}
