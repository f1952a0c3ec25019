/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files to their end rather than trusting their size: /proc and pipes have none. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FIRST_ROOM ((size_t)64 * 1024)

/* What the file says it holds, with a byte to find its end by. */
static size_t first_room(int fd, size_t most)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        (uintmax_t)info.st_size < most)
        return (size_t)info.st_size + 1;
    return FIRST_ROOM;
}

static ssize_t read_some(int fd, char *buf, size_t size)
{
    ssize_t got;
    do {
        got = read(fd, buf, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

int file_read_fd(int fd, size_t most, struct arena *arena, struct str *text, struct err *err)
{
    OWNED_MEM char *buf = NULL;
    size_t used = 0, room = 0;
    for (;;) {
        if (used == room) {
            room = room ? room * 2 : first_room(fd, most);
            char *larger = realloc(buf, room);
            if (!larger)
                return err_set(err, "memory is out");
            buf = larger;
        }
        ssize_t got = read_some(fd, buf + used, room - used);
        if (got < 0)
            return err_set_errno(err, errno, "it cannot be read");
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > most)
            return err_set(err, "it is larger than %zu bytes", most);
    }
    struct str copy = arena_str(arena, (struct str){.data = buf, .len = used});
    if (!copy.data)
        return err_set(err, "memory is out");
    *text = copy;
    return 0;
}

int file_read(const char *path, size_t most, struct arena *arena, struct str *text, struct err *err)
{
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "it cannot be opened");
    return file_read_fd(fd, most, arena, text, err);
}
