/* SPDX-License-Identifier: Apache-2.0 */
/* Hands records to systemd-journald, one datagram each. */
#include "audit/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/own.h"

#define WAIT_SECONDS 1

static int fail(const struct audit_journal *journal, int errnum, struct err *err)
{
    return err_set_errno(err, errnum, "the systemd journal (%s) takes no records", journal->path);
}

static int open_socket(struct audit_journal *journal, struct err *err)
{
    if (journal->fd >= 0)
        return 0;
    OWNED_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {.tv_sec = WAIT_SECONDS};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
        return fail(journal, errno, err);
    journal->fd = steal_fd(&fd);
    return 0;
}

int audit_journal_send(struct audit_journal *journal, struct str line, struct err *err)
{
    static char fields[] = "PRIORITY=2\nSYSLOG_IDENTIFIER=crigate-audit\nMESSAGE=";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!journal->path || strlen(journal->path) >= sizeof(address.sun_path))
        return err_set(err, "there is no systemd journal to take records");
    strcpy(address.sun_path, journal->path);
    if (line.len > 0 && line.data[line.len - 1] == '\n')
        line.len--;
    /* A value with a newline inside has another form in the protocol; a record never has one. */
    if (memchr(line.data, '\n', line.len))
        return err_set(err, "a record with a newline inside cannot go to the systemd journal");
    if (open_socket(journal, err) < 0)
        return -1;
    char newline[] = "\n";
    struct iovec parts[] = {
        {.iov_base = fields, .iov_len = sizeof(fields) - 1},
        {.iov_base = (char *)line.data, .iov_len = line.len},
        {.iov_base = newline, .iov_len = 1},
    };
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = sizeof(address),
                             .msg_iov = parts,
                             .msg_iovlen = sizeof(parts) / sizeof(parts[0])};
    ssize_t sent;
    do
        sent = sendmsg(journal->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? fail(journal, errno, err) : 0;
}

void audit_journal_close(struct audit_journal *journal)
{
    if (journal->fd >= 0)
        close(steal_fd(&journal->fd));
}
