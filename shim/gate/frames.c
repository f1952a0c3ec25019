/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading frame heads (RFC 9113, 4.1) out of a stream of bytes that comes in pieces. The state of a
 * connection is written by whoever reads it: gRPC reads a connection on one thread at a time.
 */
#include "gate/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "base/say.h"

#define PREFACE_SIZE 24 /* what a client sends before its first frame */
#define HEAD_SIZE 9

enum {
    FRAME_HEADERS = 1,
    FRAME_RST_STREAM = 3,
    FRAME_SETTINGS = 4,
    FRAME_CONTINUATION = 9,
};
#define FLAG_ACK 1

struct watched {
    atomic_bool fresh; /* accepted, and not read from yet: all below is an earlier connection's */
    atomic_bool settled;
    struct audit_peer peer;
    size_t skip; /* bytes until the next frame's head */
    unsigned char head[HEAD_SIZE];
    size_t head_len;
    size_t headers;  /* of the header block that is being sent */
    int64_t credit;  /* thousandths of a frame */
    int64_t counted; /* CLOCK_MONOTONIC, ms: when credit was last given */
};

/* Connections that gRPC has not closed yet may outlive the listener's count. */
#define WATCHED_MAX 512
static struct watched table[WATCHED_MAX];

int frames_check_limit(struct err *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return err_set_errno(err, errno, "the limit of open files");
    if (limit.rlim_cur >= FRAMES_FD_NEEDED)
        return 0;
    return err_set(err,
                   "at most %ju files may be open (ulimit -n, LimitNOFILE=): the gate needs %d",
                   (uintmax_t)limit.rlim_cur, FRAMES_FD_NEEDED);
}

int frames_watch(int fd, const struct audit_peer *peer)
{
    OWNED_FD int moved = fcntl(fd, F_DUPFD_CLOEXEC, FRAMES_FD_FIRST);
    if (moved < 0)
        return errno == EINVAL ? -EMFILE : -errno; /* EINVAL: the limit is below the first */
    if (moved >= FRAMES_FD_FIRST + WATCHED_MAX)
        return -EMFILE;
    struct watched *watched = &table[moved - FRAMES_FD_FIRST];
    watched->peer = *peer;
    atomic_store(&watched->settled, false);
    atomic_store_explicit(&watched->fresh, true, memory_order_release);
    return steal_fd(&moved);
}

bool frames_is_settled(int fd)
{
    return atomic_load(&table[fd - FRAMES_FD_FIRST].settled);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void begin(struct watched *watched)
{
    watched->skip = PREFACE_SIZE;
    watched->head_len = 0;
    watched->headers = 0;
    watched->credit = FRAMES_BURST * INT64_C(1000);
    watched->counted = now_ms();
}

/* Takes one frame from the connection's allowance; false: it has none left. */
static bool spend(struct watched *watched)
{
    if (watched->credit < 1000) {
        int64_t now = now_ms();
        watched->credit += (now - watched->counted) * FRAMES_PER_SECOND;
        watched->counted = now;
        if (watched->credit > FRAMES_BURST * INT64_C(1000))
            watched->credit = FRAMES_BURST * INT64_C(1000);
    }
    if (watched->credit < 1000)
        return false;
    watched->credit -= 1000;
    return true;
}

/* What is wrong with the frame whose head is there; NULL: nothing. */
static const char *check_frame(struct watched *watched)
{
    const unsigned char *head = watched->head;
    size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    watched->skip = len;
    watched->head_len = 0;
    switch (head[3]) {
    case FRAME_HEADERS:
        watched->headers = len;
        break;
    case FRAME_CONTINUATION:
        watched->headers += len;
        if (!spend(watched))
            return "sends its headers in too many pieces";
        break;
    case FRAME_RST_STREAM:
        if (!spend(watched))
            return "resets too many streams";
        break;
    case FRAME_SETTINGS:
        if (head[4] & FLAG_ACK)
            atomic_store(&watched->settled, true);
        else if (!spend(watched))
            return "changes its settings too often";
        break;
    default:
        break;
    }
    return watched->headers > FRAMES_HEADERS_MAX ? "sends headers of absurd size" : NULL;
}

static const char *check_bytes(struct watched *watched, const unsigned char *data, size_t len)
{
    const char *wrong = NULL;
    while (len > 0 && !wrong) {
        size_t part = watched->skip < len ? watched->skip : len;
        watched->skip -= part;
        if (part == 0) {
            part = HEAD_SIZE - watched->head_len < len ? HEAD_SIZE - watched->head_len : len;
            memcpy(watched->head + watched->head_len, data, part);
            watched->head_len += part;
            if (watched->head_len == HEAD_SIZE)
                wrong = check_frame(watched);
        }
        data += part;
        len -= part;
    }
    return wrong;
}

static const char *check_read(struct watched *watched, const struct msghdr *message, size_t len)
{
    const char *wrong = NULL;
    if (atomic_exchange_explicit(&watched->fresh, false, memory_order_acquire))
        begin(watched);
    for (size_t i = 0; i < message->msg_iovlen && len > 0 && !wrong; i++) {
        const struct iovec *piece = &message->msg_iov[i];
        size_t part = piece->iov_len < len ? piece->iov_len : len;
        wrong = check_bytes(watched, piece->iov_base, part);
        len -= part;
    }
    return wrong;
}

/* In place of the C library's, for the whole program. gRPC sees a cut connection as one that its
 * peer has reset. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t got = syscall(SYS_recvmsg, fd, message, flags);
    if (got <= 0 || fd < FRAMES_FD_FIRST || fd >= FRAMES_FD_FIRST + WATCHED_MAX ||
        (flags & (MSG_ERRQUEUE | MSG_PEEK)))
        return got;
    struct watched *watched = &table[fd - FRAMES_FD_FIRST];
    const char *wrong = check_read(watched, message, (size_t)got);
    if (!wrong)
        return got;
    say_field("CRIGATE_EVENT=peer-cut-off");
    say_field("CRIGATE_PEER_UID=%u", watched->peer.uid);
    say_field("CRIGATE_PEER_PID=%d", watched->peer.pid);
    say_warn("the connection of uid %u, pid %d is cut off: the peer %s", watched->peer.uid,
             watched->peer.pid, wrong);
    shutdown(fd, SHUT_RDWR); /* so that the listener sees its end, too */
    errno = ECONNRESET;
    return -1;
}
