/* SPDX-License-Identifier: Apache-2.0 */
/* Imports the embedded image by `ctr`, looks for images and removes them by the CRI. */
#include "cli/verify_image.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/verify_call.h"
#include "cli/verify_message.h"
#include "cli/verify_stop.h"
#include "gate/wire.h"
#include "probe/image.h"

#define CALL_MS 20000
#define IMPORT_TIME "60s"
#define LISTED_MS 10000 /* the CRI hears of an import a moment later */
#define NAP_MS 20
#define SAID_MAX ((size_t)400)

extern char **environ;

int verify_image_find(const char *gate, const char *image, enum image_presence *presence,
                      struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct wire_field field;
    struct answer answer = verify_call(gate, VERIFY_IMAGE "ImageStatus",
                                       verify_image_request(image, &arena), CALL_MS, &arena);
    if (answer.code != GRPC_STATUS_OK)
        return err_set(err, "containerd does not tell whether it has the image %s: %.*s", image,
                       STR_FMT(answer.message));
    bool found = wire_find(answer.reply, 1, &field) && wire_is_bytes(&field, 1);
    *presence = found ? IMAGE_PRESENT : IMAGE_ABSENT;
    return 0;
}

/* --- ctr -------------------------------------------------------------------------------------- */

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* The archive in a file without a name, to be read from its start. */
static int open_archive(struct err *err)
{
    OWNED_FD int fd = memfd_create("crigate-verify-image", MFD_CLOEXEC);
    if (fd < 0 || write_all(fd, probe_image_archive, probe_image_size) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0)
        return err_set_errno(err, errno, "the probe's image cannot be put into memory");
    return steal_fd(&fd);
}

/* Reads the archive from `in`; what it says goes to `out`. */
static int spawn_ctr(const char *containerd, int in, int out, pid_t *pid, struct err *err)
{
    const char *const words[] = {"ctr",      "--timeout",   IMPORT_TIME, "--address",
                                 containerd, "--namespace", "k8s.io",    "images",
                                 "import",   "-",           NULL};
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return err_set_errno(err, failed, "ctr cannot be started");
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    failed = posix_spawnp(pid, "ctr", &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT)
        return err_set(err, "the probe's image is imported by `ctr`, which is not in $PATH: it "
                            "comes with containerd; or name an image that is there with --image");
    return failed ? err_set_errno(err, failed, "ctr cannot be started") : 0;
}

/* The last line that ctr said tells why. */
static int explain_ctr(int out, struct err *err)
{
    char said[SAID_MAX];
    off_t end = lseek(out, 0, SEEK_END);
    off_t from = end > (off_t)sizeof(said) ? end - (off_t)sizeof(said) : 0;
    ssize_t length = pread(out, said, sizeof(said), from);
    while (length > 0 && said[length - 1] == '\n')
        length--;
    const char *newline = length > 0 ? memrchr(said, '\n', (size_t)length) : NULL;
    const char *line = newline ? newline + 1 : said;
    return err_set(err, "the probe's image could not be imported: %.*s",
                   length > 0 ? (int)(said + length - line) : 0, line);
}

static int import(const char *containerd, struct err *err)
{
    OWNED_FD int in = open_archive(err);
    if (in < 0)
        return -1;
    OWNED_FD int out = memfd_create("crigate-verify-ctr", MFD_CLOEXEC);
    pid_t pid;
    int status;
    if (out < 0)
        return err_set_errno(err, errno, "memory for the words of ctr");
    if (spawn_ctr(containerd, in, out, &pid, err) < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_set_errno(err, errno, "ctr cannot be waited for");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : explain_ctr(out, err);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int wait_until_listed(const char *gate, struct err *err)
{
    const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
    for (int waited = 0; waited < LISTED_MS; waited += NAP_MS) {
        enum image_presence presence;
        if (verify_stop_asked())
            return err_set(err, "stopped by a signal");
        if (verify_image_find(gate, probe_image_id, &presence, err) < 0)
            return -1;
        if (presence == IMAGE_PRESENT)
            return 0;
        nanosleep(&nap, NULL);
    }
    return err_set(err,
                   "ctr imported the probe's image %s, and containerd's CRI does not list it: are "
                   "the gate's containerd and the one it was imported to the same?",
                   probe_image_name);
}

int verify_image_bring(const char *gate, const char *containerd, struct err *err)
{
    enum image_presence presence;
    if (verify_image_find(gate, probe_image_id, &presence, err) < 0)
        return -1;
    if (presence == IMAGE_PRESENT)
        return 0;
    if (import(containerd, err) < 0)
        return -1;
    return wait_until_listed(gate, err);
}

int verify_image_remove(const char *gate, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct answer answer =
        verify_call(gate, VERIFY_IMAGE "RemoveImage", verify_image_request(probe_image_id, &arena),
                    CALL_MS, &arena);
    if (answer.code == GRPC_STATUS_OK || answer.code == GRPC_STATUS_NOT_FOUND)
        return 0;
    return err_set(err,
                   "the probe's image %s is left behind (%.*s): run this again, which removes it, "
                   "or `crictl rmi %s`",
                   probe_image_name, STR_FMT(answer.message), probe_image_name);
}
