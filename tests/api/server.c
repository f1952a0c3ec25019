/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts connections, gives each a thread, and tells the tests what came. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "must.h"
#include "server.h"

#define AWAIT_S 20

static void ring(int wake)
{
    uint64_t one = 1;
    must(write(wake, &one, sizeof(one)) == sizeof(one));
}

static void quieten(int wake)
{
    uint64_t count;
    while (read(wake, &count, sizeof(count)) > 0)
        continue;
}

void server_wake(struct api *api)
{
    for (struct conn *conn = api->conns; conn; conn = conn->next)
        ring(conn->wake);
}

void server_count(struct api *api, enum api_count what, int by)
{
    pthread_mutex_lock(&api->lock);
    api->seen.counts[what] += (unsigned)by;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
}

struct api_fault server_fault(struct api *api, enum api_when when)
{
    pthread_mutex_lock(&api->lock);
    struct api_fault fault = api->faults[when];
    if (fault.times && --api->faults[when].times == 0)
        api->faults[when] = (struct api_fault){0};
    pthread_mutex_unlock(&api->lock);
    return fault;
}

enum woken server_wait(struct conn *conn, int ms)
{
    struct pollfd fds[] = {{.fd = conn->fd, .events = POLLIN},
                           {.fd = conn->wake, .events = POLLIN}};
    int ready = poll(fds, 2, ms);
    if (ready < 0)
        return errno == EINTR ? WOKEN : GONE;
    if (ready == 0)
        return TIMED_OUT;
    if (fds[1].revents)
        quieten(conn->wake);
    /* What a client says while it waits is not listened to; but it may have gone. */
    char bytes[512];
    if (fds[0].revents && (conn->ssl ? SSL_read(conn->ssl, bytes, sizeof(bytes))
                                     : (int)read(conn->fd, bytes, sizeof(bytes))) <= 0)
        return GONE;
    return WOKEN;
}

void server_hang(struct conn *conn)
{
    bool is_stopping = false;
    while (!is_stopping && server_wait(conn, -1) != GONE) {
        pthread_mutex_lock(&conn->api->lock);
        is_stopping = conn->api->stopping;
        pthread_mutex_unlock(&conn->api->lock);
    }
}

static void drop(struct conn *conn)
{
    struct api *api = conn->api;
    SSL_free(conn->ssl); /* without a word to the client: an end in mid-stream is a cut */
    pthread_mutex_lock(&api->lock);
    struct conn **link = &api->conns;
    while (*link != conn)
        link = &(*link)->next;
    *link = conn->next;
    close(conn->fd);
    close(conn->wake);
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
    free(conn);
}

static bool shake_hands(struct conn *conn)
{
    SSL_CTX *context = credentials_context(conn->api);
    conn->ssl = SSL_new(context);
    SSL_CTX_free(context);
    must(conn->ssl && SSL_set_fd(conn->ssl, conn->fd) == 1);
    bool is_up = SSL_accept(conn->ssl) == 1;
    server_count(conn->api, is_up ? API_HANDSHAKES : API_HANDSHAKES_FAILED, 1);
    return is_up;
}

static void *serve(void *cookie)
{
    struct conn *conn = cookie;
    struct request request;
    struct api_fault fault = server_fault(conn->api, API_ON_CONNECT);
    if (fault.kind == API_HANG || fault.kind == API_HANG_TLS)
        server_hang(conn);
    else if (fault.kind != API_CUT && shake_hands(conn))
        while (http_read(conn, &request) && nodes_answer(conn, &request))
            continue;
    drop(conn);
    return NULL;
}

static void start_thread(pthread_t *thread, void *(*run)(void *), void *cookie)
{
    /* A client that has gone is an error of write(), and no signal is a test's business. */
    sigset_t all, before;
    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    must(pthread_create(thread, NULL, run, cookie) == 0);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

static void take(struct api *api, int fd)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    must(conn);
    conn->api = api;
    conn->fd = fd;
    conn->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(conn->wake >= 0);
    pthread_mutex_lock(&api->lock);
    conn->next = api->conns;
    api->conns = conn;
    pthread_mutex_unlock(&api->lock);
    server_count(api, API_CONNECTIONS, 1);
    pthread_t thread;
    start_thread(&thread, serve, conn);
    must(pthread_detach(thread) == 0);
}

static void *accept_all(void *cookie)
{
    struct api *api = cookie;
    for (;;) {
        pthread_mutex_lock(&api->lock);
        bool is_over = api->stopping || api->listener < 0;
        bool hangs = api->faults[API_ON_CONNECT].kind == API_HANG;
        struct pollfd fds[] = {{.fd = api->wake, .events = POLLIN},
                               {.fd = hangs ? -1 : api->listener, .events = POLLIN}};
        pthread_mutex_unlock(&api->lock);
        if (is_over)
            return NULL;
        must(poll(fds, 2, -1) >= 0 || errno == EINTR);
        if (fds[0].revents)
            quieten(api->wake);
        int fd = fds[1].revents ? accept4(fds[1].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            take(api, fd);
    }
}

static void listen_on(struct api *api, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(fd >= 0);
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    must(bind(fd, (struct sockaddr *)&address, len) == 0);
    must(listen(fd, 64) == 0);
    must(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    api->listener = fd;
    api->port = ntohs(address.sin_port);
    start_thread(&api->acceptor, accept_all, api);
}

static void shut_all(struct api *api)
{
    for (struct conn *conn = api->conns; conn; conn = conn->next)
        shutdown(conn->fd, SHUT_RDWR);
    server_wake(api);
}

/* No connection is accepted any more, and none is left. */
static void close_all(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    int listener = api->listener;
    api->listener = -1;
    ring(api->wake);
    pthread_mutex_unlock(&api->lock);
    if (listener >= 0) {
        must(pthread_join(api->acceptor, NULL) == 0);
        close(listener);
    }
    pthread_mutex_lock(&api->lock);
    shut_all(api);
    while (api->conns)
        pthread_cond_wait(&api->changed, &api->lock);
    pthread_mutex_unlock(&api->lock);
}

struct api *api_start(const char *dir, const char *node)
{
    struct api *api = calloc(1, sizeof(*api));
    pthread_condattr_t attributes;
    must(api && pthread_mutex_init(&api->lock, NULL) == 0);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&api->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    must(realpath(dir, api->dir));
    must(snprintf(api->kubeconfig, sizeof(api->kubeconfig), "%s/kubeconfig", api->dir) <
         (int)sizeof(api->kubeconfig));
    must(snprintf(api->node, sizeof(api->node), "%s", node) < (int)sizeof(api->node));
    api->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(api->wake >= 0);
    credentials_make(api);
    cluster_make(api);
    listen_on(api, 0);
    return api;
}

void api_stop(struct api *api)
{
    if (!api)
        return;
    pthread_mutex_lock(&api->lock);
    api->stopping = true;
    pthread_mutex_unlock(&api->lock);
    close_all(api);
    credentials_free(api);
    cluster_free(api);
    close(api->wake);
    pthread_cond_destroy(&api->changed);
    pthread_mutex_destroy(&api->lock);
    free(api);
}

int api_port(const struct api *api)
{
    return api->port;
}

void api_down(struct api *api)
{
    close_all(api);
}

void api_up(struct api *api)
{
    if (api->listener < 0)
        listen_on(api, api->port);
}

void api_set_fault(struct api *api, enum api_when when, const struct api_fault *fault)
{
    pthread_mutex_lock(&api->lock);
    api->faults[when] = *fault;
    ring(api->wake);
    pthread_mutex_unlock(&api->lock);
}

static void end_watches(struct api *api, enum ending ending)
{
    pthread_mutex_lock(&api->lock);
    for (struct conn *conn = api->conns; conn; conn = conn->next)
        if (conn->is_watch)
            conn->ending = ending;
    server_wake(api);
    pthread_mutex_unlock(&api->lock);
}

void api_end_watches(struct api *api)
{
    end_watches(api, END);
}

void api_cut_watches(struct api *api)
{
    end_watches(api, CUT);
}

struct api_seen api_seen(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    struct api_seen seen = api->seen;
    pthread_mutex_unlock(&api->lock);
    return seen;
}

bool api_await(struct api *api, enum api_count what, unsigned n)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += AWAIT_S;
    bool wants_none = n == 0 && what == API_OPEN_WATCHES;
    int rc = 0;
    pthread_mutex_lock(&api->lock);
    while (rc == 0 && (wants_none ? api->seen.counts[what] != 0 : api->seen.counts[what] < n))
        rc = pthread_cond_timedwait(&api->changed, &api->lock, &end);
    pthread_mutex_unlock(&api->lock);
    return rc == 0;
}
