/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program: kills it in front of the DIE_AT-th call that changes a directory or
 * makes something durable, as a power cut would.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(void)
{
    static long calls;
    const char *at = getenv("DIE_AT");
    if (at && ++calls == atol(at))
        raise(SIGKILL);
}

#define REPLACE(name, parameters, arguments)                                \
    int name parameters                                                     \
    {                                                                       \
        int(*real) parameters = (int(*) parameters)dlsym(RTLD_NEXT, #name); \
        count();                                                            \
        return real arguments;                                              \
    }

REPLACE(fsync, (int fd), (fd))
REPLACE(rename, (const char *from, const char *to), (from, to))
REPLACE(unlink, (const char *path), (path))
REPLACE(rmdir, (const char *path), (path))
REPLACE(mkdir, (const char *path, mode_t mode), (path, mode))
