/* SPDX-License-Identifier: Apache-2.0 */
/* A child whose output goes to memory files, so that nothing has to be pumped while it runs. */
#include "setup/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "base/file.h"

extern char **environ;

static int wait_for(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return 0;
}

/* Kills the child when its time is over. */
static int wait_until(pid_t pid, int timeout_ms, int *status, bool *killed)
{
    OWNED_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int64_t end = deadline_now_ms() + timeout_ms, left = timeout_ms;
    int rc = fd < 0 ? 1 : 0; /* a kernel before 5.3: waits as long as it takes */
    while (rc == 0 && left > 0) {
        rc = poll(&ready, 1, (int)left);
        if (rc < 0 && errno == EINTR)
            rc = 0;
        left = end - deadline_now_ms();
    }
    *killed = rc == 0;
    if (*killed)
        kill(pid, SIGKILL);
    return wait_for(pid, status);
}

static int start(const char *const *argv, int out, int errors, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!error)
        error = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int read_back(int fd, struct arena *arena, struct str *text, struct err *err)
{
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_set_errno(err, errno, "its output cannot be read");
    return file_read_fd(fd, PROCESS_OUTPUT_MAX, arena, text, err);
}

int process_run(const char *const *argv, int timeout_ms, struct arena *arena,
                struct process_result *result, struct err *err)
{
    OWNED_FD int out = memfd_create("output", MFD_CLOEXEC);
    OWNED_FD int errors = memfd_create("errors", MFD_CLOEXEC);
    if (out < 0 || errors < 0)
        return err_set_errno(err, errno, "%s: no room for its output", argv[0]);
    pid_t pid;
    int error = start(argv, out, errors, &pid), status = 0;
    bool killed = false;
    if (error)
        return err_set_errno(err, error, "%s cannot be run", argv[0]);
    if (wait_until(pid, timeout_ms, &status, &killed) < 0)
        return err_set_errno(err, errno, "%s cannot be waited for", argv[0]);
    if (killed)
        return err_set(err, "%s %s did not end within %d s", argv[0], argv[1] ? argv[1] : "",
                       timeout_ms / 1000);
    if (read_back(out, arena, &result->output, err) < 0 ||
        read_back(errors, arena, &result->errors, err) < 0)
        return err_wrap(err, "%s", argv[0]);
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}

bool process_exists(const char *name)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        char file[PATH_MAX];
        int put = snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, name);
        if (put > 0 && (size_t)put < sizeof(file) && access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}
