/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 over TLS, as much of it as a client of the API server meets. */
#include <ctype.h>
#include <strings.h>

#include "must.h"
#include "server.h"

#define HEAD_MAX ((size_t)16384)

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

static void decode(const char *text, size_t len, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < len && used + 1 < size; i++) {
        bool is_escape = text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
        out[used++] =
            is_escape ? (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
        i += is_escape ? 2 : 0;
    }
    out[used] = '\0';
}

static void read_parameter(struct request *request, const char *name, size_t name_len,
                           const char *value, size_t len)
{
    char text[300];
    decode(value, len, text, sizeof(text));
    if (name_len == 13 && memcmp(name, "fieldSelector", 13) == 0)
        snprintf(request->selector, sizeof(request->selector), "%s", text);
    else if (name_len == 15 && memcmp(name, "resourceVersion", 15) == 0)
        snprintf(request->resource_version, sizeof(request->resource_version), "%.31s", text);
    else if (name_len == 5 && memcmp(name, "watch", 5) == 0)
        request->is_watch = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    else if (name_len == 19 && memcmp(name, "allowWatchBookmarks", 19) == 0)
        request->allows_bookmarks = strcmp(text, "true") == 0;
    else if (name_len == 14 && memcmp(name, "timeoutSeconds", 14) == 0)
        request->timeout_s = strtol(text, NULL, 10);
}

static void read_query(struct request *request)
{
    for (const char *at = request->query; *at;) {
        size_t len = strcspn(at, "&"), name_len = strcspn(at, "=&");
        size_t skip = name_len < len ? name_len + 1 : len;
        read_parameter(request, at, name_len, at + skip, len - skip);
        at += len + (at[len] == '&');
    }
}

static void read_header(struct request *request, const char *line)
{
    static const char bearer[] = "Authorization: Bearer ", agent[] = "User-Agent: ";
    if (strncasecmp(line, bearer, sizeof(bearer) - 1) == 0)
        snprintf(request->token, sizeof(request->token), "%.*s",
                 (int)strcspn(line + sizeof(bearer) - 1, "\r"), line + sizeof(bearer) - 1);
    else if (strncasecmp(line, agent, sizeof(agent) - 1) == 0)
        snprintf(request->agent, sizeof(request->agent), "%.*s",
                 (int)strcspn(line + sizeof(agent) - 1, "\r"), line + sizeof(agent) - 1);
}

static bool parse(struct request *request, char *head)
{
    char *target = strchr(head, ' '), *end = target ? strchr(target + 1, ' ') : NULL;
    if (!end || strncmp(head, "GET ", 4) != 0)
        return false;
    *request = (struct request){0};
    *end = '\0';
    size_t path_len = strcspn(++target, "?");
    snprintf(request->path, sizeof(request->path), "%.*s", (int)path_len, target);
    if (target[path_len])
        snprintf(request->query, sizeof(request->query), "%s", target + path_len + 1);
    read_query(request);
    for (char *line = end + 1; (line = strstr(line, "\r\n"));) {
        line += 2;
        read_header(request, line);
    }
    return true;
}

bool http_read(struct conn *conn, struct request *request)
{
    char head[HEAD_MAX];
    size_t used = 0;
    while (used + 1 < sizeof(head)) {
        int got = SSL_read(conn->ssl, head + used, 1); /* the client does not pipeline */
        if (got <= 0)
            return false;
        used += (size_t)got;
        head[used] = '\0';
        if (used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0)
            return parse(request, head);
    }
    return false;
}

bool http_write(struct conn *conn, const char *data, size_t len)
{
    if (!conn->drip_ms)
        return len == 0 || SSL_write(conn->ssl, data, (int)len) > 0;
    for (size_t i = 0; i < len; i++) {
        if (SSL_write(conn->ssl, data + i, 1) <= 0 || server_wait(conn, conn->drip_ms) == GONE)
            return false;
    }
    return true;
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Whatever";
    }
}

bool http_answer(struct conn *conn, int status, int retry_after_s, const char *body, size_t len)
{
    char head[256], retry[64] = "";
    if (retry_after_s)
        snprintf(retry, sizeof(retry), "Retry-After: %d\r\n", retry_after_s);
    int head_len = snprintf(head, sizeof(head),
                            "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%s"
                            "Content-Length: %zu\r\n\r\n",
                            status, reason_of(status), retry, len);
    return http_write(conn, head, (size_t)head_len) && http_write(conn, body, len);
}

bool http_start_chunks(struct conn *conn)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    return http_write(conn, head, sizeof(head) - 1);
}

bool http_chunk(struct conn *conn, const char *data, size_t len)
{
    char head[32];
    int head_len = snprintf(head, sizeof(head), "%zx\r\n", len);
    return http_write(conn, head, (size_t)head_len) && http_write(conn, data, len) &&
           http_write(conn, "\r\n", 2);
}

bool http_end_chunks(struct conn *conn)
{
    return http_write(conn, "0\r\n\r\n", 5);
}
