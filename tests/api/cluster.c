/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster: one Node, its versions, and the events that watches are sent. */
#include <inttypes.h>

#include "must.h"
#include "server.h"

#define FIRST_VERSION 100

static json_t *load_sample(const char *name)
{
    char path[PATH_MAX];
    must(snprintf(path, sizeof(path), "%s/%s", API_SAMPLES, name) < (int)sizeof(path));
    json_t *value = json_load_file(path, 0, NULL);
    must(value);
    return value;
}

static json_t *metadata_of(json_t *object)
{
    return json_object_get(object, "metadata");
}

static void set_string(json_t *object, const char *key, const char *value)
{
    must(json_object_set_new(object, key, json_string(value)) == 0);
}

static void set_version(json_t *object, uint64_t version)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, version);
    set_string(metadata_of(object), "resourceVersion", text);
}

void cluster_make(struct api *api)
{
    json_t *list = load_sample("node-list.json");
    api->object = json_incref(json_array_get(json_object_get(list, "items"), 0));
    must(api->object);
    json_decref(list);
    json_t *labels = json_object_get(metadata_of(api->object), "labels");
    set_string(metadata_of(api->object), "name", api->node);
    set_string(labels, "kubernetes.io/hostname", api->node);
    set_string(api->object, "kind", "Node");
    set_string(api->object, "apiVersion", "v1");
    api->version = FIRST_VERSION;
    api->oldest = 1;
    set_version(api->object, api->version);
}

void cluster_free(struct api *api)
{
    for (size_t i = 0; i < api->event_count; i++)
        free(api->events[i].line);
    free(api->events);
    json_decref(api->object);
    json_decref(api->spare);
}

/* The lock is held, here and below. Takes the line. */
static void publish(struct api *api, struct event event)
{
    if (api->event_count == api->event_room) {
        api->event_room = api->event_room ? 2 * api->event_room : 64;
        api->events = realloc(api->events, api->event_room * sizeof(*api->events));
        must(api->events);
    }
    api->events[api->event_count++] = event;
    server_wake(api);
}

static char *make_line(const char *type, json_t *object)
{
    json_t *event = json_pack("{s:s, s:O}", "type", type, "object", object);
    must(event);
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    must(text);
    size_t len = strlen(text);
    text = realloc(text, len + 2);
    must(text);
    memcpy(text + len, "\n", 2);
    return text;
}

static void publish_node(struct api *api, const char *type)
{
    api->version++;
    if (api->padding) {
        char *filler = malloc(api->padding + 1);
        must(filler);
        memset(filler, 'x', api->padding);
        filler[api->padding] = '\0';
        set_string(metadata_of(api->object), "padding", filler); /* a field unknown to all */
        free(filler);
    }
    set_version(api->object, api->version);
    publish(api, (struct event){.version = api->version, .line = make_line(type, api->object)});
}

void api_set_labels(struct api *api, const char *labels)
{
    json_t *set = json_object();
    char *copy = strdup(labels), *rest = copy;
    must(set && copy);
    for (char *word; (word = strsep(&rest, ","));) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = '\0';
        set_string(set, word, value);
    }
    free(copy);
    pthread_mutex_lock(&api->lock);
    bool is_new = !api->object;
    if (is_new) {
        api->object = api->spare;
        api->spare = NULL;
    }
    must(json_object_set_new(metadata_of(api->object), "labels", set) == 0);
    publish_node(api, is_new ? "ADDED" : "MODIFIED");
    pthread_mutex_unlock(&api->lock);
}

void api_touch(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    if (api->object)
        publish_node(api, "MODIFIED");
    pthread_mutex_unlock(&api->lock);
}

static void forget_node(struct api *api)
{
    json_decref(api->spare);
    api->spare = api->object;
    api->object = NULL;
}

void api_delete_node(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    if (api->object) {
        publish_node(api, "DELETED");
        forget_node(api);
    }
    pthread_mutex_unlock(&api->lock);
}

void api_bookmark(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    json_t *object =
        json_pack("{s:s, s:s, s:{}, s:{}}", "kind", "Node", "apiVersion", "v1", "metadata", "spec");
    must(object);
    set_version(object, ++api->version);
    publish(api, (struct event){.version = api->version,
                                .line = make_line("BOOKMARK", object),
                                .is_bookmark = true});
    json_decref(object);
    pthread_mutex_unlock(&api->lock);
}

static char *make_expired(uint64_t asked, uint64_t oldest)
{
    char message[96];
    snprintf(message, sizeof(message), "too old resource version: %" PRIu64 " (%" PRIu64 ")", asked,
             oldest);
    json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status",
                               "apiVersion", "v1", "metadata", "status", "Failure", "message",
                               message, "reason", "Expired", "code", 410);
    must(status);
    char *line = make_line("ERROR", status);
    json_decref(status);
    return line;
}

char *cluster_expired(struct api *api, uint64_t version)
{
    pthread_mutex_lock(&api->lock);
    char *line = make_expired(version, api->oldest);
    pthread_mutex_unlock(&api->lock);
    return line;
}

void api_expire(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    char *line = make_expired(api->version, api->version + 1);
    api->oldest = ++api->version;
    publish(api, (struct event){.version = api->version, .line = line, .is_last = true});
    pthread_mutex_unlock(&api->lock);
}

/* What an event that somebody else wrote makes of the cluster; its version, 0 when it has none. */
static uint64_t adopt(struct api *api, const char *line)
{
    json_t *event = json_loads(line, 0, NULL);
    json_t *object = json_object_get(event, "object");
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *text = json_string_value(json_object_get(metadata_of(object), "resourceVersion"));
    uint64_t version = text ? strtoull(text, NULL, 10) : 0;
    bool is_node = type && (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0);
    if (is_node && json_is_object(metadata_of(object))) {
        json_decref(api->object);
        api->object = json_incref(object);
    } else if (type && strcmp(type, "DELETED") == 0 && api->object) {
        forget_node(api);
    }
    json_decref(event);
    return version;
}

void api_push(struct api *api, const char *line)
{
    size_t len = strcspn(line, "\n");
    char *copy = malloc(len + 2);
    must(copy);
    memcpy(copy, line, len);
    memcpy(copy + len, "\n", 2);
    pthread_mutex_lock(&api->lock);
    uint64_t version = adopt(api, copy);
    if (!version)
        version = api->version + 1;
    if (version > api->version)
        api->version = version;
    publish(api, (struct event){.version = version, .line = copy});
    pthread_mutex_unlock(&api->lock);
}

bool api_replay(struct api *api, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0)
        api_push(api, line);
    free(line);
    fclose(file);
    return true;
}

void api_set_padding(struct api *api, size_t bytes)
{
    pthread_mutex_lock(&api->lock);
    api->padding = bytes;
    pthread_mutex_unlock(&api->lock);
}

char *cluster_list(struct api *api)
{
    char version[24];
    pthread_mutex_lock(&api->lock);
    snprintf(version, sizeof(version), "%" PRIu64, api->version);
    json_t *items = json_array();
    must(items);
    if (api->object)
        must(json_array_append(items, api->object) == 0);
    json_t *list = json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", "NodeList", "apiVersion", "v1",
                             "metadata", "resourceVersion", version, "items", items);
    must(list);
    char *body = json_dumps(list, JSON_COMPACT);
    must(body);
    json_decref(list);
    pthread_mutex_unlock(&api->lock);
    return body;
}
