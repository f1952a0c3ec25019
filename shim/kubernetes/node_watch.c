/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and watches one Node: puts together requests, and lines of answers into news. */
#include "kubernetes/node_watch.h"

#include <inttypes.h>

#include "kubernetes/api_client.h"
#include "kubernetes/node_object.h"

/* etcd keeps 1.5 MiB of an object, and JSON takes a little more than protobuf. jansson needs some
 * ten times as much for a moment. */
#define ANSWER_MAX ((size_t)4 * 1024 * 1024)
/* A buffer that grew over this is given back after its line. */
#define BUFFER_KEPT ((size_t)64 * 1024)

#define LIST_MS 30000
/* kube-apiserver's own watches last 30 to 60 minutes; shorter ones find a server that went away
 * with no word, and spread the load of a restarted one. */
#define WATCH_LEAST_S 300
#define WATCH_MORE_S 300
#define WATCH_LATE_MS 30000
/* Bookmarks come each minute or so: after two that are missing, nobody is there. */
#define SILENT_MS 150000

/* The part of an answer that is not yet a whole line. */
struct buffer {
    char *data;
    size_t len, room;
};

struct node_watch {
    const struct node_watch_options *options;
    struct api_access access;
    struct api_client *client;
    struct buffer buffer;
    char version[65]; /* resourceVersion to watch from */
    int64_t retry_after;
    /* of the watch that runs: why it is given up */
    enum node_watch_end end;
    struct err reason;
};

/* --- the buffer -------------------------------------------------------------------------- */

static void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

static void buffer_empty(struct buffer *buffer)
{
    buffer->len = 0;
    if (buffer->room > BUFFER_KEPT)
        buffer_free(buffer);
}

static int buffer_add(struct buffer *buffer, struct str bytes, struct err *err)
{
    if (bytes.len > ANSWER_MAX - buffer->len)
        return err_set(err, "the answer is larger than %zu MiB", ANSWER_MAX / 1024 / 1024);
    size_t room = buffer->room ? buffer->room : 4096;
    while (room < buffer->len + bytes.len)
        room *= 2;
    if (room != buffer->room) {
        char *larger = realloc(buffer->data, room);
        if (!larger)
            return err_set(err, "memory is out");
        buffer->data = larger;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len += bytes.len;
    return 0;
}

static struct str buffer_text(const struct buffer *buffer)
{
    return (struct str){.data = buffer->data ? buffer->data : "", .len = buffer->len};
}

/* --- open and close ---------------------------------------------------------------------- */

int node_watch_open(const struct node_watch_options *options, struct node_watch **watch,
                    struct err *err)
{
    OWNED(own_node_watch) struct node_watch *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "memory is out");
    made->options = options;
    if (api_access_read(options->kubeconfig, &made->access, err) ||
        api_client_open(&made->access, options->stop_fd, &made->client, err))
        return -1;
    *watch = steal_ptr(&made);
    return 0;
}

void node_watch_close(struct node_watch *watch)
{
    if (watch->client)
        api_client_close(watch->client);
    api_access_free(&watch->access);
    buffer_free(&watch->buffer);
    free(watch);
}

const char *node_watch_server(const struct node_watch *watch)
{
    return watch->access.config.server;
}

int64_t node_watch_retry_after(const struct node_watch *watch)
{
    return watch->retry_after;
}

/* --- news -------------------------------------------------------------------------------- */

static enum node_watch_end lost(const struct node_watch *watch, const char *doing, struct err *err)
{
    err_wrap(err, "%s: %s", node_watch_server(watch), doing);
    return NODE_WATCH_LOST;
}

/* Tells what an object says; OVER while it is fine. */
static enum node_watch_end tell(struct node_watch *watch, enum node_news news,
                                const struct node_object *object)
{
    const struct node_watch_listener *listener = &watch->options->listener;
    if (news == NODE_WRONG || news == NODE_ERROR)
        return NODE_WATCH_LOST;
    if (news == NODE_EXPIRED)
        return NODE_WATCH_EXPIRED;
    snprintf(watch->version, sizeof(watch->version), "%.*s", STR_FMT(object->version));
    if (news == NODE_BOOKMARK)
        listener->confirmed(listener->cookie);
    else
        listener->labels(listener->cookie, news == NODE_LABELS ? &object->labels : NULL);
    return NODE_WATCH_OVER;
}

/* What a person can do about an error's status. */
static void explain(const struct node_watch_options *options, long status, const char *message,
                    struct err *err)
{
    if (status == 401)
        err_set(err, "HTTP 401: the credential of %s is not taken; has it expired?",
                options->kubeconfig);
    else if (status == 403)
        err_set(err, "HTTP 403: is node.name %s the Node of %s, and may it list and watch it? %s",
                options->node, options->kubeconfig, message);
    else
        err_set(err, "HTTP %ld%s%s", status, message[0] ? ": " : "", message);
}

/* An answer with an error's status. Only a list's tells that the Node is gone. */
static enum node_watch_end refused(struct node_watch *watch, const struct api_answer *answer,
                                   const char *doing, struct err *err)
{
    const struct node_watch_options *options = watch->options;
    char message[768];
    bool gone = node_object_from_error(answer->body, options->node, message, sizeof(message));
    if (gone && watch->version[0] == '\0')
        options->listener.labels(options->listener.cookie, NULL);
    explain(options, answer->status, message, err);
    lost(watch, doing, err);
    return answer->status == 410 ? NODE_WATCH_EXPIRED : NODE_WATCH_LOST;
}

/* --- the list ---------------------------------------------------------------------------- */

static bool on_list_bytes(void *cookie, struct str bytes)
{
    struct node_watch *watch = cookie;
    return buffer_add(&watch->buffer, bytes, &watch->reason) == 0;
}

static bool on_list_idle(void *cookie)
{
    (void)cookie;
    return true;
}

static enum node_watch_end take_list(struct node_watch *watch, struct err *err)
{
    struct node_object object = {0};
    enum node_news news =
        node_object_from_list(buffer_text(&watch->buffer), watch->options->node, &object, err);
    enum node_watch_end end = tell(watch, news, &object);
    arena_free(&object.arena);
    buffer_empty(&watch->buffer);
    return end == NODE_WATCH_OVER ? end : lost(watch, "the list of nodes", err);
}

/* The path of a list, or of a watch from `version`. The node's name needs no escapes: it is a DNS
 * name, which kubernetes_start() has seen to. */
static void write_path(const struct node_watch *watch, bool is_watch, char *path, size_t size)
{
    int len = snprintf(path, size, "/api/v1/nodes?fieldSelector=metadata.name%%3D%s",
                       watch->options->node);
    if (is_watch)
        snprintf(path + len, size - (size_t)len,
                 "&watch=true&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=",
                 watch->version);
}

enum node_watch_end node_watch_list(struct node_watch *watch, struct err *err)
{
    char path[512];
    struct api_answer answer = {0};
    struct api_request request = {.path = path,
                                  .total_ms = LIST_MS,
                                  .silent_ms = LIST_MS,
                                  .bytes = on_list_bytes,
                                  .idle = on_list_idle,
                                  .cookie = watch};
    write_path(watch, false, path, sizeof(path));
    buffer_empty(&watch->buffer);
    enum api_outcome outcome = api_client_get(watch->client, &request, &answer, err);
    watch->retry_after = answer.retry_after;
    switch (outcome) {
    case API_FAILED:
        return NODE_WATCH_LOST;
    case API_STOPPED:
        return NODE_WATCH_STOPPED;
    case API_ENOUGH:
        err_set(err, "%s", watch->reason.text);
        return lost(watch, "the list of nodes", err);
    case API_SILENT:
        err_set(err, "it did not come to its end");
        return lost(watch, "the list of nodes", err);
    case API_ANSWERED:
        break;
    }
    if (answer.status != 200)
        return refused(watch, &answer, "the list of nodes", err);
    return take_list(watch, err);
}

/* --- the watch --------------------------------------------------------------------------- */

/* One line. False: the watch is to be given up, for `end` and `reason`. */
static bool take_line(struct node_watch *watch)
{
    struct node_object object = {0};
    enum node_news news = node_object_from_event(buffer_text(&watch->buffer), watch->options->node,
                                                 &object, &watch->reason);
    watch->end = tell(watch, news, &object);
    arena_free(&object.arena);
    buffer_empty(&watch->buffer);
    return watch->end == NODE_WATCH_OVER;
}

static bool on_watch_bytes(void *cookie, struct str bytes)
{
    struct node_watch *watch = cookie;
    while (bytes.len > 0) {
        const char *newline = memchr(bytes.data, '\n', bytes.len);
        struct str part = {.data = bytes.data,
                           .len = newline ? (size_t)(newline - bytes.data) : bytes.len};
        size_t taken = part.len + (newline ? 1 : 0);
        if (buffer_add(&watch->buffer, part, &watch->reason)) {
            watch->end = NODE_WATCH_LOST;
            return false;
        }
        if (newline && watch->buffer.len > 0 && !take_line(watch))
            return false;
        bytes.data += taken;
        bytes.len -= taken;
    }
    return true;
}

static bool on_watch_idle(void *cookie)
{
    struct node_watch *watch = cookie;
    const struct node_watch_listener *listener = &watch->options->listener;
    listener->steady(listener->cookie);
    if (!api_access_changed(&watch->access))
        return true;
    watch->end = NODE_WATCH_STALE;
    return false;
}

/* The watch was given up by a line or by a change of files. */
static enum node_watch_end given_up(struct node_watch *watch, struct err *err)
{
    if (watch->end == NODE_WATCH_LOST || watch->end == NODE_WATCH_EXPIRED) {
        err_set(err, "%s", watch->reason.text);
        lost(watch, "the watch", err);
    }
    return watch->end;
}

/* The stream ended as HTTP should; what is left of a line was cut off. */
static enum node_watch_end ended(struct node_watch *watch, const struct api_answer *answer,
                                 struct err *err)
{
    if (answer->status != 200)
        return refused(watch, answer, "the watch", err);
    if (watch->buffer.len == 0)
        return NODE_WATCH_OVER;
    err_set(err, "it ended in the middle of an event");
    return lost(watch, "the watch", err);
}

enum node_watch_end node_watch_follow(struct node_watch *watch, struct err *err)
{
    char path[512];
    unsigned seconds = WATCH_LEAST_S + arc4random_uniform(WATCH_MORE_S);
    struct api_answer answer = {0};
    struct api_request request = {.path = path,
                                  .total_ms = seconds * INT64_C(1000) + WATCH_LATE_MS,
                                  .silent_ms = SILENT_MS,
                                  .bytes = on_watch_bytes,
                                  .idle = on_watch_idle,
                                  .cookie = watch};
    write_path(watch, true, path, sizeof(path));
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "%u", seconds);
    buffer_empty(&watch->buffer);
    enum api_outcome outcome = api_client_get(watch->client, &request, &answer, err);
    watch->retry_after = answer.retry_after;
    switch (outcome) {
    case API_FAILED:
        return NODE_WATCH_LOST;
    case API_STOPPED:
        return NODE_WATCH_STOPPED;
    case API_ENOUGH:
        return given_up(watch, err);
    case API_SILENT:
        return NODE_WATCH_STALE;
    case API_ANSWERED:
        break;
    }
    return ended(watch, &answer, err);
}
