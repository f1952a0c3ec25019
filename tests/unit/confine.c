/* SPDX-License-Identifier: Apache-2.0 */
/* A confined process, seen from inside: what still works, what fails and how, what ends it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/own.h"
#include "base/thread.h"
#include "daemon/confine.h"

#define NO_JOURNAL "/nonexistent"

/* A directory of its own for each test, and a child that is confined by settings that point to it.
 */
struct bed {
    char dir[64];
    struct settings settings;
    char policy[96], labels[96], audit[96], cache[96], listen[96], kubeconfig[96];
};

static const char *in(const struct bed *bed, const char *name)
{
    static char paths[4][160];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", bed->dir, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    OWNED_FILE FILE *file = fopen(path, "we");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    cr_assert_geq(fputs(text, file), 0);
}

static void set_up(struct bed *bed)
{
    strcpy(bed->dir, "/tmp/crigate-confine-XXXXXX");
    cr_assert_not_null(mkdtemp(bed->dir));
    for (const char *const *dir = (const char *const[]){"etc", "log", "lib", "run", "other", NULL};
         *dir; dir++)
        cr_assert_eq(mkdir(in(bed, *dir), 0700), 0);
    snprintf(bed->policy, sizeof(bed->policy), "%s/etc/policy.yaml", bed->dir);
    snprintf(bed->labels, sizeof(bed->labels), "%s/etc/labels", bed->dir);
    snprintf(bed->audit, sizeof(bed->audit), "%s/log/audit/audit.jsonl", bed->dir);
    snprintf(bed->cache, sizeof(bed->cache), "%s/lib/cache.json", bed->dir);
    snprintf(bed->listen, sizeof(bed->listen), "%s/run/c.sock", bed->dir);
    snprintf(bed->kubeconfig, sizeof(bed->kubeconfig), "%s/etc/kubeconfig", bed->dir);
    cr_assert_eq(mkdir(in(bed, "log/audit"), 0700), 0);
    write_file(bed->policy, "policy");
    write_file(in(bed, "other/secret"), "secret");
    bed->settings = (struct settings){
        .listen = bed->listen,
        .upstream = "/nonexistent",
        .policy = bed->policy,
        .node_labels_file = bed->labels,
        .audit = {.file = bed->audit, .owner = SETTINGS_NO_ID, .group = SETTINGS_NO_ID}};
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

typedef void play_fn(const struct bed *bed);

/* Says why on standard error: the child's results are its status and that. */
#define MUST(condition)                                                                \
    do {                                                                               \
        if (!(condition)) {                                                            \
            dprintf(STDERR_FILENO, "%s:%d: %s: %m\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                                  \
        }                                                                              \
    } while (0)

#define MUST_FAIL(call, error) MUST((call) < 0 && errno == (error))

static int play_with(const struct bed *bed, const char *journal, play_fn *play)
{
    int status;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        confine(&bed->settings, journal);
        play(bed);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static void must_play(const struct bed *bed, play_fn *play)
{
    int status = play_with(bed, NO_JOURNAL, play);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x", status);
}

static void play(play_fn *played)
{
    struct bed bed;
    set_up(&bed);
    must_play(&bed, played);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define CONFINED(name)                       \
    static void name(const struct bed *bed); \
    Test(confine, name, .timeout = 60)       \
    {                                        \
        play(name);                          \
    }                                        \
    static void name(const struct bed *bed)

/* Landlock's version; 0: this kernel has none, and what it would confine is open. */
static long landlock(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return abi > 0 ? abi : 0;
}

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd;
}

/* --- files --------------------------------------------------------------------------------- */

static long abi;

#define LANDLOCKED(name)                      \
    static void name(const struct bed *bed);  \
    Test(confine, name, .timeout = 60)        \
    {                                         \
        abi = landlock();                     \
        if (!abi)                             \
            cr_skip_test("no Landlock here"); \
        play(name);                           \
    }                                         \
    static void name(const struct bed *bed)

LANDLOCKED(reads_only_where_the_settings_point)
{
    MUST(try_open(bed->policy, O_RDONLY) >= 0);
    MUST_FAIL(try_open(bed->labels, O_RDONLY), ENOENT);
    MUST(try_open(in(bed, "etc"), O_RDONLY | O_DIRECTORY) >= 0);
    MUST_FAIL(try_open(in(bed, "other/secret"), O_RDONLY), EACCES);
    MUST_FAIL(try_open("/etc/passwd", O_RDONLY), EACCES);
    MUST_FAIL(try_open("/", O_RDONLY | O_DIRECTORY), EACCES);
    MUST_FAIL(try_open("/proc/self/mem", O_RDONLY), EACCES);
}

LANDLOCKED(writes_only_its_own)
{
    MUST(try_open(bed->audit, O_WRONLY | O_CREAT) >= 0);
    MUST(rename(bed->audit, in(bed, "log/audit/old")) == 0);
    MUST(unlink(in(bed, "log/audit/old")) == 0);
    MUST_FAIL(try_open(bed->policy, O_WRONLY), EACCES);
    MUST_FAIL(try_open(in(bed, "etc/new"), O_WRONLY | O_CREAT), EACCES);
    MUST_FAIL(try_open(in(bed, "other/new"), O_WRONLY | O_CREAT), EACCES);
    MUST_FAIL(try_open(in(bed, "lib/cache.json"), O_WRONLY | O_CREAT), EACCES); /* not in use */
    MUST_FAIL(unlink(in(bed, "other/secret")), EACCES);
    MUST_FAIL(mkdir(in(bed, "other/new"), 0700), EACCES);
}

/* There is no journal: the log has nothing but its file. */
LANDLOCKED(may_make_the_audit_directory_anew)
{
    MUST(mkdir(in(bed, "log/anew"), 0700) == 0);
    MUST(try_open(in(bed, "log/anew/audit.jsonl"), O_WRONLY | O_CREAT) >= 0);
}

static void write_beside_audit(const struct bed *bed)
{
    MUST(try_open(bed->audit, O_WRONLY | O_CREAT) >= 0);
    MUST_FAIL(try_open(in(bed, "log/neighbour"), O_WRONLY | O_CREAT), EACCES);
}

Test(confine, with_a_journal_the_audit_directory_is_all, .timeout = 60)
{
    struct bed bed;
    if (!landlock())
        cr_skip_test("no Landlock here");
    set_up(&bed);
    cr_expect_eq(play_with(&bed, "/", write_beside_audit), 0);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_audit_directory(const struct bed *bed)
{
    MUST(mkdir(in(bed, "log/audit"), 0700) == 0);
    MUST(try_open(bed->audit, O_WRONLY | O_CREAT) >= 0);
    MUST_FAIL(try_open(in(bed, "other/new"), O_WRONLY | O_CREAT), EACCES);
}

Test(confine, a_missing_audit_directory_can_be_made, .timeout = 60)
{
    struct bed bed;
    if (!landlock())
        cr_skip_test("no Landlock here");
    set_up(&bed);
    cr_assert_eq(rmdir(in(&bed, "log/audit")), 0);
    cr_expect_eq(play_with(&bed, "/", make_audit_directory), 0);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void read_other(const struct bed *bed)
{
    MUST(try_open(in(bed, "etc/releases/2/policy.yaml"), O_RDONLY) >= 0);
    MUST_FAIL(try_open(in(bed, "other/secret"), O_RDONLY), EACCES);
}

/* /etc/current -> releases/1, which will be releases/2; and so a ConfigMap's ..data. */
Test(confine, a_link_may_turn, .timeout = 60)
{
    struct bed bed;
    if (!landlock())
        cr_skip_test("no Landlock here");
    set_up(&bed);
    cr_assert_eq(mkdir(in(&bed, "etc/releases"), 0700), 0);
    cr_assert_eq(mkdir(in(&bed, "etc/releases/1"), 0700), 0);
    cr_assert_eq(mkdir(in(&bed, "etc/releases/2"), 0700), 0);
    write_file(in(&bed, "etc/releases/1/policy.yaml"), "1");
    write_file(in(&bed, "etc/releases/2/policy.yaml"), "2");
    cr_assert_eq(symlink("releases/1", in(&bed, "etc/current")), 0);
    snprintf(bed.policy, sizeof(bed.policy), "%s/etc/current/policy.yaml", bed.dir);
    bed.settings.node_labels_file = NULL;
    must_play(&bed, read_other);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int bind_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    strcpy(address.sun_path, path);
    return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

LANDLOCKED(makes_its_socket_and_no_other)
{
    MUST(bind_to(bed->listen) == 0);
    MUST(unlink(bed->listen) == 0);
    MUST_FAIL(bind_to(in(bed, "other/sock")), EACCES);
    MUST_FAIL(try_open(in(bed, "run/file"), O_WRONLY | O_CREAT), EACCES);
}

static void reach_abstract(const struct bed *bed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(bed->dir);
    MUST(fd >= 0);
    strcpy(address.sun_path + 1, bed->dir);
    MUST_FAIL(connect(fd, (struct sockaddr *)&address, (socklen_t)len), EPERM);
}

/* As containerd's shims have them. */
Test(confine, reaches_no_abstract_socket, .timeout = 60)
{
    struct bed bed;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (landlock() < 6)
        cr_skip_test("Landlock knows nothing of them here");
    set_up(&bed);
    strcpy(address.sun_path + 1, bed.dir);
    size_t len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(bed.dir);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, (socklen_t)len), 0);
    cr_assert_eq(listen(fd, 1), 0);
    must_play(&bed, reach_abstract);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- calls --------------------------------------------------------------------------------- */

CONFINED(no_memory_becomes_executable)
{
    OWNED_FD int fd = open(bed->policy, O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(fd >= 0 && page != MAP_FAILED);
    MUST_FAIL(mprotect(page, 4096, PROT_READ | PROT_EXEC), EACCES);
    MUST(mprotect(page, 4096, PROT_READ) == 0);
    MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED &&
         errno == EACCES);
    MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
             MAP_FAILED &&
         errno == EACCES);
}

static void *note(void *cookie)
{
    *(bool *)cookie = true;
    return NULL;
}

CONFINED(starts_threads_and_no_process)
{
    pthread_t thread;
    bool ran = false;
    (void)bed;
    MUST(thread_start(&thread, "confined", note, &ran, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0 && ran);
    MUST_FAIL(fork(), ENOSYS);
    MUST_FAIL(kill(getppid(), 0), ENOSYS);
    MUST(raise(0) == 0);
}

CONFINED(has_no_capabilities_and_no_core)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    (void)bed;
    MUST(syscall(SYS_capget, &header, sets) == 0);
    MUST(!sets[0].permitted && !sets[0].effective && !sets[0].inheritable);
    MUST(!sets[1].permitted && !sets[1].effective && !sets[1].inheritable);
    MUST_FAIL(chmod(bed->policy, 0666), ENOSYS);
}

CONFINED(without_an_api_server_there_is_no_network)
{
    (void)bed;
    MUST_FAIL(socket(AF_INET, SOCK_STREAM, 0), ENOSYS);
    MUST_FAIL(socket(AF_INET6, SOCK_DGRAM, 0), ENOSYS);
    MUST_FAIL(socket(AF_NETLINK, SOCK_RAW, 0), ENOSYS);
    MUST_FAIL(socket(AF_PACKET, SOCK_RAW, 0), ENOSYS);
}

static long hostile;

/* What no library tries ends the process, whatever its arguments. */
static void make_hostile_call(const struct bed *bed)
{
    (void)bed;
    syscall(hostile, -1, NULL, NULL, NULL, NULL, NULL);
}

Test(confine, hostile_calls_end_the_process, .timeout = 60)
{
    static const long calls[] = {SYS_execve, SYS_ptrace, SYS_mount,   SYS_bpf,
                                 SYS_setns,  SYS_setuid, SYS_unshare, SYS_init_module};
    struct bed bed;
    set_up(&bed);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        hostile = calls[i];
        int status = play_with(&bed, NO_JOURNAL, make_hostile_call);
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && !WCOREDUMP(status),
                  "call %ld ended with %#x", hostile, status);
    }
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- with other settings ------------------------------------------------------------------- */

static void use_network(const struct bed *bed)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(1)};
    OWNED_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0);
    MUST_FAIL(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), ECONNREFUSED);
    MUST(getaddrinfo("localhost", "443", &hints, &list) == 0);
    freeaddrinfo(list);
    MUST(try_open("/etc/resolv.conf", O_RDONLY) >= 0 || errno == ENOENT);
    MUST(try_open(in(bed, "pki/token"), O_RDONLY) >= 0);
    MUST(try_open(bed->cache, O_WRONLY | O_CREAT) >= 0);
    MUST(rename(bed->cache, in(bed, "lib/renamed")) == 0);
    if (abi)
        MUST_FAIL(try_open(in(bed, "other/secret"), O_RDONLY), EACCES);
}

static void set_kubeconfig(struct bed *bed)
{
    abi = landlock();
    bed->settings.kubeconfig = bed->kubeconfig;
    bed->settings.labels_cache = bed->cache;
}

Test(confine, with_an_api_server, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    set_kubeconfig(&bed);
    cr_assert_eq(mkdir(in(&bed, "pki"), 0700), 0);
    write_file(in(&bed, "pki/token"), "token");
    write_file(bed.kubeconfig, "apiVersion: v1\n"
                               "kind: Config\n"
                               "clusters: [{name: c, cluster: {server: \"https://a:6443\"}}]\n"
                               "users: [{name: u, user: {tokenFile: ../pki/token}}]\n"
                               "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
                               "current-context: x\n");
    must_play(&bed, use_network);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void read_anything(const struct bed *bed)
{
    MUST(try_open(in(bed, "other/secret"), O_RDONLY) >= 0);
    if (abi)
        MUST_FAIL(try_open(in(bed, "other/secret"), O_WRONLY), EACCES);
}

Test(confine, a_kubeconfig_to_come_may_name_any_file, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    set_kubeconfig(&bed);
    must_play(&bed, read_anything);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void give_away(const struct bed *bed)
{
    OWNED_FD int fd = open(bed->audit, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && fchown(fd, 1, 1) == 0);
    MUST(try_open(bed->audit, O_WRONLY) >= 0);
}

Test(confine, keeps_what_the_audit_owner_takes, .timeout = 60)
{
    struct bed bed;
    if (geteuid() != 0)
        cr_skip_test("only root may give files away");
    set_up(&bed);
    bed.settings.audit.owner = 1;
    must_play(&bed, give_away);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void do_anything(const struct bed *bed)
{
    MUST(try_open(in(bed, "other/secret"), O_RDWR) >= 0);
    MUST(try_open("/etc/passwd", O_RDONLY) >= 0);
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

Test(confine, not_at_all_where_told, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    bed.settings.unconfined = true;
    must_play(&bed, do_anything);
    nftw(bed.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
