/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a kubeconfig: from the current context to its cluster and its user. */
#include "config/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "config/kubeconfig_read.h"
#include "config/unique.h"

#define KUBECONFIG_MAX ((size_t)1024 * 1024)

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct reader *reader = cookie;
    (void)earlier;
    reader_error(reader, node, NULL, "the name \"%.*s\" is given twice in this list",
                 DIAG_TEXT(node->text));
}

/* A list of named items. */
struct listing {
    const char *list; /* "clusters" */
    const struct yaml_node *node;
    const struct yaml_node **names; /* the values of `name` */
    size_t count;
};

/* False after a finding. */
static bool read_names(struct reader *reader, struct listing *listing)
{
    if (listing->node->kind != YAML_SEQUENCE) {
        reader_error(reader, listing->node, NULL, "%s must be a list", listing->list);
        return false;
    }
    listing->names = reader_room(reader, listing->node->count, sizeof(const struct yaml_node *));
    if (!listing->names)
        return false;
    for (const struct yaml_node *item = listing->node->first; item; item = item->next) {
        const struct yaml_node *key = kubeconfig_key(item, "name");
        if (key && key->value->kind == YAML_SCALAR && key->value->type == YAML_STRING)
            listing->names[listing->count++] = key->value;
        else
            reader_error(reader, key ? key : item, NULL,
                         "each item of %s is a mapping whose name is a string", listing->list);
    }
    unique_check_array(listing->names, listing->count, report_twice, reader);
    return true;
}

static void report_absent(struct reader *reader, const struct listing *listing,
                          const struct yaml_node *reference)
{
    struct str *words = reader_room(reader, listing->count, sizeof(*words));
    char hint[READER_HINT_SIZE];
    if (!words)
        return;
    for (size_t i = 0; i < listing->count; i++)
        words[i] = listing->names[i]->text;
    reader_error(reader, reference,
                 reader_suggest(reference->value->text, words, listing->count, hint),
                 "%s has no \"%.*s\"", listing->list, DIAG_TEXT(reference->value->text));
}

/* The key of what the item has that is called like the reference's value; NULL after a finding. */
static const struct yaml_node *find_item(struct reader *reader, const struct yaml_node *root,
                                         const char *list, const char *inner,
                                         const struct yaml_node *reference)
{
    const struct yaml_node *list_key = kubeconfig_key(root, list);
    static const struct yaml_node none = {.kind = YAML_SEQUENCE};
    struct listing listing = {.list = list, .node = list_key ? list_key->value : &none};
    if (!read_names(reader, &listing))
        return NULL;
    for (const struct yaml_node *item = listing.node->first; item; item = item->next) {
        const struct yaml_node *name = kubeconfig_key(item, "name");
        if (!name || !str_eq(name->value->text, reference->value->text))
            continue;
        const struct yaml_node *key = kubeconfig_key(item, inner);
        if (key && key->value->kind == YAML_MAPPING)
            return key;
        reader_error(reader, key ? key : name, NULL, "the %s of \"%.*s\" must be a mapping", inner,
                     DIAG_TEXT(reference->value->text));
        return NULL;
    }
    report_absent(reader, &listing, reference);
    return NULL;
}

/* The key of a name that must be given; NULL after a finding. */
static const struct yaml_node *need_name(struct kubeconfig_reading *reading,
                                         const struct yaml_node *mapping, const char *name,
                                         const char *hint)
{
    const struct yaml_node *key;
    size_t errors_before = reading->reader.diags->errors;
    bool is_given = kubeconfig_text(reading, mapping, name, &key);
    if (!is_given && reading->reader.diags->errors == errors_before)
        reader_error(&reading->reader, mapping, hint, "%s is missing", name);
    return is_given ? key : NULL;
}

/* What says that the file is something else. */
static bool is_config(struct reader *reader, const struct yaml_node *root)
{
    static const struct {
        const char *name;
        struct str value;
    } marks[] = {{"kind", {"Config", 6}}, {"apiVersion", {"v1", 2}}};
    if (root->kind != YAML_MAPPING) {
        reader_error(reader, root, NULL, "this is no kubeconfig");
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        const struct yaml_node *key = kubeconfig_key(root, marks[i].name);
        if (key && (key->value->kind != YAML_SCALAR || !str_eq(key->value->text, marks[i].value))) {
            reader_error(reader, key, NULL, "this is no kubeconfig: its %s is not %s",
                         marks[i].name, marks[i].value.data);
            return false;
        }
    }
    return true;
}

static void read_root(struct kubeconfig_reading *reading, const struct yaml_node *root)
{
    struct reader *reader = &reading->reader;
    if (!is_config(reader, root))
        return;
    const struct yaml_node *current =
        need_name(reading, root, "current-context", "name one of the contexts");
    const struct yaml_node *context =
        current ? find_item(reader, root, "contexts", "context", current) : NULL;
    if (!context)
        return;
    const struct yaml_node *cluster_name =
        need_name(reading, context->value, "cluster", "name one of the clusters");
    const struct yaml_node *user_name =
        need_name(reading, context->value, "user", "name one of the users");
    const struct yaml_node *cluster =
        cluster_name ? find_item(reader, root, "clusters", "cluster", cluster_name) : NULL;
    const struct yaml_node *user =
        user_name ? find_item(reader, root, "users", "user", user_name) : NULL;
    if (cluster)
        kubeconfig_read_cluster(reading, cluster);
    if (user)
        kubeconfig_read_user(reading, user);
}

/* The folder that relative paths begin in; -1 when memory or the working directory is lost. */
static int find_folder(const char *path, struct arena *arena, const char **folder, struct err *err)
{
    OWNED_MEM char *here = NULL;
    if (path[0] != '/') {
        here = getcwd(NULL, 0);
        if (!here)
            return err_set_errno(err, errno, "the working directory cannot be told");
    }
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 0;
    char *made = arena_alloc(arena, strlen(path) + (here ? strlen(here) : 0) + 2);
    if (!made)
        return err_set(err, "memory is out");
    sprintf(made, "%s%s%.*s", here ? here : "", here && slash ? "/" : "", len, path);
    *folder = made;
    return 0;
}

static enum kubeconfig_outcome fail_whole(struct diags *diags, struct diag_source *source,
                                          const struct err *err)
{
    diags_add(diags, DIAG_ERROR, source, (struct place){0}, NULL, "%s", err->text);
    return KUBECONFIG_WRONG;
}

enum kubeconfig_outcome kubeconfig_load(const char *path, struct diags *diags,
                                        struct kubeconfig *config)
{
    OWNED_ARENA struct arena scratch = {0};
    OWNED(kubeconfig_free) struct kubeconfig loaded = {0};
    struct diag_source source = {.path = path, .holds_secrets = true};
    struct kubeconfig_reading reading = {
        .reader = {.source = &source, .diags = diags, .arena = &scratch}, .config = &loaded};
    struct err err;
    size_t first = diags->count;
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return KUBECONFIG_MISSING;
    if (fd < 0) {
        err_set_errno(&err, errno, "it cannot be opened");
        return fail_whole(diags, &source, &err);
    }
    if (file_read_fd(fd, KUBECONFIG_MAX, &scratch, &source.text, &err) ||
        find_folder(path, &scratch, &reading.folder, &err))
        return fail_whole(diags, &source, &err);
    const struct yaml_node *root = yaml_read(&source, YAML_ONE_DOCUMENT, &scratch, diags);
    if (root)
        read_root(&reading, root);
    diags_sort(diags, first);
    if (!root || diags_failed(diags))
        return KUBECONFIG_WRONG;
    *config = loaded;
    loaded = (struct kubeconfig){0};
    return KUBECONFIG_READ;
}

void kubeconfig_free(struct kubeconfig *config)
{
    arena_free(&config->arena);
    *config = (struct kubeconfig){0};
}
