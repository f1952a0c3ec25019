/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends the programs under test. */
#include "process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void bind_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

pid_t process_start(char *const argv[], int out, int cpu)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (cpu >= 0)
        bind_to(cpu);
    execv(argv[0], argv);
    _exit(127);
}

pid_t process_start_with_socket(char *const argv[], int socket)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    char number[16];
    snprintf(number, sizeof(number), "%d", getpid());
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || setenv("LISTEN_PID", number, 1) != 0 ||
        setenv("LISTEN_FDS", "1", 1) != 0 ||
        (socket == 3 ? fcntl(socket, F_SETFD, 0) : dup2(socket, 3)) < 0)
        _exit(127);
    execv(argv[0], argv);
    _exit(127);
}

pid_t process_start_fake(const char *program, const char *socket, int cpu)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    char *argv[] = {(char *)program, (char *)socket, NULL};
    pid_t pid = process_start(argv, ends[1], cpu);
    close(ends[1]);
    char ready;
    bool listens = pid > 0 && read(ends[0], &ready, 1) == 1;
    close(ends[0]);
    if (pid > 0 && !listens)
        process_kill(pid);
    return listens ? pid : -1;
}

bool process_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return connected;
}

void process_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
