/* SPDX-License-Identifier: Apache-2.0 */
/* Tells Landlock what it knows of in its version, as linux/landlock.h of newer kernels has it. */
#include "daemon/confine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Newer than the header of Debian 12: values of the kernel's interface, which do not change. */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)       /* since ABI 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15)      /* 5 */
#define CONNECT_TCP (UINT64_C(1) << 1)            /* 4 */
#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0) /* 6 */
#define SCOPE_SIGNALS (UINT64_C(1) << 1)          /* 6 */

/* struct landlock_ruleset_attr of ABI 6. An older kernel takes it as long as what it does not know
 * is zero. */
struct ruleset {
    uint64_t files, net, scopes;
};

struct confine_files {
    int fd, abi;
    uint64_t confined; /* what needs a rule */
    int error;         /* of a rule; 0: none */
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FIRST_ABI ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static const uint64_t rights[] = {
    [CONFINE_READ] = READ,
    [CONFINE_WRITE] = READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE |
                      LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                      LANDLOCK_ACCESS_FS_REMOVE_FILE,
    [CONFINE_SOCKETS] = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

/* All that a rule on a file may name. */
#define OF_A_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_TRUNCATE)

static struct ruleset describe(int abi, const struct confine_options *options)
{
    struct ruleset ruleset = {.files = FIRST_ABI};
    if (abi >= 2)
        ruleset.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        ruleset.files |= ACCESS_TRUNCATE;
    if (abi >= 4 && !options->connect)
        ruleset.net = CONNECT_TCP;
    if (abi >= 5)
        ruleset.files |= ACCESS_IOCTL_DEV;
    if (abi >= 6)
        ruleset.scopes = SCOPE_SIGNALS | (options->abstract_sockets ? 0 : SCOPE_ABSTRACT_SOCKETS);
    if (!options->reads)
        ruleset.files &= ~(uint64_t)READ;
    return ruleset;
}

int confine_files_begin(const struct confine_options *options, struct confine_files **files,
                        struct err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return err_set_errno(err, errno, "no Landlock");
    OWNED(own_confine_files) struct confine_files *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "no Landlock: out of memory");
    struct ruleset ruleset = describe((int)abi, options);
    *made = (struct confine_files){.abi = (int)abi, .confined = ruleset.files};
    made->fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
    if (made->fd < 0)
        return err_set_errno(err, errno, "no Landlock");
    *files = steal_ptr(&made);
    return 0;
}

void confine_files_allow(struct confine_files *files, const char *path, enum confine_access access)
{
    OWNED_FD int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        return;
    uint64_t allowed = rights[access] & files->confined;
    if (!S_ISDIR(info.st_mode))
        allowed &= OF_A_FILE;
    struct landlock_path_beneath_attr rule = {.allowed_access = allowed, .parent_fd = fd};
    if (allowed &&
        syscall(SYS_landlock_add_rule, files->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        files->error = errno;
}

int confine_files_end(struct confine_files *files, struct err *err)
{
    if (files->error)
        return err_set_errno(err, files->error, "no Landlock: a rule");
    if (syscall(SYS_landlock_restrict_self, files->fd, 0) < 0)
        return err_set_errno(err, errno, "no Landlock");
    return files->abi;
}

void confine_files_free(struct confine_files *files)
{
    if (!files)
        return;
    own_fd(&files->fd);
    free(files);
}
