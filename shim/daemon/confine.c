/* SPDX-License-Identifier: Apache-2.0 */
/* What is given up, in the order that the kernel wants; and what has to be loaded before. */
#include "daemon/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/say.h"
#include "base/sha256.h"
#include "daemon/confine_calls.h"
#include "daemon/confine_paths.h"
#include "kubernetes/api_client.h"

/* --- what is loaded while it can be -------------------------------------------------------- */

static void load_service(const char *name)
{
    char library[64];
    /* glibc has these in itself, and what is too long is no name */
    if (strcmp(name, "files") == 0 || strcmp(name, "dns") == 0 ||
        snprintf(library, sizeof(library), "libnss_%s.so.2", name) >= (int)sizeof(library))
        return;
    /* Never closed: getaddrinfo() finds it in the process. One that is not there is passed over, as
     * it does. */
    void *ignored = dlopen(library, RTLD_NOW | RTLD_NODELETE);
    (void)ignored;
}

/* The name services of nsswitch.conf(5), which getaddrinfo() would load at its first call. */
static void load_name_services(void)
{
    OWNED_FILE FILE *file = fopen("/etc/nsswitch.conf", "re");
    char line[1024];
    while (file && fgets(line, sizeof(line), file)) {
        char *rest, *word = strtok_r(line, " \t\n", &rest);
        if (!word || strcmp(word, "hosts:") != 0)
            continue;
        while ((word = strtok_r(NULL, " \t\n", &rest)) && word[0] != '#') {
            if (word[0] != '[' && !strchr(word, '/'))
                load_service(word);
        }
    }
}

/* Memory can become executable no more: what libraries load at their first use is loaded here. A
 * failure is told by whoever needs it. */
static void load_libraries(const struct settings *settings)
{
    char sha256[SHA256_HEX_SIZE];
    int ignored = sha256_hex(STR(""), sha256, NULL); /* OpenSSL's configuration and its providers */
    if (settings->kubeconfig) {
        ignored = api_client_load(NULL);
        load_name_services();
    }
    (void)ignored;
}

/* --- capabilities -------------------------------------------------------------------------- */

#define BIT(capability) (UINT64_C(1) << (capability))

/* Giving the audit log to somebody takes CAP_CHOWN. If that is another user than ours, the log is
 * opened anew, and its directory written to, against their modes. */
static uint64_t needed_capabilities(const struct settings_audit *audit)
{
    uint64_t needed = 0;
    if (audit->owner != SETTINGS_NO_ID || audit->group != SETTINGS_NO_ID)
        needed |= BIT(CAP_CHOWN);
    if (audit->owner != SETTINGS_NO_ID && audit->owner != geteuid())
        needed |= BIT(CAP_DAC_OVERRIDE);
    return needed;
}

static int drop_capabilities(uint64_t *kept, struct err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, sets) < 0)
        return err_set_errno(err, errno, "capabilities");
    *kept &= sets[0].permitted | (uint64_t)sets[1].permitted << 32;
    /* Who may not change the bounding set has none to bound; no_new_privs closes it anyhow. */
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (!(*kept & BIT(i)))
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    bool differs = false;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t set = (uint32_t)(*kept >> (32 * i));
        const struct __user_cap_data_struct wanted = {.permitted = set, .effective = set};
        differs |= memcmp(&sets[i], &wanted, sizeof(wanted)) != 0;
        sets[i] = wanted;
    }
    /* A service manager that gave us none may have forbidden the call, too. */
    if (!differs)
        return 0;
    return syscall(SYS_capset, &header, sets) < 0 ? err_set_errno(err, errno, "capabilities") : 0;
}

static const char *describe_capabilities(uint64_t kept)
{
    if (kept & BIT(CAP_DAC_OVERRIDE))
        return "no capabilities but CAP_CHOWN and CAP_DAC_OVERRIDE (for audit.owner)";
    if (kept & BIT(CAP_CHOWN))
        return "no capabilities but CAP_CHOWN (for audit.owner or group)";
    return "no capabilities";
}

/* --- what is left -------------------------------------------------------------------------- */

/* Root without capabilities is one user among others: better told now than at a reload. */
static void check_readable(const char *path)
{
    OWNED_FD int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) : -1;
    if (path && fd < 0 && (errno == EACCES || errno == EPERM))
        say_warn("%s: it cannot be read again: %s; without capabilities its mode counts: let user "
                 "%u read it",
                 path, strerror(errno), geteuid());
}

static void check_connectable(const char *path)
{
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES)
        say_warn("%s: user %u may not connect to it: without capabilities its mode counts", path,
                 geteuid());
}

static bool uses_network(const struct settings *settings)
{
    return settings->kubeconfig != NULL;
}

void confine(const struct settings *settings, const char *journal)
{
    struct err no_capabilities, no_landlock, no_seccomp;
    char landlock[sizeof(no_landlock.text)], seccomp[sizeof(no_seccomp.text)];
    if (settings->unconfined) {
        say_info("not confined, as the settings want it");
        return;
    }
    uint64_t kept = needed_capabilities(&settings->audit);
    load_libraries(settings);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int dropped = drop_capabilities(&kept, &no_capabilities);
    int abi = confine_paths(settings, journal, &no_landlock);
    int calls = confine_calls(uses_network(settings), &no_seccomp);
    snprintf(landlock, sizeof(landlock), "Landlock ABI %d", abi);
    snprintf(seccomp, sizeof(seccomp), "%d system calls", calls);
    say_info("confined: %s, %s, %s",
             dropped < 0 ? no_capabilities.text : describe_capabilities(kept),
             abi < 0 ? no_landlock.text : landlock, calls < 0 ? no_seccomp.text : seccomp);
    check_readable(settings->policy);
    check_readable(settings->node_labels_file);
    check_readable(settings->kubeconfig);
    check_connectable(settings->upstream);
}
