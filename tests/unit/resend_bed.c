/* SPDX-License-Identifier: Apache-2.0 */
/* Makes logs, runs the command on them, and receives what it sends. */
#include "resend_bed.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MOST ((size_t)8 << 20)

void resend_bed_make(struct resend_bed *bed)
{
    strcpy(bed->dir, "/tmp/crigate-resend-XXXXXX");
    cr_assert_not_null(mkdtemp(bed->dir));
}

void resend_bed_free(struct resend_bed *bed)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", bed->dir);
    cr_expect_eq(system(command), 0);
}

void resend_bed_record(char *line, size_t size, const char *instance, unsigned seq)
{
    int length = snprintf(line, size,
                          "{\"v\":1,\"seq\":%u,\"prev\":\"%064u\",\"instance\":\"%s\","
                          "\"type\":\"pod.decision\",\"stage\":\"decided\","
                          "\"time\":\"2026-11-24T02:%02u:%02u.000000Z\",\"node\":\"n\"}",
                          seq, seq, instance, seq / 60 % 60, seq % 60);
    cr_assert_lt((size_t)length, size);
}

static FILE *open_file(const struct resend_bed *bed, const char *name, const char *mode)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", bed->dir, name);
    FILE *file = fopen(path, mode);
    cr_assert_not_null(file, "%s", path);
    return file;
}

void resend_bed_add(const struct resend_bed *bed, const char *file, const char *instance,
                    unsigned first, unsigned last)
{
    char line[512];
    FILE *out = open_file(bed, file, "ae");
    for (unsigned seq = first; seq <= last; seq++) {
        resend_bed_record(line, sizeof(line), instance, seq);
        fprintf(out, "%s\n", line);
    }
    cr_assert_eq(fclose(out), 0);
}

void resend_bed_configure(const struct resend_bed *bed)
{
    FILE *out = open_file(bed, "crigate.yaml", "we");
    fprintf(out,
            "listen: /run/crigate/crigate.sock\n"
            "upstream: /run/containerd/containerd.sock\n"
            "policy: /etc/crigate/policy.yaml\n"
            "peers: {uids: [0]}\n"
            "audit: {file: %s/audit.jsonl}\n",
            bed->dir);
    cr_assert_eq(fclose(out), 0);
}

/* A file of the directory as a text; what is beyond its size is cut. */
static void read_file(const struct resend_bed *bed, const char *name, char *text, size_t size)
{
    FILE *file = open_file(bed, name, "re");
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

int resend_bed_run(struct resend_bed *bed, const char *format, ...)
{
    char arguments[1024], shell[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(arguments, sizeof(arguments), format, args);
    va_end(args);
    snprintf(shell, sizeof(shell),
             "cd %s && bash -c '" CRIGATE " audit resend %s' >out 2>said </dev/null", bed->dir,
             arguments);
    int status = system(shell);
    read_file(bed, "out", bed->out, sizeof(bed->out));
    read_file(bed, "said", bed->said, sizeof(bed->said));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void resend_bed_shell(const struct resend_bed *bed, const char *command)
{
    char shell[1024];
    snprintf(shell, sizeof(shell), "cd %s && bash -c '%s'", bed->dir, command);
    cr_assert_eq(system(shell), 0, "%s", command);
}

/* --- the receiver -------------------------------------------------------------------------- */

static void read_on(struct receiver *receiver, int fd, size_t most)
{
    ssize_t got = 1;
    while (got > 0 && receiver->len < most) {
        got = recv(fd, receiver->text + receiver->len, most - receiver->len, 0);
        receiver->len += got > 0 ? (size_t)got : 0;
    }
    receiver->text[receiver->len] = '\0';
}

static void wait_for_stop(const struct receiver *receiver)
{
    char none;
    while (read(receiver->stop[0], &none, 1) > 0)
        continue;
}

static void wait_for_data(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    poll(&poll_fd, 1, -1);
}

static void be_mannered(struct receiver *receiver, int fd)
{
    static const struct linger reset = {.l_onoff = 1};
    switch (receiver->manners) {
    case READS_ALL:
        read_on(receiver, fd, TEXT_MOST);
        break;
    case RESETS_AFTER_ONE:
        read_on(receiver, fd, 100);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        break;
    case CLOSES_UNREAD:
        wait_for_data(fd);
        break;
    case ENDS_AT_ONCE:
        shutdown(fd, SHUT_WR);
        wait_for_stop(receiver);
        break;
    case NEVER_READS:
        wait_for_stop(receiver);
        break;
    case READS_AND_STAYS:
        read_on(receiver, fd, TEXT_MOST);
        wait_for_stop(receiver);
        break;
    }
}

static void *receive(void *cookie)
{
    struct receiver *receiver = cookie;
    int fd = accept(receiver->listener, NULL, NULL);
    if (fd >= 0) {
        be_mannered(receiver, fd);
        close(fd);
    }
    return NULL;
}

void receiver_start(struct receiver *receiver, enum manners manners)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int small = 4096; /* a receive buffer that is soon full */
    *receiver = (struct receiver){.manners = manners, .text = calloc(1, TEXT_MOST + 1)};
    cr_assert_not_null(receiver->text);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setsockopt(receiver->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    cr_assert_eq(bind(receiver->listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(receiver->listener, 4), 0);
    cr_assert_eq(getsockname(receiver->listener, (struct sockaddr *)&address, &size), 0);
    receiver->port = ntohs(address.sin_port);
    cr_assert_eq(pipe2(receiver->stop, O_CLOEXEC), 0);
    cr_assert_eq(pthread_create(&receiver->thread, NULL, receive, receiver), 0);
}

void receiver_stop(struct receiver *receiver)
{
    close(receiver->stop[1]);
    pthread_join(receiver->thread, NULL);
    close(receiver->stop[0]);
    close(receiver->listener);
}

void receiver_free(struct receiver *receiver)
{
    free(receiver->text);
}
