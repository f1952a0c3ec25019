/* SPDX-License-Identifier: Apache-2.0 */
/* Reads crigate.yaml: paths, who may connect, where the node's labels are from; all findings in one
 * run. */
#include "config/settings.h"

#include <errno.h>
#include <sys/un.h>

#include "base/file.h"
#include "config/quantity.h"
#include "config/settings_parse.h"
#include "config/unique.h"

#define SETTINGS_FILE_MAX ((size_t)1024 * 1024)
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

enum { LISTEN, UPSTREAM, POLICY, PEERS, NODE, AUDIT, HTTP, CONFINE, KEY_COUNT };
static const struct str keys[KEY_COUNT] = {{"listen", 6}, {"upstream", 8}, {"policy", 6},
                                           {"peers", 5},  {"node", 4},     {"audit", 5},
                                           {"http", 4},   {"confine", 7}};

bool settings_read_path(struct reader *reader, const struct yaml_node *node, const char *what,
                        size_t most, const char **path)
{
    struct str text;
    if (!reader_text(reader, node, what, most, &text))
        return false;
    if (text.data[0] != '/') {
        reader_error(reader, node, "write it from the root: /...", "%s must be an absolute path",
                     what);
        return false;
    }
    *path = text.data;
    return true;
}

/* The kubelet takes any runtime behind such a path for CRI-O and talks to it in another way. */
static bool looks_like_crio(const char *path)
{
    static const char tail[] = "run/crio/crio.sock";
    size_t len = strlen(path);
    return len >= sizeof(tail) - 1 && strcmp(path + len - (sizeof(tail) - 1), tail) == 0;
}

static void read_sockets(struct reader *reader, const struct yaml_node *root,
                         const struct yaml_node *const values[KEY_COUNT], struct settings *settings)
{
    const struct yaml_node *listen = values[LISTEN], *upstream = values[UPSTREAM];
    bool has_listen =
        reader_need(reader, root, listen, "listen", "the socket that the kubelet connects to") &&
        settings_read_path(reader, listen, "listen", SOCKET_PATH_MAX, &settings->listen);
    bool has_upstream =
        reader_need(reader, root, upstream, "upstream", "containerd's socket") &&
        settings_read_path(reader, upstream, "upstream", SOCKET_PATH_MAX, &settings->upstream);
    if (has_upstream && strpbrk(settings->upstream, "%?#"))
        reader_error(reader, upstream, "give the socket a name without them",
                     "upstream: gRPC reads %%, ? and # in a socket's path as parts of a URI");
    if (has_listen && looks_like_crio(settings->listen))
        reader_error(reader, listen, "name it otherwise, such as /run/crigate/crigate.sock",
                     "the kubelet takes a socket called run/crio/crio.sock for CRI-O");
    if (has_listen && has_upstream && strcmp(settings->listen, settings->upstream) == 0)
        reader_error(reader, upstream, NULL,
                     "upstream is the same socket as listen: calls would come back for ever");
}

bool settings_take_id(const struct yaml_node *node, uint32_t *id)
{
    uint64_t number;
    if (node->kind != YAML_SCALAR || node->type != YAML_NUMBER ||
        !quantity_whole(node->text, &number) || number >= SETTINGS_NO_ID)
        return false;
    *id = (uint32_t)number;
    return true;
}

static bool read_uid(struct reader *reader, const struct yaml_node *node, uint32_t *uid)
{
    bool is_uid = settings_take_id(node, uid);
    if (!is_uid)
        reader_error(reader, node, NULL, "a uid is a number from 0 to 4294967294");
    return is_uid;
}

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct reader *reader = cookie;
    (void)earlier;
    reader_error(reader, node, NULL, "uid %.*s is given twice", DIAG_TEXT(node->text));
}

static void read_peers(struct reader *reader, const struct yaml_node *node,
                       struct settings *settings)
{
    static const struct str peer_keys[] = {{"uids", 4}};
    const struct yaml_node *list;
    if (!reader_mapping(reader, node, "peers", peer_keys, 1, &list) ||
        !reader_need(reader, node, list, "peers.uids", NULL) ||
        !reader_collection(reader, list, YAML_SEQUENCE, "peers.uids"))
        return;
    uint32_t *uids = reader_room(reader, list->count, sizeof(*uids));
    const struct yaml_node **nodes =
        reader_room(reader, list->count, sizeof(const struct yaml_node *));
    if (!uids || !nodes)
        return;
    size_t count = 0;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        if (!read_uid(reader, item, &uids[count]))
            continue;
        nodes[count++] = item;
    }
    unique_check_array(nodes, count, report_twice, reader);
    settings->peer_uids = uids;
    settings->peer_uid_count = count;
}

static void read_kubernetes(struct reader *reader, const struct yaml_node *node,
                            struct settings *settings)
{
    static const struct str kubernetes_keys[] = {{"kubeconfig", 10}, {"cache", 5}};
    const struct yaml_node *values[2];
    if (!reader_mapping(reader, node, "node.labels.kubernetes", kubernetes_keys,
                        COUNT_OF(kubernetes_keys), values))
        return;
    if (reader_need(reader, node, values[0], "node.labels.kubernetes.kubeconfig",
                    "the kubelet's own will do, such as /etc/kubernetes/kubelet.conf"))
        settings_read_path(reader, values[0], "node.labels.kubernetes.kubeconfig",
                           SETTINGS_PATH_MAX, &settings->kubeconfig);
    if (values[1])
        settings_read_path(reader, values[1], "node.labels.kubernetes.cache", SETTINGS_PATH_MAX,
                           &settings->labels_cache);
}

static void read_labels(struct reader *reader, const struct yaml_node *node,
                        struct settings *settings)
{
    static const struct str label_keys[] = {{"file", 4}, {"kubernetes", 10}};
    const struct yaml_node *values[2];
    if (!reader_mapping(reader, node, "node.labels", label_keys, COUNT_OF(label_keys), values))
        return;
    if (node->count == 0)
        reader_error(reader, node, "leave it out, or give file, kubernetes or both",
                     "node.labels names no source");
    if (values[0])
        settings_read_path(reader, values[0], "node.labels.file", SETTINGS_PATH_MAX,
                           &settings->node_labels_file);
    if (values[1])
        read_kubernetes(reader, values[1], settings);
}

static void read_node(struct reader *reader, const struct yaml_node *node,
                      struct settings *settings)
{
    static const struct str node_keys[] = {{"name", 4}, {"labels", 6}};
    const struct yaml_node *values[2];
    struct str name;
    if (!reader_mapping(reader, node, "node", node_keys, COUNT_OF(node_keys), values))
        return;
    /* an empty name is the host's */
    if (values[0] && reader_string(reader, values[0], "node.name", &name) && name.len &&
        reader_text(reader, values[0], "node.name", 253, &name))
        settings->node_name = name.data;
    if (values[1])
        read_labels(reader, values[1], settings);
}

static void read_settings(struct reader *reader, const struct yaml_node *root,
                          struct settings *settings)
{
    static const uint32_t root_uid = 0;
    const struct yaml_node *values[KEY_COUNT];
    bool confine = true;
    settings->peer_uids = &root_uid;
    settings->peer_uid_count = 1;
    if (!reader_mapping(reader, root, "the settings", keys, KEY_COUNT, values))
        return;
    read_sockets(reader, root, values, settings);
    if (reader_need(reader, root, values[POLICY], "policy", "the path of the policy file"))
        settings_read_path(reader, values[POLICY], "policy", SETTINGS_PATH_MAX, &settings->policy);
    if (values[PEERS])
        read_peers(reader, values[PEERS], settings);
    if (values[NODE])
        read_node(reader, values[NODE], settings);
    if (values[CONFINE] && reader_boolean(reader, values[CONFINE], "confine", &confine))
        settings->unconfined = !confine;
    if (reader_need(reader, root, values[AUDIT], "audit", "add `audit: {file: PATH}`"))
        settings_read_audit(reader, values[AUDIT], &settings->audit);
    if (values[HTTP])
        settings_read_http(reader, values[HTTP], &settings->http);
}

static int fail_whole(struct diags *diags, struct diag_source *source, const struct err *err)
{
    diags_add(diags, DIAG_ERROR, source, (struct place){0}, NULL, "%s", err->text);
    return -1;
}

/* The kubelet calls its Node by the host's name in lower case. */
static int name_host(struct settings *settings, struct err *err)
{
    char name[256];
    if (gethostname(name, sizeof(name)))
        return err_set_errno(err, errno, "node.name is not given and the host has no name");
    name[sizeof(name) - 1] = '\0';
    for (char *c = name; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    settings->node_name = arena_str(&settings->arena, str_of(name)).data;
    return settings->node_name ? 0 : err_set(err, "memory is out");
}

int settings_load(const char *path, struct diags *diags, struct settings *settings)
{
    OWNED(settings_free) struct settings loaded = {0};
    struct diag_source source = {.path = path};
    struct reader reader = {.source = &source, .diags = diags, .arena = &loaded.arena};
    struct err err;
    size_t first = diags->count;
    if (file_read(path, SETTINGS_FILE_MAX, &loaded.arena, &source.text, &err))
        return fail_whole(diags, &source, &err);
    const struct yaml_node *root = yaml_read(&source, YAML_ONE_DOCUMENT, &loaded.arena, diags);
    if (root)
        read_settings(&reader, root, &loaded);
    diags_sort(diags, first);
    if (!root || diags_failed(diags))
        return -1;
    if (!loaded.node_name && name_host(&loaded, &err))
        return fail_whole(diags, &source, &err);
    *settings = loaded;
    loaded = (struct settings){0};
    return 0;
}

void settings_free(struct settings *settings)
{
    arena_free(&settings->arena);
    *settings = (struct settings){0};
}
