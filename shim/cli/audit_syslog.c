/* SPDX-License-Identifier: Apache-2.0 */
/* Makes RFC 5424 messages of records and writes them to a TCP connection. */
#include "cli/audit_syslog.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/audit_time.h"

#define PRIORITY 109 /* facility 13, log audit; severity 5, notice */
#define HEADER_MAX 512
#define COUNT_MAX 24 /* the length in front of a message */

_Static_assert(COUNT_MAX + HEADER_MAX + RECORD_MAX <= sizeof(((struct audit_syslog *)0)->frame),
               "a frame holds every record");

/* A header's word as RFC 5424, 6 has it: PRINTUSASCII; what is not is "-", no value. */
static struct str header_word(struct str word, size_t most)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '!' || word.data[i] > '~')
            return STR("-");
    }
    return word.len > 0 && word.len <= most ? word : STR("-");
}

/* HOST:PORT in two; brackets around the host, which an IPv6 address needs, are taken off. */
static bool split(const char *address, struct str *host, struct str *port)
{
    const char *colon = strrchr(address, ':');
    if (!colon)
        return false;
    *host = (struct str){.data = address, .len = (size_t)(colon - address)};
    *port = str_of(colon + 1);
    bool open = host->len > 0 && host->data[0] == '[';
    if (open && host->data[host->len - 1] != ']')
        return false;
    if (open)
        *host = (struct str){.data = host->data + 1, .len = host->len - 2};
    else if (memchr(host->data, ':', host->len))
        return false; /* an IPv6 address, and nobody knows where it ends */
    return host->len > 0 && port->len > 0;
}

bool audit_syslog_is_address(const char *address)
{
    struct str host, port;
    return split(address, &host, &port);
}

/* A receiver that takes nothing must not hold the command for ever; connect() heeds SO_SNDTIMEO
 * too (socket(7)). */
static int be_patient(int fd)
{
    static const struct timeval patience = {.tv_sec = SYSLOG_PATIENCE_S};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return -1;
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* The kernel's words for a wait that was too long. */
static int explain(int errnum)
{
    return errnum == EAGAIN || errnum == EINPROGRESS ? ETIMEDOUT : errnum;
}

/* A connected socket, or -1 with errno. */
static int connect_one(const struct addrinfo *at)
{
    OWNED_FD int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0 || be_patient(fd) < 0 || connect(fd, at->ai_addr, at->ai_addrlen) < 0)
        return -1;
    return steal_fd(&fd);
}

static int connect_any(const char *address, const struct addrinfo *list, struct err *err)
{
    int errnum = 0;
    for (const struct addrinfo *at = list; at; at = at->ai_next) {
        int fd = connect_one(at);
        if (fd >= 0)
            return fd;
        errnum = errno; /* close() of the socket succeeded, and left it */
    }
    return err_set_errno(
        err, explain(errnum),
        "%s does not take a connection; a receiver of syslog over TCP has to listen there",
        address);
}

static void free_list(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

int audit_syslog_open(struct audit_syslog *syslog, const char *address, struct err *err)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct str host, port;
    *syslog = (struct audit_syslog){.fd = -1, .address = address};
    if (!split(address, &host, &port))
        return err_set(err, "%s is not HOST:PORT", address);
    OWNED_MEM char *node = strndup(host.data, host.len);
    if (!node)
        return err_set(err, "memory is out");
    OWNED(free_list) struct addrinfo *list = NULL;
    int failure = getaddrinfo(node, port.data, &hints, &list);
    if (failure)
        return err_set(err, "%s is not known: %s", address,
                       failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
    if (gethostname(syslog->hostname, sizeof(syslog->hostname)) < 0)
        syslog->hostname[0] = '\0';
    syslog->hostname[sizeof(syslog->hostname) - 1] = '\0';
    syslog->fd = connect_any(address, list, err);
    return syslog->fd < 0 ? -1 : 0;
}

static int send_all(struct audit_syslog *syslog, const char *data, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t sent = send(syslog->fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return err_set_errno(err, explain(errno), "%s does not take the records",
                                 syslog->address);
        data += sent;
        length -= (size_t)sent;
    }
    return 0;
}

int audit_syslog_send(struct audit_syslog *syslog, struct str line, const struct record_scan *scan,
                      struct err *err)
{
    char header[HEADER_MAX];
    struct timespec time;
    struct str when = audit_time_parse(scan->time, &time) ? scan->time : STR("-");
    int head = snprintf(header, sizeof(header), "<%d>1 %.*s %.*s crigate - %.*s - ", PRIORITY,
                        STR_FMT(header_word(when, 32)),
                        STR_FMT(header_word(str_of(syslog->hostname), 255)),
                        STR_FMT(header_word(scan->type, 32)));
    if (head >= (int)sizeof(header) || line.len >= RECORD_MAX)
        return err_set(err, "%s: a record is too long to be sent", syslog->address);
    int begun =
        snprintf(syslog->frame, sizeof(syslog->frame), "%zu %s", (size_t)head + line.len, header);
    memcpy(syslog->frame + begun, line.data, line.len); /* an altered line may hold a NUL */
    return send_all(syslog, syslog->frame, (size_t)begun + line.len, err);
}

/* What the receiver says is of no interest, only that it ends. */
static int wait_for_end(int fd)
{
    char answer[256];
    ssize_t got;
    do
        got = recv(fd, answer, sizeof(answer), 0);
    while (got > 0 || (got < 0 && errno == EINTR));
    return got < 0 ? -1 : 0;
}

/* A receiver that ends before it has read all looks, to recv(), as one that ends behind it; but
 * what its end did not acknowledge is still queued here, or was answered by a reset. */
static int check_all_acknowledged(int fd)
{
    int queued, error;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || ioctl(fd, SIOCOUTQ, &queued) < 0)
        return -1;
    errno = error ? error : ECONNRESET;
    return error || queued ? -1 : 0;
}

int audit_syslog_finish(struct audit_syslog *syslog, struct err *err)
{
    int result = 0;
    if (shutdown(syslog->fd, SHUT_WR) < 0 || wait_for_end(syslog->fd) < 0 ||
        check_all_acknowledged(syslog->fd) < 0)
        result = err_set_errno(err, explain(errno),
                               "%s does not say that it has read all, the last records may be lost",
                               syslog->address);
    audit_syslog_close(syslog);
    return result;
}

void audit_syslog_close(struct audit_syslog *syslog)
{
    if (syslog->fd >= 0)
        close(steal_fd(&syslog->fd));
}
