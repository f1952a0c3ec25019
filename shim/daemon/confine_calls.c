/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allows by a list. A call that is on none fails with ENOSYS, as on a kernel without it: glibc and
 * the libraries try the newer ones first and know what to do without, which they do not after
 * EPERM. A call that no library of ours ever tries, and an intruder does, ends the process: systemd
 * starts it anew, and the kernel logs it.
 *
 * The list has whole families rather than what was seen: another libc's way to do the same must not
 * stop a node. Left out is what starts programs, changes identities, reaches into other processes,
 * or is a large piece of kernel that nobody here needs (io_uring, keys, namespaces, perf, bpf).
 */
#include "daemon/confine_calls.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* malloc names its heaps with it */
#endif

/* Names, since libseccomp may know more of them than Debian 12's: what it or this processor does
 * not know is passed over. */
static const char allowed[] =
    /* memory; mmap and mprotect are below */
    "brk munmap mremap madvise mincore msync mlock mlock2 munlock membarrier mseal "
    /* threads and time; clone is below */
    "futex futex_wait futex_wake futex_waitv futex_requeue set_robust_list get_robust_list "
    "rseq set_tid_address gettid getpid getppid sched_yield sched_getaffinity "
    "sched_setaffinity sched_getparam sched_getscheduler sched_getattr "
    "sched_get_priority_max sched_get_priority_min getcpu exit exit_group restart_syscall "
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times "
    "timerfd_create timerfd_settime timerfd_gettime map_shadow_stack "
    /* signals; tgkill is below */
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend "
    "sigaltstack signalfd signalfd4 pause "
    /* what the process asks of itself and of the system */
    "getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid "
    "getpriority getrlimit getrusage capget uname sysinfo getrandom umask arch_prctl "
    /* descriptors; ioctl is below */
    "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close "
    "close_range dup dup2 dup3 fcntl pipe pipe2 sendfile poll ppoll select pselect6 "
    "epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd "
    "eventfd2 "
    /* files, where Landlock lets it; it does not see chmod and the like, so only by descriptor */
    "open openat openat2 creat stat fstat lstat newfstatat statx statfs fstatfs access "
    "faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd mkdir mkdirat "
    "rename renameat renameat2 unlink unlinkat ftruncate fallocate fadvise64 readahead "
    "fsync fdatasync sync_file_range flock fchmod fchown inotify_init inotify_init1 "
    "inotify_add_watch inotify_rm_watch "
    /* sockets; socket is below */
    "socketpair bind listen accept accept4 connect getsockname getpeername getsockopt "
    "setsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg";

static const char hostile[] =
    /* other programs, and other processes' memory and descriptors */
    "execve execveat ptrace process_vm_readv process_vm_writev pidfd_getfd "
    /* the kernel and the machine */
    "bpf init_module finit_module delete_module kexec_load kexec_file_load reboot swapon "
    "swapoff iopl ioperm perf_event_open userfaultfd settimeofday clock_settime acct "
    /* another view of the file system, or a way around it */
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount fsconfig fspick "
    "mount_setattr setns unshare open_by_handle_at "
    /* other rights */
    "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset";

/* The kernel looks at the lower half of an int. */
#define IS_INT(value) SCMP_CMP_MASKED_EQ, 0xffffffff, (scmp_datum_t)(value)
#define HAS_NOT(flags) SCMP_CMP_MASKED_EQ, (flags), 0
#define HAS(flags) SCMP_CMP_MASKED_EQ, (flags), (flags)

/* A call with one of its arguments held to something. */
struct held {
    const char *name;
    struct scmp_arg_cmp argument;
};

struct filter {
    scmp_filter_ctx context;
    int allowed; /* calls */
    int error;   /* the first, a negative errno */
};

/* Whether there is such a call here. */
static bool add(struct filter *filter, uint32_t action, const char *name, unsigned held,
                const struct scmp_arg_cmp *argument)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0 || filter->error < 0)
        return false;
    filter->error = seccomp_rule_add_array(filter->context, action, number, held, argument);
    return true;
}

/* Names with spaces between them. Returns how many of them there are here. */
static int add_all(struct filter *filter, uint32_t action, const char *names)
{
    char name[32];
    int count = 0, len = 0;
    for (; sscanf(names, " %31s%n", name, &len) == 1; names += len)
        count += add(filter, action, name, 0, NULL);
    return count;
}

static void allow_held(struct filter *filter, const struct held *list, size_t count)
{
    const char *last = "";
    for (size_t i = 0; i < count; i++) {
        if (add(filter, SCMP_ACT_ALLOW, list[i].name, 1, &list[i].argument) &&
            strcmp(last, list[i].name) != 0)
            filter->allowed++;
        last = list[i].name;
    }
}

/* A thread is made, no process; clone3 has its flags in memory, where no filter sees them, and
 * glibc goes back to clone. Signals and limits: the own ones. */
static void allow_by_argument(struct filter *filter)
{
    const struct held list[] = {
        {"mmap", {2, HAS_NOT(PROT_EXEC)}},
        {"mprotect", {2, HAS_NOT(PROT_EXEC)}},
        {"pkey_mprotect", {2, HAS_NOT(PROT_EXEC)}},
        {"clone", {0, HAS(CLONE_VM | CLONE_THREAD)}},
        {"tgkill", {0, IS_INT(getpid())}},
        {"prlimit64", {0, IS_INT(0)}},
        {"prctl", {0, IS_INT(PR_SET_NAME)}},
        {"prctl", {0, IS_INT(PR_GET_NAME)}},
        {"prctl", {0, IS_INT(PR_SET_VMA)}},
        {"ioctl", {1, IS_INT(FIONREAD)}},
        {"ioctl", {1, IS_INT(FIONBIO)}},
        {"ioctl", {1, IS_INT(FIOCLEX)}},
        {"ioctl", {1, IS_INT(FIONCLEX)}},
        {"ioctl", {1, IS_INT(SIOCOUTQ)}},
        {"ioctl", {1, IS_INT(TCGETS)}},
        {"ioctl", {1, IS_INT(TIOCGWINSZ)}},
    };
    allow_held(filter, list, sizeof(list) / sizeof(*list));
}

/* Netlink is how getaddrinfo() learns which addresses the host has. */
static void allow_sockets(struct filter *filter, bool inet)
{
    const struct held list[] = {
        {"socket", {0, IS_INT(AF_UNIX)}},
        {"socket", {0, IS_INT(AF_INET)}},
        {"socket", {0, IS_INT(AF_INET6)}},
        {"socket", {0, IS_INT(AF_NETLINK)}},
    };
    allow_held(filter, list, inet ? sizeof(list) / sizeof(*list) : 1);
}

/* Told as a refusal, not as missing: dlopen() says so to a person. */
static void refuse_execution(struct filter *filter)
{
    static const char *const calls[] = {"mmap", "mprotect", "pkey_mprotect"};
    const struct scmp_arg_cmp executable = {2, HAS(PROT_EXEC)};
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        add(filter, SCMP_ACT_ERRNO(EACCES), calls[i], 1, &executable);
}

static void own_context(scmp_filter_ctx *context)
{
    if (*context)
        seccomp_release(*context);
}

int confine_calls(bool inet, struct err *err)
{
    OWNED(own_context) scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    struct filter filter = {.context = context};
    if (!context)
        return err_set(err, "no seccomp: out of memory");
    /* Another ABI's calls (x32, i386) have numbers of their own. */
    if (seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 ||
        seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1) < 0)
        return err_set(err, "no seccomp: it is too old, or forbidden");
    /* A tree instead of a chain, where libseccomp can: each call passes it. */
    seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    filter.allowed = add_all(&filter, SCMP_ACT_ALLOW, allowed);
    add_all(&filter, SCMP_ACT_KILL_PROCESS, hostile);
    allow_by_argument(&filter);
    allow_sockets(&filter, inet);
    refuse_execution(&filter);
    if (filter.error == 0)
        filter.error = seccomp_load(context);
    if (filter.error < 0)
        return err_set_errno(err, -filter.error, "no seccomp");
    return filter.allowed;
}
