/* SPDX-License-Identifier: Apache-2.0 */
/* Answers requests for nodes as the API server answers a kubelet, unless a misfortune is set. */
#include <inttypes.h>
#include <time.h>

#include "must.h"
#include "server.h"

static const char garbage[] = "{\"kind\":\"NodeList\",,\xff\x01 <html>\n";

static bool answer_status(struct conn *conn, int code, int retry_after_s, const char *message)
{
    json_t *status =
        json_pack("{s:s, s:s, s:{}, s:s, s:s, s:i}", "kind", "Status", "apiVersion", "v1",
                  "metadata", "status", "Failure", "message", message, "code", code);
    must(status);
    char *body = json_dumps(status, JSON_COMPACT);
    must(body);
    json_decref(status);
    bool is_up = http_answer(conn, code, retry_after_s, body, strlen(body));
    free(body);
    return is_up;
}

/* The Node authorizer lets a kubelet read its own Node only. */
static bool may_read(const struct api *api, const struct request *request)
{
    char own[sizeof("metadata.name=") + sizeof(api->node)];
    snprintf(own, sizeof(own), "metadata.name=%s", api->node);
    return strcmp(request->selector, own) == 0;
}

static bool answer_list(struct conn *conn, const struct api_fault *fault)
{
    char *body = cluster_list(conn->api);
    size_t len = strlen(body);
    bool is_up;
    if (fault->kind == API_CUT_BODY) {
        char head[128];
        int head_len =
            snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
        http_write(conn, head, (size_t)head_len);
        http_write(conn, body, len / 2);
        is_up = false;
    } else {
        is_up = http_answer(conn, 200, 0, body, len);
    }
    free(body);
    return is_up;
}

/* The index of the first event that a watch from `version` on has not seen. */
static size_t first_event(struct api *api, uint64_t version)
{
    size_t i = 0;
    while (i < api->event_count && api->events[i].version <= version)
        i++;
    return i;
}

/* The next event, or NULL; the caller frees its line. */
static bool take_event(struct conn *conn, size_t *index, struct event *event)
{
    struct api *api = conn->api;
    pthread_mutex_lock(&api->lock);
    bool has_one = *index < api->event_count;
    if (has_one) {
        *event = api->events[(*index)++];
        event->line = strdup(event->line);
        must(event->line);
    }
    pthread_mutex_unlock(&api->lock);
    return has_one;
}

static enum ending ending_of(struct conn *conn)
{
    pthread_mutex_lock(&conn->api->lock);
    enum ending ending = conn->api->stopping ? CUT : conn->ending;
    pthread_mutex_unlock(&conn->api->lock);
    return ending;
}

/* The chunk's length, and half of the chunk. */
static void cut_event(struct conn *conn, const char *line)
{
    char head[32];
    size_t len = strlen(line);
    int head_len = snprintf(head, sizeof(head), "%zx\r\n", len);
    http_write(conn, head, (size_t)head_len);
    http_write(conn, line, len / 2);
}

/* What is to be sent now; KEEP when there is nothing more. */
static enum ending send_events(struct conn *conn, const struct request *request,
                               const struct api_fault *fault, size_t *index)
{
    struct event event;
    while (take_event(conn, index, &event)) {
        bool is_up = true;
        if (fault->kind == API_CUT_BODY) {
            cut_event(conn, event.line);
            is_up = false;
        } else if (!event.is_bookmark || request->allows_bookmarks) {
            is_up = http_chunk(conn, event.line, strlen(event.line));
        }
        free(event.line);
        if (!is_up)
            return CUT;
        if (event.is_last)
            return END;
    }
    return KEEP;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum ending watch(struct conn *conn, const struct request *request,
                         const struct api_fault *fault, size_t index)
{
    int64_t end = request->timeout_s > 0 ? now_ms() + request->timeout_s * 1000 : -1;
    for (;;) {
        enum ending ending = send_events(conn, request, fault, &index);
        if (ending == KEEP)
            ending = ending_of(conn);
        if (ending != KEEP)
            return ending;
        int64_t left = end < 0 ? -1 : end - now_ms();
        if (end >= 0 && left <= 0)
            return END;
        if (server_wait(conn, left > INT_MAX ? INT_MAX : (int)left) == GONE)
            return CUT;
    }
}

static bool answer_expired(struct conn *conn, uint64_t version)
{
    char *line = cluster_expired(conn->api, version);
    bool is_up =
        http_start_chunks(conn) && http_chunk(conn, line, strlen(line)) && http_end_chunks(conn);
    free(line);
    return is_up;
}

static bool answer_watch(struct conn *conn, const struct request *request,
                         const struct api_fault *fault)
{
    struct api *api = conn->api;
    uint64_t version = strtoull(request->resource_version, NULL, 10);
    pthread_mutex_lock(&api->lock);
    bool is_gone = version < api->oldest || fault->kind == API_GONE;
    size_t index = first_event(api, version);
    pthread_mutex_unlock(&api->lock);
    if (is_gone)
        return answer_expired(conn, version);
    if (!http_start_chunks(conn))
        return false;
    pthread_mutex_lock(&api->lock);
    conn->is_watch = true;
    conn->ending = KEEP;
    pthread_mutex_unlock(&api->lock);
    server_count(api, API_OPEN_WATCHES, 1);
    enum ending ending = watch(conn, request, fault, index);
    pthread_mutex_lock(&api->lock);
    conn->is_watch = false;
    pthread_mutex_unlock(&api->lock);
    bool is_up = ending == END && http_end_chunks(conn);
    server_count(api, API_OPEN_WATCHES, -1);
    return is_up;
}

/* True if the misfortune took the place of an answer; then `*is_up` says what of the connection. */
static bool answer_fault(struct conn *conn, const struct api_fault *fault, bool *is_up)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Ty";
    *is_up = false;
    switch (fault->kind) {
    case API_HANG:
    case API_HANG_TLS:
        server_hang(conn);
        return true;
    case API_HANG_BODY:
        if (http_start_chunks(conn))
            server_hang(conn);
        return true;
    case API_CUT:
        return true;
    case API_CUT_HEADERS:
        http_write(conn, half, sizeof(half) - 1);
        return true;
    case API_STATUS:
        *is_up = answer_status(conn, fault->status, fault->retry_after_s, "a test wants it so");
        return true;
    case API_GARBAGE:
        *is_up = http_answer(conn, 200, 0, garbage, sizeof(garbage) - 1);
        return true;
    case API_EMPTY:
        *is_up = http_answer(conn, 200, 0, "", 0);
        return true;
    case API_DRIP:
        conn->drip_ms = fault->delay_ms > 0 ? fault->delay_ms : 1;
        return false;
    case API_NO_FAULT:
    case API_CUT_BODY:
    case API_GONE:
        return false;
    }
    return false;
}

bool nodes_answer(struct conn *conn, const struct request *request)
{
    struct api *api = conn->api;
    char name[sizeof(api->seen.client_name)];
    bool is_nodes = strcmp(request->path, "/api/v1/nodes") == 0;
    bool may_enter = credentials_hold(api, conn->ssl, request->token, name, sizeof(name));
    pthread_mutex_lock(&api->lock);
    struct api_seen *seen = &api->seen;
    snprintf(seen->path, sizeof(seen->path), "%s", request->path);
    snprintf(seen->query, sizeof(seen->query), "%s", request->query);
    snprintf(seen->resource_version, sizeof(seen->resource_version), "%s",
             request->resource_version);
    snprintf(seen->token, sizeof(seen->token), "%s", request->token);
    snprintf(seen->client_name, sizeof(seen->client_name), "%s", name);
    snprintf(seen->agent, sizeof(seen->agent), "%s", request->agent);
    pthread_mutex_unlock(&api->lock);
    server_count(api, API_REQUESTS, 1);
    if (is_nodes)
        server_count(api, request->is_watch ? API_WATCHES : API_LISTS, 1);
    struct api_fault fault = {0};
    if (is_nodes)
        fault = server_fault(api, request->is_watch ? API_ON_WATCH : API_ON_LIST);
    bool is_up;
    conn->drip_ms = 0;
    if (answer_fault(conn, &fault, &is_up))
        return is_up;
    if (!may_enter) {
        server_count(api, API_UNAUTHORIZED, 1);
        return answer_status(conn, 401, 0, "Unauthorized");
    }
    if (!is_nodes)
        return answer_status(conn, 404, 0, "the server could not find the requested resource");
    if (!may_read(api, request))
        return answer_status(conn, 403, 0,
                             "nodes is forbidden: a node cannot read all nodes, only its own Node "
                             "object");
    return request->is_watch ? answer_watch(conn, request, &fault) : answer_list(conn, &fault);
}
