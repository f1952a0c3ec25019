/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd with one thread; a snapshot for each answer, asked for on the loop. */
#include "status/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <string.h>

#include "base/deadline.h"
#include "base/say.h"
#include "status/metrics.h"
#include "status/page.h"
#include "status/report.h"
#include "survey/watch.h"

#define CONNECTIONS_MAX 32
#define IDLE_SECONDS 10
#define CONNECTION_MEMORY ((size_t)16 * 1024)

/* A loop that does not answer for so long hangs. */
#define PATIENCE_SECONDS 2

struct http {
    struct http_options options;
    struct MHD_Daemon *server;
    struct survey_watch *watch; /* looked at by the server's thread */
    char security_policy[512];

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t told;
    struct loop_op asked;
    bool waiting; /* `asked` is posted and has not come back */
    bool closed;
    struct snapshot *snapshot; /* the loop's answer */
};

/* --- snapshots ----------------------------------------------------------------------------- */

static struct snapshot *collect(const struct http_options *options)
{
    OWNED(own_snapshot) struct snapshot *made = calloc(1, sizeof(*made));
    if (!made || options->collect(options->cookie, made) < 0)
        return NULL;
    return steal_ptr(&made);
}

/* On the loop. */
static void on_asked(struct loop_op *op, bool ok)
{
    struct http *http = container_of(op, struct http, asked);
    struct snapshot *made = collect(&http->options);
    (void)ok;
    pthread_mutex_lock(&http->lock);
    snapshot_free(http->snapshot); /* nobody waited for it any more */
    http->snapshot = made;
    http->waiting = false;
    pthread_cond_signal(&http->told);
    pthread_mutex_unlock(&http->lock);
}

/* NULL: the loop does not answer. */
static struct snapshot *ask_loop(struct http *http)
{
    struct timespec patience = deadline_in(PATIENCE_SECONDS);
    int result = 0;
    pthread_mutex_lock(&http->lock);
    snapshot_free(steal_ptr(&http->snapshot));
    if (!http->waiting && !http->closed) {
        http->waiting = true;
        loop_post(http->options.loop, &http->asked);
    }
    while (http->waiting && !http->closed && result == 0)
        result = pthread_cond_timedwait(&http->told, &http->lock, &patience);
    struct snapshot *taken = steal_ptr(&http->snapshot);
    pthread_mutex_unlock(&http->lock);
    return taken;
}

/* -1: memory is out. */
static int add_drift(struct http *http, struct snapshot *snapshot)
{
    struct snapshot_drift *drift = &snapshot->drift;
    struct survey_view view;
    survey_watch_look(http->watch, &view);
    drift->known = view.query != NULL;
    drift->age_s = view.age_s;
    drift->trouble = view.trouble;
    if (!drift->known)
        return 0;
    return survey_judge(view.query, snapshot->policy, snapshot->labels, &drift->survey);
}

/* --- answers ------------------------------------------------------------------------------- */

struct answer {
    unsigned status;
    const char *type;
    char *text; /* allocated, or NULL: `fixed` */
    size_t length;
    struct str fixed;
};

static struct answer answer_fixed(unsigned status, struct str text)
{
    return (struct answer){.status = status, .type = "text/plain; charset=utf-8", .fixed = text};
}

typedef void write_fn(const struct snapshot *snapshot, FILE *out);

static struct answer answer_written(unsigned status, const struct snapshot *snapshot,
                                    write_fn *write, const char *type)
{
    struct answer answer = {.status = status, .type = type};
    FILE *out = open_memstream(&answer.text, &answer.length);
    if (!out)
        return answer_fixed(MHD_HTTP_SERVICE_UNAVAILABLE, STR("memory is out\n"));
    write(snapshot, out);
    bool whole = !ferror(out);
    if (fclose(out) == 0 && whole)
        return answer;
    free(answer.text);
    return answer_fixed(MHD_HTTP_SERVICE_UNAVAILABLE, STR("memory is out\n"));
}

static struct answer answer_metrics(const struct snapshot *snapshot)
{
    return answer_written(MHD_HTTP_OK, snapshot, metrics_write,
                          "text/plain; version=0.0.4; charset=utf-8");
}

static void write_checks(const struct snapshot *snapshot, FILE *out)
{
    struct snapshot_check checks[SNAPSHOT_CHECKS];
    snapshot_check(snapshot, checks);
    for (size_t i = 0; i < SNAPSHOT_CHECKS; i++)
        fprintf(out, "[%c] %s: %s\n", checks[i].holds ? '+' : '-', checks[i].name, checks[i].text);
}

static struct answer answer_ready(const struct snapshot *snapshot)
{
    struct snapshot_check checks[SNAPSHOT_CHECKS];
    bool ready = snapshot_check(snapshot, checks);
    return answer_written(ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, snapshot,
                          write_checks, "text/plain; charset=utf-8");
}

static struct answer answer_health(const struct snapshot *snapshot)
{
    (void)snapshot; /* that there is one is the proof */
    return answer_fixed(MHD_HTTP_OK, STR("ok\n"));
}

static struct answer answer_status(const struct snapshot *snapshot)
{
    struct answer answer = {.status = MHD_HTTP_OK, .type = "application/json"};
    answer.text = report_make(snapshot);
    if (!answer.text)
        return answer_fixed(MHD_HTTP_SERVICE_UNAVAILABLE, STR("memory is out\n"));
    answer.length = strlen(answer.text);
    return answer;
}

static struct answer answer_page(void)
{
    return (struct answer){
        .status = MHD_HTTP_OK, .type = "text/html; charset=utf-8", .fixed = page_text()};
}

static struct answer answer_path(struct http *http, const char *path)
{
    static const struct {
        const char *path;
        struct answer (*make)(const struct snapshot *snapshot);
        bool tells_drift;
    } paths[] = {{"/metrics", answer_metrics, true},
                 {"/healthz", answer_health, false},
                 {"/readyz", answer_ready, false},
                 {"/status.json", answer_status, true}};
    if (strcmp(path, "/") == 0)
        return answer_page();
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (strcmp(path, paths[i].path) != 0)
            continue;
        OWNED(own_snapshot) struct snapshot *snapshot = ask_loop(http);
        if (!snapshot)
            return answer_fixed(MHD_HTTP_SERVICE_UNAVAILABLE,
                                STR("the daemon's loop does not answer\n"));
        if (paths[i].tells_drift && add_drift(http, snapshot) < 0)
            return answer_fixed(MHD_HTTP_SERVICE_UNAVAILABLE, STR("memory is out\n"));
        return paths[i].make(snapshot);
    }
    return answer_fixed(MHD_HTTP_NOT_FOUND,
                        STR("there is /, /status.json, /metrics, /healthz and /readyz\n"));
}

/* --- requests ------------------------------------------------------------------------------ */

/* Whether the request names this server by an address, or as localhost. A page from elsewhere whose
 * DNS name was pointed here (DNS rebinding) names it by that name. */
static bool is_meant_for_us(struct MHD_Connection *connection)
{
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    if (!host)
        return true;
    if (host[0] == '[')
        return true;
    size_t length = strcspn(host, ":");
    return strspn(host, "0123456789.") == length ||
           (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0);
}

static enum MHD_Result respond(struct http *http, struct MHD_Connection *connection,
                               struct answer answer)
{
    struct MHD_Response *response =
        answer.text
            ? MHD_create_response_from_buffer(answer.length, answer.text, MHD_RESPMEM_MUST_FREE)
            : MHD_create_response_from_buffer(answer.fixed.len, (void *)answer.fixed.data,
                                              MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(answer.text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", answer.type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Content-Security-Policy", http->security_policy);
    if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *cookie, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct http *http = cookie;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    if (!is_meant_for_us(connection))
        return respond(http, connection,
                       answer_fixed(MHD_HTTP_FORBIDDEN, STR("ask by an address, or localhost\n")));
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return respond(http, connection,
                       answer_fixed(MHD_HTTP_METHOD_NOT_ALLOWED, STR("this is read-only\n")));
    return respond(http, connection, answer_path(http, url));
}

static void on_message(void *cookie, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_message(void *cookie, const char *fmt, va_list args)
{
    char text[512];
    (void)cookie;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\r\n")] = '\0';
    say_warn("http: %s", text);
}

/* --- start and stop ------------------------------------------------------------------------ */

int http_listen(const struct sockaddr *address, socklen_t size, const char *name, struct err *err)
{
    int on = 1;
    OWNED_FD int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, address, size) < 0 || listen(fd, CONNECTIONS_MAX) < 0)
        return err_set_errno(err, errno, "http: listen on %s", name);
    return steal_fd(&fd);
}

static void init(struct http *http, const struct http_options *options)
{
    pthread_condattr_t attributes;
    *http = (struct http){.options = *options, .asked = {.done = on_asked}};
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->told, &attributes);
    pthread_condattr_destroy(&attributes);
}

/*
 * The thread gets the caller's signal mask: all that the daemon waits for are blocked. The server
 * gets a descriptor of its own: whether it closes that when it does not start depends on why.
 */
static int serve(struct http *http, int listening, struct err *err)
{
    int socket = fcntl(listening, F_DUPFD_CLOEXEC, 0);
    if (socket < 0)
        return err_set_errno(err, errno, "http: the server does not start");
    http->server = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        http, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
        MHD_OPTION_END);
    return http->server ? 0 : err_set_errno(err, errno, "http: the server does not start");
}

int http_start(const struct http_options *options, struct http **http, struct err *err)
{
    OWNED_FD int socket = options->socket;
    struct http *room = calloc(1, sizeof(*room));
    if (!room)
        return err_set(err, "http: out of memory");
    init(room, options);
    OWNED(own_http) struct http *made = room;
    if (page_security_policy(made->security_policy, sizeof(made->security_policy), err) < 0)
        return -1;
    if (survey_watch_start(options->upstream, &made->watch, err) < 0 ||
        serve(made, socket, err) < 0)
        return -1;
    *http = steal_ptr(&made);
    return 0;
}

static void stop_serving(struct http *http)
{
    if (!http->server)
        return;
    pthread_mutex_lock(&http->lock);
    http->closed = true; /* who waits for this thread need not wait any longer */
    pthread_cond_signal(&http->told);
    pthread_mutex_unlock(&http->lock);
    /* Stopping would shut the socket itself down, which may be systemd's, for the next daemon. */
    MHD_socket socket = MHD_quiesce_daemon(http->server);
    if (socket != MHD_INVALID_SOCKET)
        close(socket);
    MHD_stop_daemon(http->server);
    http->server = NULL;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    stop_serving(http);
    survey_watch_destroy(steal_ptr(&http->watch));
}

void http_destroy(struct http *http)
{
    if (!http)
        return;
    http_stop(http);
    snapshot_free(http->snapshot);
    pthread_cond_destroy(&http->told);
    pthread_mutex_destroy(&http->lock);
    free(http);
}
