/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting, on one epoll set: the listening socket, a stop signal, and a duplicate of each
 * accepted connection, which tells when that connection is gone, so that they can be counted.
 */
#include "gate/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/say.h"
#include "base/thread.h"
#include "gate/frames.h"

struct listener {
    struct listen_options options;
    struct sockaddr_un address;
    int fd, epoll, stop;
    struct stat made; /* the socket file as we made it */
    struct connection {
        int fd;    /* gRPC's, which may be closed */
        int watch; /* a duplicate of it */
        bool told; /* that the gate leaves */
    } open[LISTEN_CONNECTIONS_MAX];
    _Atomic size_t connections;
    _Atomic uint64_t refused;
    bool accepting; /* the listening socket is in the epoll set */
    bool failing;   /* the last connection could not be accepted, and that was said */
    pthread_t thread;
    bool running;
    struct audit *audit;
    listen_accepted_fn *accepted;
    void *cookie;
};

/* --- the socket file ----------------------------------------------------------------------- */

static int set_address(struct listener *listener, struct err *err)
{
    size_t length = strlen(listener->options.path);
    if (length >= sizeof(listener->address.sun_path))
        return err_set(err, "listen on %s: the path is longer than %zu bytes",
                       listener->options.path, sizeof(listener->address.sun_path) - 1);
    listener->address.sun_family = AF_UNIX;
    memcpy(listener->address.sun_path, listener->options.path, length + 1);
    return 0;
}

/* A leftover of a daemon that died is removed; anything else at that path is somebody's. */
static int clear_path(struct listener *listener, struct err *err)
{
    const char *path = listener->options.path;
    struct stat there;
    if (lstat(path, &there) < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "listen on %s", path);
    if (!S_ISSOCK(there.st_mode))
        return err_set(err, "listen on %s: it exists and is not a socket; remove it", path);
    OWNED_FD int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return err_set_errno(err, errno, "listen on %s", path);
    if (connect(probe, (const struct sockaddr *)&listener->address, sizeof(listener->address)) ==
            0 ||
        errno != ECONNREFUSED)
        return err_set(err, "listen on %s: another process serves this socket; stop it first",
                       path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "remove the stale socket %s", path);
    return 0;
}

static int bind_socket(struct listener *listener, struct err *err)
{
    const char *path = listener->options.path;
    /* The mode of a socket file is what umask leaves at bind(). No other thread makes files yet. */
    mode_t before = umask(0177);
    int bound =
        bind(listener->fd, (const struct sockaddr *)&listener->address, sizeof(listener->address));
    int error = errno;
    umask(before);
    if (bound < 0)
        return err_set_errno(err, error, "listen on %s", path);
    if (lstat(path, &listener->made) < 0 || listen(listener->fd, SOMAXCONN) < 0)
        return err_set_errno(err, errno, "listen on %s", path);
    return 0;
}

static int add_to_epoll(struct listener *listener, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(listener->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The socket is another's, systemd's say: its file, mode and life are, too. */
static int inherit_socket(struct listener *listener, struct err *err)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address) - 1; /* a path may fill all of it, without a NUL */
    listener->fd = listener->options.inherited;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &size) < 0 ||
        fcntl(listener->fd, F_SETFL, O_NONBLOCK) < 0)
        return err_set_errno(err, errno, "the inherited socket");
    if (strcmp(address.sun_path, listener->options.path) != 0)
        return err_set(err,
                       "the inherited socket listens on %s, and the settings say %s: make "
                       "ListenStream= of the socket unit and `listen` the same",
                       address.sun_path, listener->options.path);
    return 0;
}

static int make_socket(struct listener *listener, struct err *err)
{
    if (set_address(listener, err) < 0)
        return -1;
    if (listener->options.inherited >= 0)
        return inherit_socket(listener, err);
    if (clear_path(listener, err) < 0)
        return -1;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return err_set_errno(err, errno, "listen on %s", listener->options.path);
    return bind_socket(listener, err);
}

int listener_open(const struct listen_options *options, struct listener **listener, struct err *err)
{
    if (frames_check_limit(err) < 0)
        return err_wrap(err, "listen on %s", options->path);
    OWNED(own_listener) struct listener *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "listen on %s: out of memory", options->path);
    *made = (struct listener){.options = *options, .fd = -1, .epoll = -1, .stop = -1};
    made->epoll = epoll_create1(EPOLL_CLOEXEC);
    made->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->epoll < 0 || made->stop < 0 || add_to_epoll(made, made->stop, EPOLLIN) < 0)
        return err_set_errno(err, errno, "listen on %s", options->path);
    if (make_socket(made, err) < 0)
        return -1;
    *listener = steal_ptr(&made);
    return 0;
}

/* --- accepting ----------------------------------------------------------------------------- */

static void accept_on(struct listener *listener)
{
    if (!listener->accepting && add_to_epoll(listener, listener->fd, EPOLLIN) == 0)
        listener->accepting = true;
}

static void accept_off(struct listener *listener)
{
    if (listener->accepting && epoll_ctl(listener->epoll, EPOLL_CTL_DEL, listener->fd, NULL) == 0)
        listener->accepting = false;
}

static bool may_connect(const struct listener *listener, uint32_t uid)
{
    for (size_t i = 0; i < listener->options.uid_count; i++) {
        if (listener->options.uids[i] == uid)
            return true;
    }
    return false;
}

static void turn_away(struct listener *listener, const struct audit_peer *peer)
{
    listener->refused++;
    struct audit_event event = {
        .type = "peer.refused",
        .peer = peer,
        .action = AUDIT_REFUSE,
        .reason = REASON_PEER_NOT_ALLOWED,
        .message = STR("the peer's uid is not among peers.uids"),
    };
    audit_record(listener->audit, &event, NULL, NULL, NULL);
    say_field("CRIGATE_EVENT=peer-refused");
    say_field("CRIGATE_PEER_UID=%u", peer->uid);
    say_field("CRIGATE_PEER_PID=%d", peer->pid);
    say_warn("a connection from uid %u, pid %d was refused: the uid is not among peers.uids",
             peer->uid, peer->pid);
}

static bool check_peer(struct listener *listener, int fd, struct audit_peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return false;
    *peer = (struct audit_peer){.uid = credentials.uid, .pid = credentials.pid};
    if (may_connect(listener, peer->uid))
        return true;
    turn_away(listener, peer);
    return false;
}

/* Notices the end of a connection by a duplicate of its descriptor: the descriptor itself is
 * gRPC's, which shuts the socket down before it closes it. */
static int watch_connection(struct listener *listener, int fd)
{
    OWNED_FD int watch = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (watch < 0 || add_to_epoll(listener, watch, EPOLLRDHUP) < 0)
        return -errno;
    listener->open[listener->connections++] =
        (struct connection){.fd = fd, .watch = steal_fd(&watch)};
    return 0;
}

static void unwatch_connection(struct listener *listener, int watch)
{
    size_t i = 0;
    while (i < listener->connections && listener->open[i].watch != watch)
        i++;
    if (i == listener->connections)
        return;
    /* Closing is not enough to leave the epoll set while gRPC still holds the connection. */
    epoll_ctl(listener->epoll, EPOLL_CTL_DEL, watch, NULL);
    close(watch);
    listener->open[i] = listener->open[--listener->connections];
}

/* 0, or a negative errno: -EAGAIN when no connection waits. */
static int accept_one(struct listener *listener)
{
    OWNED_FD int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
    struct audit_peer peer;
    if (!check_peer(listener, fd, &peer))
        return 0;
    OWNED_FD int watched = frames_watch(fd, &peer);
    int error = watched < 0 ? watched : watch_connection(listener, watched);
    if (error < 0)
        return error;
    peers_remember(listener->options.peers, watched, &peer);
    listener->accepted(listener->cookie, steal_fd(&watched));
    return 0;
}

/* Out of descriptors or memory: look again after a while, not at once, and not never. */
#define RETRY_MS 100

/* Milliseconds to wait for the next event, -1 for as long as it takes. */
static int accept_waiting(struct listener *listener)
{
    while (listener->connections < LISTEN_CONNECTIONS_MAX) {
        int error = accept_one(listener);
        if (error == -EAGAIN)
            return -1;
        if (error < 0) {
            if (!listener->failing)
                say_warn("connections on %s cannot be accepted: %s; trying again every %d ms",
                         listener->options.path, strerror(-error), RETRY_MS);
            listener->failing = true;
            accept_off(listener);
            return RETRY_MS;
        }
        listener->failing = false;
    }
    accept_off(listener);
    return -1;
}

static void *accept_loop(void *cookie)
{
    struct listener *listener = cookie;
    int wait = -1;
    accept_on(listener);
    for (;;) {
        struct epoll_event event;
        int got = epoll_wait(listener->epoll, &event, 1, wait);
        wait = -1;
        if (got > 0 && event.data.fd == listener->stop)
            return NULL;
        if (got > 0 && event.data.fd == listener->fd) {
            wait = accept_waiting(listener);
            continue;
        }
        if (got > 0)
            unwatch_connection(listener, event.data.fd);
        accept_on(listener); /* there is room again, or the pause is over */
    }
}

int listener_start(struct listener *listener, struct audit *audit, listen_accepted_fn *accepted,
                   void *cookie, struct err *err)
{
    listener->audit = audit;
    listener->accepted = accepted;
    listener->cookie = cookie;
    if (thread_start(&listener->thread, "listen", accept_loop, listener, err) < 0)
        return -1;
    listener->running = true;
    return 0;
}

struct listener_view listener_look(const struct listener *listener)
{
    return (struct listener_view){.connections = listener->connections,
                                  .refused = listener->refused};
}

static void remove_socket_file(const struct listener *listener)
{
    struct stat there;
    if (listener->made.st_ino && lstat(listener->options.path, &there) == 0 &&
        there.st_ino == listener->made.st_ino && there.st_dev == listener->made.st_dev)
        unlink(listener->options.path);
}

void listener_stop(struct listener *listener)
{
    if (listener->running) {
        eventfd_write(listener->stop, 1);
        pthread_join(listener->thread, NULL);
        listener->running = false;
    }
    if (listener->fd >= 0)
        remove_socket_file(listener);
    own_fd(&listener->fd);
    listener->fd = -1;
}

/* --- leaving ------------------------------------------------------------------------------- */

/* Whether the peer has read all that was sent: then nothing waits for room in the socket, either.
 */
static bool has_read_all(int fd)
{
    int unread;
    return ioctl(fd, SIOCOUTQ, &unread) == 0 && unread == 0;
}

void listener_say_goodbye(struct listener *listener)
{
    /* length 8, type GOAWAY, stream 0; last stream 2^31-1, NO_ERROR */
    static const unsigned char goaway[] = {0,    0,    8,    7,    0, 0, 0, 0, 0,
                                           0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    for (size_t i = 0; i < listener->connections; i++) {
        struct connection *connection = &listener->open[i];
        if (!connection->told && frames_is_settled(connection->fd) &&
            has_read_all(connection->watch))
            connection->told = send(connection->watch, goaway, sizeof(goaway),
                                    MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(goaway);
    }
}

bool listener_is_left(struct listener *listener)
{
    for (size_t i = listener->connections; i-- > 0;) {
        struct pollfd look = {.fd = listener->open[i].watch, .events = POLLRDHUP};
        if (poll(&look, 1, 0) > 0)
            unwatch_connection(listener, look.fd);
    }
    return listener->connections == 0;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    listener_stop(listener);
    while (listener->connections > 0) {
        shutdown(listener->open[0].watch, SHUT_RDWR);
        unwatch_connection(listener, listener->open[0].watch);
    }
    own_fd(&listener->epoll);
    own_fd(&listener->stop);
    free(listener);
}
