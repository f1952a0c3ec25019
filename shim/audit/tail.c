/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for the last newlines from the end, chunk by chunk. */
#include "audit/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/queue.h"
#include "base/sha256.h"

/* A crash leaves at most one group behind the last newline: the queue, and the log's own records.
 */
#define TORN_MAX ((off_t)AUDIT_QUEUE_MAX + 1024 * 1024)

off_t tail_line_end(int fd, off_t end)
{
    char chunk[16 * 1024];
    off_t at = end;
    while (at > 0) {
        if (end - at >= TORN_MAX)
            return TAIL_ENDLESS;
        size_t size = at < (off_t)sizeof(chunk) ? (size_t)at : sizeof(chunk);
        ssize_t got = pread(fd, chunk, size, at - (off_t)size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got >= 0 && got != (ssize_t)size)
            errno = EIO;
        if (got != (ssize_t)size)
            return -1;
        const char *newline = memrchr(chunk, '\n', size);
        if (newline)
            return at - (off_t)size + (newline - chunk) + 1;
        at -= (off_t)size;
    }
    return 0;
}

int tail_hash(int fd, off_t end, const char *path, char hash[RECORD_HASH_SIZE], struct err *err)
{
    off_t start = tail_line_end(fd, end - 1);
    if (start == TAIL_ENDLESS)
        return err_set(err, "audit log %s: its last line is no record", path);
    if (start < 0)
        return err_set_errno(err, errno, "audit log %s", path);
    size_t length = (size_t)(end - start);
    OWNED_MEM char *line = malloc(length);
    if (!line)
        return err_set_errno(err, ENOMEM, "audit log %s", path);
    ssize_t got = pread(fd, line, length, start);
    if (got != (ssize_t)length)
        return err_set_errno(err, got < 0 ? errno : EIO, "audit log %s", path);
    return sha256_hex((struct str){.data = line, .len = length}, hash, err);
}
