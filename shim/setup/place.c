/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces a file: temporary beside it, fsync, rename, fsync of the directory. */
#include "setup/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/file.h"

#define ATTRIBUTES_MAX 4096 /* bytes of names; and of one value times sixteen */

/* A path's directory and its temporary neighbour. */
struct neighbours {
    char dir[PATH_MAX], temporary[PATH_MAX];
};

static int find_neighbours(const char *path, struct neighbours *found, struct err *err)
{
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash - path) : 0;
    const char *name = slash ? slash + 1 : path;
    int first = snprintf(found->dir, sizeof(found->dir), "%.*s", slash ? dir_len + !dir_len : 1,
                         slash ? path : ".");
    int second = snprintf(found->temporary, sizeof(found->temporary), "%.*s.%s.crigate-new",
                          slash ? dir_len + 1 : 0, path, name);
    if (first < 0 || second < 0 || (size_t)first >= sizeof(found->dir) ||
        (size_t)second >= sizeof(found->temporary))
        return err_set(err, "%s: the path is too long", path);
    return 0;
}

const char *place_join(const char *root, const char *path, struct arena *arena)
{
    size_t root_len = strlen(root), len = strlen(path);
    char *joined = arena_alloc(arena, root_len + len + 1);
    if (joined) {
        memcpy(joined, root, root_len);
        memcpy(joined + root_len, path, len + 1);
    }
    return joined;
}

/* The longest part of `path` that is there, resolved. */
static bool resolve_front(const char *path, char resolved[PATH_MAX])
{
    char front[PATH_MAX];
    if (strlen(path) >= sizeof(front))
        return false;
    strcpy(front, path);
    while (!realpath(front, resolved)) {
        char *slash = strrchr(front, '/');
        if (!slash || slash == front)
            return false;
        *slash = '\0';
    }
    return true;
}

static bool is_inside(const char *root, const char *path)
{
    char real_root[PATH_MAX], real[PATH_MAX];
    if (!realpath(root, real_root) || !resolve_front(path, real))
        return false;
    size_t len = strlen(real_root);
    return len == 1 || (strncmp(real, real_root, len) == 0 && (!real[len] || real[len] == '/'));
}

const char *place_find(const char *root, const char *path, struct arena *arena, struct err *err)
{
    char real[PATH_MAX];
    const char *joined = place_join(root, path, arena);
    if (joined && *root && !is_inside(root, joined)) {
        err_set(err, "%s: it is not inside %s: a symbolic link leads out", joined, root);
        return NULL;
    }
    if (joined && realpath(joined, real))
        joined = place_join("", real, arena);
    if (!joined)
        err_set(err, "memory is out");
    return joined;
}

int place_read(const char *path, struct arena *arena, struct placed *file, struct err *err)
{
    struct placed found = {.exists = true};
    struct stat info;
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        *file = (struct placed){.text = STR("")};
        return 0;
    }
    if (fd < 0 || fstat(fd, &info) < 0)
        return err_set_errno(err, errno, "%s", path);
    if (!S_ISREG(info.st_mode))
        return err_set(err, "%s is not a regular file", path);
    if (file_read_fd(fd, PLACE_FILE_MAX, arena, &found.text, err) < 0)
        return err_wrap(err, "%s", path);
    found.mode = info.st_mode & 07777;
    found.uid = info.st_uid;
    found.gid = info.st_gid;
    *file = found;
    return 0;
}

static int write_all(int fd, struct str bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t put = write(fd, bytes.data + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        done += (size_t)put;
    }
    return 0;
}

static int copy_attribute(int from, int to, const char *name)
{
    char value[16 * ATTRIBUTES_MAX];
    ssize_t len = fgetxattr(from, name, value, sizeof(value));
    if (len < 0)
        return errno == ENODATA ? 0 : -1;
    return fsetxattr(to, name, value, (size_t)len, 0);
}

/* A filesystem without attributes has none to copy. */
static int copy_attributes(const char *path, int to)
{
    char names[ATTRIBUTES_MAX];
    OWNED_FD int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return errno == ENOENT ? 0 : -1;
    ssize_t len = flistxattr(from, names, sizeof(names));
    if (len < 0)
        return errno == ENOTSUP ? 0 : -1;
    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1) {
        if (copy_attribute(from, to, names + i) < 0)
            return -1;
    }
    return 0;
}

static int fill(int fd, const char *path, const struct placed *file)
{
    if (write_all(fd, file->text) < 0 || copy_attributes(path, fd) < 0 ||
        fchown(fd, file->uid, file->gid) < 0 || fchmod(fd, file->mode) < 0)
        return -1;
    return fsync(fd);
}

static int sync_dir(const char *dir)
{
    OWNED_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

static int replace(const char *path, const struct placed *file, const char *temporary)
{
    OWNED_FD int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fill(fd, path, file) < 0 || rename(temporary, path) < 0) {
        int error = errno;
        unlink(temporary);
        errno = error;
        return -1;
    }
    return 0;
}

int place_put(const char *path, const struct placed *file, struct err *err)
{
    struct neighbours near;
    if (find_neighbours(path, &near, err) < 0)
        return -1;
    if (unlink(near.temporary) < 0 && errno != ENOENT && errno != ENOTDIR)
        return err_set_errno(err, errno, "%s cannot be removed", near.temporary);
    int rc = file->exists ? replace(path, file, near.temporary) : unlink(path);
    if (rc < 0 && (file->exists || errno != ENOENT))
        return err_set_errno(err, errno, "%s cannot be %s", path,
                             file->exists ? "written" : "removed");
    if (sync_dir(near.dir) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "%s cannot be synced", near.dir);
    return 0;
}

void place_sweep(const char *path)
{
    struct neighbours near;
    if (find_neighbours(path, &near, NULL) == 0)
        unlink(near.temporary);
}

bool place_has_dir(const char *path)
{
    struct neighbours near;
    return find_neighbours(path, &near, NULL) == 0 && access(near.dir, F_OK) == 0;
}

int place_make_dir(const char *path, mode_t mode, struct err *err)
{
    struct neighbours near, around;
    if (find_neighbours(path, &near, err) < 0 || find_neighbours(near.dir, &around, err) < 0)
        return -1;
    if (mkdir(near.dir, mode) == 0)
        return sync_dir(around.dir) < 0
                   ? err_set_errno(err, errno, "%s cannot be synced", around.dir)
                   : 0;
    return errno == EEXIST ? 0 : err_set_errno(err, errno, "directory %s cannot be made", near.dir);
}
