/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Node lists, watch events and Status objects, strictly where labels are concerned. */
#include "kubernetes/node_object.h"

#include <jansson.h>

#include "base/label_syntax.h"
#include "base/writer.h"

/* A node with all of the feature discovery's labels has some 300. */
#define LABELS_MAX ((size_t)10000)
#define VERSION_MAX ((size_t)64)
/* A NUL may stand in an annotation; in a label it is an error as any other wrong character. */
#define LOAD_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)
#define HTTP_GONE 410
#define HTTP_NOT_FOUND 404

static void own_json(json_t **value)
{
    json_decref(*value);
}
#define OWNED_JSON OWNED(own_json)

static struct str str_from(const json_t *value)
{
    if (!json_is_string(value))
        return STR("");
    return (struct str){.data = json_string_value(value), .len = json_string_length(value)};
}

static bool is_text(const json_t *value, struct str text)
{
    return json_is_string(value) && str_eq(str_from(value), text);
}

static json_t *load(struct str text, struct err *err)
{
    json_error_t error;
    json_t *root = json_loadb(text.data, text.len, LOAD_FLAGS, &error);
    if (root)
        return root;
    char reason[256];
    struct writer writer = writer_make(reason, sizeof(reason));
    writer_str(&writer, str_of(error.text));
    err_set(err, "no JSON that an API server writes: %s, at byte %d", reason, error.position);
    return NULL;
}

/* `where` is "item" or "object", for messages. */
static int fail(struct err *err, const char *where, const char *what)
{
    return err_set(err, "the %s %s", where, what);
}

/* --- parts ------------------------------------------------------------------------------- */

static int copy_label(const char *key, const json_t *value, struct arena *arena,
                      struct label *label, struct err *err)
{
    const char *fault = label_key_fault(str_of(key));
    if (fault)
        return err_set(err, "a label's key %s", fault);
    if (!json_is_string(value))
        return err_set(err, "the label %s is no text", key);
    fault = label_value_fault(str_from(value));
    if (fault)
        return err_set(err, "the value of the label %s %s", key, fault);
    label->key = arena_str(arena, str_of(key));
    label->value = arena_str(arena, str_from(value));
    return label->key.data && label->value.data ? 0 : err_set(err, "memory is out");
}

static int read_labels(json_t *metadata, struct node_object *object, struct err *err)
{
    json_t *labels = json_object_get(metadata, "labels"), *value;
    const char *key;
    struct str twice;
    size_t count = 0, room = json_object_size(labels);
    if (labels && !json_is_object(labels) && !json_is_null(labels))
        return err_set(err, "metadata.labels is no object");
    if (room > LABELS_MAX)
        return err_set(err, "the Node has %zu labels, more than %zu", room, LABELS_MAX);
    struct label *items = arena_array(&object->arena, room, sizeof(*items));
    if (!items)
        return err_set(err, "memory is out");
    json_object_foreach(labels, key, value)
    {
        if (copy_label(key, value, &object->arena, &items[count++], err))
            return -1;
    }
    if (label_set_make(items, count, &object->labels, &twice))
        return err_set(err, "the label %.*s stands twice", STR_FMT(twice));
    return 0;
}

/* It goes into the next request's URL as it is. */
static int read_version(json_t *metadata, struct node_object *object, struct err *err)
{
    struct str version = str_from(json_object_get(metadata, "resourceVersion"));
    if (version.len == 0 || version.len > VERSION_MAX)
        return err_set(err, "metadata.resourceVersion is missing or too long");
    for (size_t i = 0; i < version.len; i++) {
        char byte = version.data[i];
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.';
        if (!is_plain)
            return err_set(err, "metadata.resourceVersion is no version");
    }
    object->version = arena_str(&object->arena, version);
    return object->version.data ? 0 : err_set(err, "memory is out");
}

static int check_name(json_t *metadata, const char *node, const char *where, struct err *err)
{
    char text[512];
    struct writer writer = writer_make(text, sizeof(text));
    json_t *name = json_object_get(metadata, "name");
    if (is_text(name, str_of(node)))
        return 0;
    writer_text(&writer, "is not the Node ");
    writer_quoted(&writer, str_of(node));
    writer_text(&writer, " but ");
    writer_quoted(&writer, str_from(name));
    return fail(err, where, text);
}

/* --- a list ------------------------------------------------------------------------------ */

enum node_news node_object_from_list(struct str text, const char *node, struct node_object *object,
                                     struct err *err)
{
    OWNED_JSON json_t *root = load(text, err);
    json_t *items = json_object_get(root, "items");
    if (!root)
        return NODE_WRONG;
    if (!is_text(json_object_get(root, "kind"), STR("NodeList"))) {
        err_set(err, "the answer is no NodeList");
        return NODE_WRONG;
    }
    if (read_version(json_object_get(root, "metadata"), object, err))
        return NODE_WRONG;
    if (json_is_null(items) || (json_is_array(items) && json_array_size(items) == 0))
        return NODE_GONE;
    if (json_array_size(items) != 1) {
        err_set(err, "the list has %zu items, not the one Node", json_array_size(items));
        return NODE_WRONG;
    }
    json_t *metadata = json_object_get(json_array_get(items, 0), "metadata");
    if (check_name(metadata, node, "item", err) || read_labels(metadata, object, err))
        return NODE_WRONG;
    return NODE_LABELS;
}

/* --- an event ---------------------------------------------------------------------------- */

static void write_message(json_t *status, char *message, size_t size)
{
    struct writer writer = writer_make(message, size);
    if (is_text(json_object_get(status, "kind"), STR("Status")))
        writer_short(&writer, str_from(json_object_get(status, "message")));
}

static enum node_news read_error(json_t *status, struct err *err)
{
    char message[1024];
    json_int_t code = json_integer_value(json_object_get(status, "code"));
    write_message(status, message, sizeof(message));
    err_set(err, "the watch ended with the error %lld: %s", (long long)code, message);
    return code == HTTP_GONE ? NODE_EXPIRED : NODE_ERROR;
}

static enum node_news read_event(json_t *root, const char *node, struct node_object *object,
                                 struct err *err)
{
    json_t *type = json_object_get(root, "type"), *body = json_object_get(root, "object");
    json_t *metadata = json_object_get(body, "metadata");
    if (is_text(type, STR("ERROR")))
        return read_error(body, err);
    if (!is_text(json_object_get(body, "kind"), STR("Node"))) {
        err_set(err, "the event is not of a Node");
        return NODE_WRONG;
    }
    if (read_version(metadata, object, err))
        return NODE_WRONG;
    if (is_text(type, STR("BOOKMARK")))
        return NODE_BOOKMARK;
    if (check_name(metadata, node, "object", err))
        return NODE_WRONG;
    if (is_text(type, STR("DELETED")))
        return NODE_GONE;
    if (!is_text(type, STR("ADDED")) && !is_text(type, STR("MODIFIED"))) {
        err_set(err, "the event has a type that is not known");
        return NODE_WRONG;
    }
    return read_labels(metadata, object, err) ? NODE_WRONG : NODE_LABELS;
}

enum node_news node_object_from_event(struct str text, const char *node, struct node_object *object,
                                      struct err *err)
{
    OWNED_JSON json_t *root = load(text, err);
    return root ? read_event(root, node, object, err) : NODE_WRONG;
}

/* --- an HTTP error ----------------------------------------------------------------------- */

bool node_object_from_error(struct str text, const char *node, char *message, size_t size)
{
    OWNED_JSON json_t *root = json_loadb(text.data, text.len, LOAD_FLAGS, NULL);
    json_t *details = json_object_get(root, "details");
    write_message(root, message, size);
    return json_integer_value(json_object_get(root, "code")) == HTTP_NOT_FOUND &&
           is_text(json_object_get(root, "reason"), STR("NotFound")) &&
           is_text(json_object_get(details, "kind"), STR("nodes")) &&
           is_text(json_object_get(details, "name"), str_of(node));
}
