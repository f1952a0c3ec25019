/* SPDX-License-Identifier: Apache-2.0 */
/* Looks through units, environment files and configuration files of the kubelet. */
#include "setup/kubelet.h"

#include <glob.h>
#include <limits.h>

#include "base/writer.h"
#include "setup/kubelet_config.h"
#include "setup/kubelet_flags.h"

#define ENDPOINT_FLAG "--container-runtime-endpoint"
#define DROP_IN "90-crigate.conf"

/* Written by distributions and kubeadm for people and tools to change. */
static const char *const environment_files[] = {"/var/lib/kubelet/kubeadm-flags.env",
                                                "/etc/default/kubelet", "/etc/sysconfig/kubelet"};

static const char *const unit_patterns[] = {
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d/*.conf",
    "/run/systemd/system/kubelet.service",
    "/run/systemd/system/kubelet.service.d/*.conf",
    "/usr/local/lib/systemd/system/kubelet.service",
    "/usr/local/lib/systemd/system/kubelet.service.d/*.conf",
    "/usr/lib/systemd/system/kubelet.service",
    "/usr/lib/systemd/system/kubelet.service.d/*.conf",
    "/lib/systemd/system/kubelet.service",
    "/lib/systemd/system/kubelet.service.d/*.conf"};

/* kubeadm; Amazon Linux 2023 and 2. */
static const char *const config_files[] = {"/var/lib/kubelet/config.yaml",
                                           "/etc/kubernetes/kubelet/config.json",
                                           "/etc/kubernetes/kubelet/kubelet-config.json"};

/* Distributions whose one program starts the kubelet and writes its files anew at each start. */
static const struct {
    const char *path, *name, *advice;
} others[] = {
    {"/etc/rancher/k3s", "k3s",
     "put `kubelet-arg: [container-runtime-endpoint=ENDPOINT]` into /etc/rancher/k3s/config.yaml, "
     "runsc into a template under /var/lib/rancher/k3s/agent/etc/containerd, and "
     "`upstream: /run/k3s/containerd/containerd.sock` into crigate's settings"},
    {"/etc/rancher/rke2", "RKE2",
     "put `kubelet-arg: [container-runtime-endpoint=ENDPOINT]` into /etc/rancher/rke2/config.yaml, "
     "runsc into a template under /var/lib/rancher/rke2/agent/etc/containerd, and "
     "`upstream: /run/k3s/containerd/containerd.sock` into crigate's settings"},
    {"/var/snap/microk8s/current/args", "MicroK8s",
     "set --container-runtime-endpoint in /var/snap/microk8s/current/args/kubelet, and runsc in "
     "containerd-template.toml beside it"},
};

struct search {
    const struct kubelet_request *request;
    struct arena *arena;
    struct kubelet_plan *plan;
    struct err *err;
    const char *config, *config_dir; /* as flags name them; NULL: none does */
};

static int memory_out(struct search *search)
{
    return err_set(search->err, "memory is out");
}

static int check_others(struct search *search)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s", search->request->root, others[i].path);
        if (access(path, F_OK) == 0)
            return err_set(search->err,
                           "this is a node of %s (%s is there), which starts the kubelet and "
                           "containerd itself and is not handled here: %s. ENDPOINT is %s. Or name "
                           "the kubelet's configuration with --kubelet-config",
                           others[i].name, path, others[i].advice, search->plan->endpoint);
    }
    return 0;
}

/* --- what may be replaced ------------------------------------------------------------------ */

static struct str without(struct str s, struct str prefix)
{
    if (!str_starts(s, prefix))
        return s;
    return (struct str){.data = s.data + prefix.len, .len = s.len - prefix.len};
}

/* "unix:///var/run/x", "unix:/run/x" and "/run/x" are one socket. */
static struct str socket_of(struct str endpoint)
{
    struct str path = without(without(endpoint, STR("unix:")), STR("//"));
    return str_starts(path, STR("/var/run/")) ? without(path, STR("/var")) : path;
}

static bool is_told(struct search *search, struct str endpoint)
{
    return str_eq(endpoint, str_of(search->plan->endpoint));
}

/* Another runtime's socket is not the gate's to stand in front of. */
static int check_replaceable(struct search *search, const char *path, uint32_t line,
                             struct str endpoint)
{
    struct str socket = socket_of(endpoint);
    if (socket.len == 0 || str_eq(socket, socket_of(str_of(search->request->upstream))) ||
        str_eq(socket, socket_of(str_of(search->request->listen))))
        return 0;
    char text[256], place[16] = "";
    struct writer writer = writer_make(text, sizeof(text));
    writer_short(&writer, endpoint);
    if (line)
        snprintf(place, sizeof(place), ":%u", line);
    return err_set(search->err,
                   "%s%s: the kubelet's runtime is at %s, which is not the gate's `upstream` (%s): "
                   "name that socket in crigate's settings if it is containerd's, and run this "
                   "again",
                   path, place, text, search->request->upstream);
}

static int add_edit(struct search *search, const char *path, const struct placed *before,
                    const struct placed *after)
{
    struct kubelet_plan *plan = search->plan;
    if (plan->count == KUBELET_EDITS_MAX)
        return err_set(search->err, "%s: too many files name the kubelet's runtime", path);
    plan->edits[plan->count++] = (struct edit){.stage = EDIT_KUBELET,
                                               .path = path,
                                               .before = *before,
                                               .after = *after,
                                               .mark = search->request->listen};
    return 0;
}

/* --- flags --------------------------------------------------------------------------------- */

/* The last one counts, as in the kubelet. A value with a variable in it is not known. */
static int note_config_flags(struct search *search, struct str text)
{
    struct {
        const char *name, **value;
    } flags[] = {{"--config", &search->config}, {"--config-dir", &search->config_dir}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct kubelet_flag flag;
        size_t at = 0;
        while (kubelet_flag_next(text, flags[i].name, &at, &flag)) {
            if (flag.value.len == 0 || flag.value.data[0] != '/' ||
                memchr(flag.value.data, '$', flag.value.len))
                continue;
            *flags[i].value = arena_str(search->arena, flag.value).data;
            if (!*flags[i].value)
                return memory_out(search);
        }
    }
    return 0;
}

static int read_node_file(struct search *search, const char *path, const char **found,
                          struct placed *file)
{
    *found = place_find(search->request->root, path, search->arena, search->err);
    return *found ? place_read(*found, search->arena, file, search->err) : -1;
}

static int look_at_environment(struct search *search, const char *path)
{
    const char *found;
    struct placed file;
    struct kubelet_flag flag;
    size_t at = 0;
    bool differs = false;
    if (read_node_file(search, path, &found, &file) < 0 || note_config_flags(search, file.text) < 0)
        return -1;
    while (kubelet_flag_next(file.text, ENDPOINT_FLAG, &at, &flag)) {
        if (flag.value.len == 0)
            return err_set(search->err,
                           "%s:%u: the value of " ENDPOINT_FLAG " is written in a way that is not "
                           "changed here: write it behind \"=\" without quotes, and run this again",
                           found, flag.line);
        if (check_replaceable(search, found, flag.line, flag.value) < 0)
            return -1;
        differs = differs || !is_told(search, flag.value);
    }
    if (!differs)
        return 0;
    struct placed after = file;
    after.text = kubelet_flag_set(file.text, ENDPOINT_FLAG, search->plan->endpoint, search->arena);
    return after.text.data ? add_edit(search, found, &file, &after) : memory_out(search);
}

/* Units belong to packages and to the administrator: they are read only. */
static int look_at_unit(struct search *search, const char *path)
{
    const char *found;
    struct placed file;
    struct kubelet_flag flag;
    size_t at = 0;
    if (read_node_file(search, path, &found, &file) < 0 || note_config_flags(search, file.text) < 0)
        return -1;
    while (kubelet_flag_next(file.text, ENDPOINT_FLAG, &at, &flag)) {
        if (!is_told(search, flag.value))
            return err_set(search->err,
                           "%s:%u: this unit gives the kubelet " ENDPOINT_FLAG ", which wins over "
                           "its configuration file: write " ENDPOINT_FLAG "=%s there, or take it "
                           "out (`systemctl edit --full kubelet`), and run this again",
                           found, flag.line, search->plan->endpoint);
    }
    return 0;
}

static int look_at_units(struct search *search, const char *pattern)
{
    char rooted[PATH_MAX];
    OWNED(globfree) glob_t matches = {0};
    int len = snprintf(rooted, sizeof(rooted), "%s%s", search->request->root, pattern);
    if (len < 0 || (size_t)len >= sizeof(rooted))
        return err_set(search->err, "%s: the path is too long", search->request->root);
    if (glob(rooted, 0, NULL, &matches) != 0)
        return 0;
    for (size_t i = 0; i < matches.gl_pathc; i++) {
        if (look_at_unit(search, matches.gl_pathv[i] + strlen(search->request->root)) < 0)
            return -1;
    }
    return 0;
}

static int look_at_flags(struct search *search)
{
    /* backwards: of two values of --config the one that an administrator wrote is kept */
    for (size_t i = sizeof(unit_patterns) / sizeof(*unit_patterns); i-- > 0;) {
        if (look_at_units(search, unit_patterns[i]) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof(environment_files) / sizeof(*environment_files); i++) {
        if (look_at_environment(search, environment_files[i]) < 0)
            return -1;
    }
    return 0;
}

/* --- configuration files ------------------------------------------------------------------- */

static const char *choose_config(const struct search *search)
{
    if (search->request->path)
        return search->request->path;
    if (search->config)
        return search->config;
    for (size_t i = 0; i < sizeof(config_files) / sizeof(*config_files); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s", search->request->root, config_files[i]);
        if (access(path, F_OK) == 0)
            return config_files[i];
    }
    return NULL;
}

static int look_at_config(struct search *search, const char *path)
{
    struct placed file;
    struct str endpoint;
    const char *found;
    if (read_node_file(search, path, &found, &file) < 0)
        return -1;
    if (!file.exists)
        return search->request->path ? err_set(search->err, "%s is not there", found) : 0;
    search->plan->where = found;
    if (kubelet_config_endpoint(found, file.text, search->arena, &endpoint, search->err) < 0 ||
        check_replaceable(search, found, 0, endpoint) < 0)
        return -1;
    if (is_told(search, endpoint))
        return 0;
    struct placed after = file;
    if (kubelet_config_set(found, file.text, search->plan->endpoint, search->arena, &after.text,
                           search->err) < 0)
        return -1;
    return add_edit(search, found, &file, &after);
}

/* One of the files in --config-dir, which is left alone unless it names a socket. */
static int look_at_drop_in(struct search *search, const char *path)
{
    struct placed file;
    struct str endpoint;
    const char *found;
    if (read_node_file(search, path, &found, &file) < 0 ||
        kubelet_config_endpoint(found, file.text, search->arena, &endpoint, search->err) < 0)
        return -1;
    return endpoint.len ? look_at_config(search, path) : 0;
}

static bool is_own(const char *path)
{
    return strcmp(strrchr(path, '/'), "/" DROP_IN) == 0;
}

static int look_at_drop_ins(struct search *search)
{
    char rooted[PATH_MAX];
    OWNED(globfree) glob_t matches = {0};
    int len =
        snprintf(rooted, sizeof(rooted), "%s%s/*.conf", search->request->root, search->config_dir);
    if (len < 0 || (size_t)len >= sizeof(rooted))
        return err_set(search->err, "%s: the path is too long", search->config_dir);
    if (glob(rooted, 0, NULL, &matches) != 0)
        return 0;
    for (size_t i = 0; i < matches.gl_pathc; i++) {
        if (!is_own(matches.gl_pathv[i]) &&
            look_at_drop_in(search, matches.gl_pathv[i] + strlen(search->request->root)) < 0)
            return -1;
    }
    return 0;
}

/* A file of our own there outlives `kubeadm upgrade`, which writes the main one anew. */
static int add_drop_in(struct search *search)
{
    char path[PATH_MAX], text[2 * PATH_MAX];
    struct placed file, after = {.exists = true, .mode = 0644, .uid = geteuid(), .gid = getegid()};
    const char *found;
    snprintf(path, sizeof(path), "%s/" DROP_IN, search->config_dir);
    if (look_at_drop_ins(search) < 0 || read_node_file(search, path, &found, &file) < 0)
        return -1;
    search->plan->where = found;
    if (file.exists)
        return look_at_config(search, path);
    snprintf(text, sizeof(text),
             "# Written by crigate setup; `crigate setup --undo` removes it.\n"
             "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
             "containerRuntimeEndpoint: %s\n",
             search->plan->endpoint);
    after.text = arena_str(search->arena, str_of(text));
    return after.text.data ? add_edit(search, found, &file, &after) : memory_out(search);
}

/* A socket's path that is itself in YAML, in JSON, in a shell and in systemd. */
static bool is_plain(const char *path)
{
    return path[strspn(
               path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")] == '\0';
}

int kubelet_plan_make(const struct kubelet_request *request, struct arena *arena,
                      struct kubelet_plan *plan, struct err *err)
{
    struct search search = {.request = request, .arena = arena, .plan = plan, .err = err};
    char endpoint[PATH_MAX];
    *plan = (struct kubelet_plan){0};
    if (!is_plain(request->listen))
        return err_set(err,
                       "the gate's socket %s has a character that setup does not write into "
                       "the kubelet's files: use letters, digits, \"/\", \".\", \"_\" and \"-\"",
                       request->listen);
    snprintf(endpoint, sizeof(endpoint), "unix://%s", request->listen);
    plan->endpoint = arena_str(arena, str_of(endpoint)).data;
    if (!plan->endpoint)
        return err_set(err, "memory is out");
    if ((!request->path && check_others(&search) < 0) || look_at_flags(&search) < 0)
        return -1;
    if (!request->path && search.config_dir)
        return add_drop_in(&search);
    const char *config = choose_config(&search);
    return config ? look_at_config(&search, config) : 0;
}
