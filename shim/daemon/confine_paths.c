/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the settings to Landlock's rules. A rule is on a directory as it is now, with all below it:
 * files are replaced by new ones, and a ConfigMap's links turn from one directory to the next.
 * What is opened by chance must not be missing, so a rule is rather a directory too wide: whoever
 * has the daemon has containerd's socket, too, which outranks any file.
 */
#include "daemon/confine_paths.h"

#include <string.h>

#include "base/say.h"
#include "base/trail.h"
#include "config/kubeconfig.h"
#include "daemon/confine_files.h"

/* --- reading ------------------------------------------------------------------------------- */

struct reading {
    struct confine_files *files;
    char last[PATH_MAX]; /* the directory that the path was lost in, if it was */
};

/* /etc, /var, /run: what is missing there, or a link, is the distribution's. */
static bool is_near_root(const char *dir)
{
    return strchr(dir + 1, '/') == NULL;
}

static void allow_directory(struct reading *reading, const char *dir)
{
    if (strcmp(dir, "/") != 0)
        confine_files_allow(reading->files, dir, CONFINE_READ);
}

static bool on_directory(void *cookie, const char *path)
{
    (void)cookie;
    (void)path;
    return true;
}

static void on_name(void *cookie, const char *dir, const char *name, bool last)
{
    struct reading *reading = cookie;
    (void)name;
    snprintf(reading->last, sizeof(reading->last), "%s", dir);
    if (last || !is_near_root(dir))
        allow_directory(reading, dir);
}

/* The directory that the file is in, those of the links that lead there, and, while it is not
 * there, the last directory on the way: what is missing will be made in it. */
static void allow_reading(struct confine_files *files, const char *path)
{
    struct reading reading = {.files = files};
    struct trail_end end;
    trail_walk(
        path, &(struct trail_watch){.directory = on_directory, .name = on_name, .cookie = &reading},
        &end);
    if (end.found)
        confine_files_allow(files, end.path, CONFINE_READ);
    else if (reading.last[0])
        allow_directory(&reading, reading.last);
}

/* --- the API server ------------------------------------------------------------------------ */

/* What libc's resolver and OpenSSL read by themselves: all of /etc, since files there, such as
 * resolv.conf, are replaced by others, and a replaced one would end the watch until a restart. */
static void allow_network(struct confine_files *files)
{
    static const char *const trees[] = {"/etc", "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates", "/usr/lib/ssl"};
    for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++)
        confine_files_allow(files, trees[i], CONFINE_READ);
    allow_reading(files, "/etc/resolv.conf");
    allow_reading(files, "/etc/hosts");
}

/* What gRPC and libc read by themselves, with the API server or without. */
static void allow_libraries(struct confine_files *files)
{
    static const char *const paths[] = {"/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo",
                                        "/sys/devices/system/cpu"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        confine_files_allow(files, paths[i], CONFINE_READ);
}

static void own_kubeconfig(struct kubeconfig *config)
{
    kubeconfig_free(config);
}

static void allow_credentials(struct confine_files *files, const char *path,
                              const struct kubeconfig *config)
{
    const char *const paths[] = {path, config->ca.file, config->certificate.file, config->key.file,
                                 config->token_file};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        if (paths[i])
            allow_reading(files, paths[i]);
    }
}

/* --- writing ------------------------------------------------------------------------------- */

static void allow_parent(struct confine_files *files, const char *path, enum confine_access access)
{
    const char *slash = strrchr(path, '/');
    OWNED_MEM char *parent = slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
    if (parent)
        confine_files_allow(files, parent, access);
}

/* Cuts `path` to its directory; false when that is the root, which no rule opens. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

/*
 * The log makes its directory anew when somebody has deleted it. While the journal takes the
 * records it can do without until a restart; where there is no journal, pods would be refused until
 * then, and the directory above is its to write, too. So is the nearest one that is there, when the
 * directory has not been made yet.
 */
static void allow_audit(struct confine_files *files, const char *path, const char *journal)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof(dir), "%s", path);
    if (!go_up(dir))
        return;
    bool made = access(dir, F_OK) == 0;
    if (made)
        confine_files_allow(files, dir, CONFINE_WRITE);
    if (made && access(journal, F_OK) == 0)
        return;
    bool inside = go_up(dir);
    while (inside && access(dir, F_OK) < 0)
        inside = go_up(dir);
    if (inside)
        confine_files_allow(files, dir, CONFINE_WRITE);
    if (!made && inside)
        say_info("the audit log's directory is not there yet: until a restart the daemon may write "
                 "to all of %s",
                 dir);
    else if (!made)
        say_warn("the directory of the audit log %s is not there, and is not made in /: make it, "
                 "and restart crigate",
                 path);
}

/* --- all of it ----------------------------------------------------------------------------- */

/* systemd's, in the kernel's name space of abstract sockets. */
static bool notifies_abstract(void)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    return socket && socket[0] == '@';
}

int confine_paths(const struct settings *settings, const char *journal, struct err *err)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(own_kubeconfig) struct kubeconfig config = {0};
    OWNED(own_confine_files) struct confine_files *files = NULL;
    const char *path = settings->kubeconfig;
    enum kubeconfig_outcome outcome =
        path ? kubeconfig_load(path, &diags, &config) : KUBECONFIG_READ;
    /* Missing: the first start on a node that has not joined its cluster, whose credentials will be
     * anywhere. Wrong: told by who needs it. */
    bool reads = outcome == KUBECONFIG_READ;
    struct confine_options options = {
        .reads = reads, .connect = path, .abstract_sockets = notifies_abstract()};
    if (confine_files_begin(&options, &files, err) < 0)
        return -1;
    if (outcome == KUBECONFIG_MISSING)
        say_info(
            "the kubeconfig %s is not there yet, and may name any file: until a restart reading "
            "is not confined",
            path);
    allow_libraries(files);
    allow_reading(files, settings->policy);
    if (settings->node_labels_file)
        allow_reading(files, settings->node_labels_file);
    if (path) {
        allow_network(files);
        allow_credentials(files, path, &config);
    }
    if (settings->labels_cache)
        allow_parent(files, settings->labels_cache, CONFINE_WRITE);
    allow_parent(files, settings->listen, CONFINE_SOCKETS);
    allow_audit(files, settings->audit.file, journal);
    return confine_files_end(files, err);
}
