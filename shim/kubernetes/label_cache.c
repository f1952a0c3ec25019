/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and replaces the file that keeps the last labels: {v, node, seen, labels} in JSON. */
#include "kubernetes/label_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/label_syntax.h"

#define VERSION 1
#define FILE_MAX ((size_t)8 * 1024 * 1024)

static void own_json(json_t **value)
{
    json_decref(*value);
}
#define OWNED_JSON OWNED(own_json)

/* --- reading ----------------------------------------------------------------------------- */

/* Its labels decide what runs on the host's kernel. */
static int check_file(int fd, struct err *err)
{
    struct stat stat;
    if (fstat(fd, &stat))
        return err_set_errno(err, errno, "it cannot be looked at");
    if (!S_ISREG(stat.st_mode))
        return err_set(err, "it is not a regular file");
    if (stat.st_uid != 0 && stat.st_uid != geteuid())
        return err_set(err, "it belongs to another user");
    if (stat.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, "others may write to it");
    return 0;
}

static json_t *load(int fd, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    json_error_t error;
    if (check_file(fd, err) || file_read_fd(fd, FILE_MAX, &arena, &text, err))
        return NULL;
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        err_set(err, "%d:%d: it is broken", error.line, error.column);
    return root;
}

static int take_label(const char *key, json_t *value, struct label *label)
{
    if (!json_is_string(value))
        return -1;
    label->key = str_of(key);
    label->value.data = json_string_value(value);
    label->value.len = json_string_length(value);
    return label_key_fault(label->key) || label_value_fault(label->value) ? -1 : 0;
}

/* A set of `items`, which are as many as `object` has. */
static int take_labels(json_t *object, struct label *items, struct label_set *set)
{
    const char *key;
    json_t *value;
    struct str twice;
    size_t count = 0;
    json_object_foreach(object, key, value)
    {
        if (take_label(key, value, &items[count++]))
            return -1;
    }
    return label_set_make(items, count, set, &twice);
}

static struct node_labels *make(json_t *root, int64_t now, struct err *err)
{
    json_t *object = json_object_get(root, "labels");
    int64_t seen = json_integer_value(json_object_get(root, "seen"));
    OWNED_MEM struct label *items = calloc(json_object_size(object) + 1, sizeof(*items));
    struct label_set set;
    struct node_labels *labels = NULL;
    if (items && take_labels(object, items, &set)) {
        err_set(err, "its labels are no labels");
        return NULL;
    }
    if (items)
        labels = node_labels_make(
            &set, (struct node_labels_origin){.source = "cache", .seen = seen < now ? seen : now});
    if (!labels)
        err_set(err, "memory is out");
    return labels;
}

static struct node_labels *interpret(json_t *root, const char *node, int64_t now, struct err *err)
{
    json_t *name = json_object_get(root, "node"), *seen = json_object_get(root, "seen");
    if (json_integer_value(json_object_get(root, "v")) != VERSION || !json_is_string(name) ||
        !json_is_integer(seen) || json_integer_value(seen) <= 0 ||
        !json_is_object(json_object_get(root, "labels"))) {
        err_set(err, "it is no label cache of this version");
        return NULL;
    }
    if (strcmp(json_string_value(name), node) != 0) {
        err_set(err, "it holds the labels of another node");
        return NULL;
    }
    return make(root, now, err);
}

enum label_cache_outcome label_cache_read(const char *path, const char *node, int64_t now,
                                          struct node_labels **labels, struct err *err)
{
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return LABEL_CACHE_MISSING;
    if (fd < 0) {
        err_set_errno(err, errno, "%s: it cannot be opened", path);
        return LABEL_CACHE_WRONG;
    }
    OWNED_JSON json_t *root = load(fd, err);
    struct node_labels *made = root ? interpret(root, node, now, err) : NULL;
    if (!made) {
        err_wrap(err, "%s", path);
        return LABEL_CACHE_WRONG;
    }
    *labels = made;
    return LABEL_CACHE_READ;
}

/* --- writing ----------------------------------------------------------------------------- */

static json_t *describe(const char *node, const struct label_set *labels, int64_t seen)
{
    OWNED_JSON json_t *object = json_object();
    for (size_t i = 0; object && i < labels->count; i++) {
        const struct label *label = &labels->items[i];
        json_t *value = json_stringn(label->value.data, label->value.len);
        if (json_object_setn_new(object, label->key.data, label->key.len, value))
            return NULL;
    }
    if (!object)
        return NULL;
    return json_pack("{s:i, s:s, s:I, s:O}", "v", VERSION, "node", node, "seen", (json_int_t)seen,
                     "labels", object);
}

/* Makes what happened to the file's name durable. */
static int sync_directory(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 1;
    OWNED_MEM char *parent = strndup(slash ? path : ".", len);
    if (!parent)
        return err_set(err, "memory is out");
    OWNED_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system whose directories cannot be synced, where nothing more can be done. */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return err_set_errno(err, errno, "the directory %s", parent);
    return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, text, len);
        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0) {
            text += put;
            len -= (size_t)put;
        }
    }
    return fsync(fd);
}

/* One name for the new file: what a crash leaves behind is replaced by the next one. */
static int replace(const char *path, const char *text, struct err *err)
{
    size_t size = strlen(path) + sizeof(".new");
    OWNED_MEM char *fresh = malloc(size);
    if (!fresh)
        return err_set(err, "memory is out");
    snprintf(fresh, size, "%s.new", path);
    unlink(fresh);
    OWNED_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return err_set_errno(err, errno, "no new file can be made beside it");
    if (write_all(fd, text, strlen(text)) || rename(fresh, path)) {
        int error = errno;
        unlink(fresh);
        return err_set_errno(err, error, "it cannot be replaced");
    }
    return sync_directory(path, err);
}

int label_cache_write(const char *path, const char *node, const struct label_set *labels,
                      int64_t seen, struct err *err)
{
    OWNED_JSON json_t *root = describe(node, labels, seen);
    OWNED_MEM char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
    if (!text)
        err_set(err, "memory is out");
    return text && !replace(path, text, err) ? 0 : err_wrap(err, "%s", path);
}

int label_cache_remove(const char *path, struct err *err)
{
    if (unlink(path) == 0)
        return sync_directory(path, err) ? err_wrap(err, "%s", path) : 0;
    return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s: it cannot be removed", path);
}
