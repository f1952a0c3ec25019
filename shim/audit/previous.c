/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the last line of the file before, wherever rotation and compression have left it. */
#include "audit/previous.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/rotation.h"
#include "audit/segments.h"
#include "audit/tail.h"
#include "base/say.h"
#include "base/sha256.h"

/* Keeps a copy of each line as it comes, since the last one is known when there is no other. */
static int hash_compressed(const char *path, char head[RECORD_HASH_SIZE], struct err *err)
{
    char last[RECORD_MAX];
    size_t length = 0;
    struct segment_line line;
    OWNED(own_segments) struct segments *segments = NULL;
    if (segments_open(&path, 1, &segments, err) < 0)
        return -1;
    int more;
    while ((more = segments_next(segments, &line, err)) > 0) {
        if (line.torn || line.too_long || line.text.len >= sizeof(last))
            continue;
        memcpy(last, line.text.data, line.text.len);
        last[line.text.len] = '\n';
        length = line.text.len + 1;
    }
    if (more < 0 || length == 0)
        return more;
    return sha256_hex((struct str){.data = last, .len = length}, head, err);
}

static int hash_plain(const char *path, char head[RECORD_HASH_SIZE], struct err *err)
{
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return 0; /* its name is all there is to tell */
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "audit log %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return 0;
    off_t end = tail_line_end(fd, st.st_size);
    if (end <= 0)
        return end == 0 ? 0 : err_set(err, "audit log %s: it does not end in a record", path);
    return tail_hash(fd, end, path, head, err);
}

int previous_find(const char *path, char name[NAME_MAX + 1], char head[RECORD_HASH_SIZE],
                  struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct err cause;
    memcpy(head, RECORD_NO_HASH, RECORD_HASH_SIZE);
    if (!name[0] && !rotation_newest(path, name))
        return 0;
    OWNED_MEM char *before = NULL;
    if (asprintf(&before, "%.*s%s", (int)(slash ? slash + 1 - path : 0), path, name) < 0) {
        before = NULL;
        return err_set(err, "audit log %s: out of memory", path);
    }
    if ((rotation_is_compressed(name) ? hash_compressed : hash_plain)(before, head, &cause) < 0) {
        memcpy(head, RECORD_NO_HASH, RECORD_HASH_SIZE);
        say_warn("%s; the chain of %s begins anew behind it", cause.text, path);
    }
    return 0;
}
