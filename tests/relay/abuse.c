/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that no gRPC library sends, and peers that have no business here. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "scene.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define PATIENCE_MS 30000

enum frame {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_RST_STREAM = 3,
    FRAME_PING = 6,
    FRAME_GOAWAY = 7,
    FRAME_CONTINUATION = 9,
};

/* A connection to the scene's socket; -1 when it is refused. */
static int open_raw(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends what the other side takes; it may hang up at any time. */
static void send_raw(int fd, const void *data, size_t len)
{
    ssize_t ignored = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)ignored;
}

static void add_frame(struct bytes *out, enum frame type, unsigned flags, unsigned stream,
                      const void *data, size_t len)
{
    const unsigned char head[9] = {(unsigned char)(len >> 16),
                                   (unsigned char)(len >> 8),
                                   (unsigned char)len,
                                   (unsigned char)type,
                                   (unsigned char)flags,
                                   0,
                                   0,
                                   (unsigned char)(stream >> 8),
                                   (unsigned char)stream};
    bytes_add(out, head, sizeof(head));
    bytes_add(out, data, len);
}

/* HPACK: a literal header that no table knows. */
static void add_header(struct bytes *out, const char *key, const char *value, size_t len)
{
    const unsigned char sizes[2] = {(unsigned char)strlen(key), (unsigned char)len};
    bytes_add(out, "", 1);
    bytes_add(out, &sizes[0], 1);
    bytes_add(out, key, sizes[0]);
    bytes_add(out, &sizes[1], 1);
    bytes_add(out, value, len);
}

static void send_call(int fd, const char *path, size_t path_len)
{
    static const char message[] = "\0\0\0\0\6\x12\4kata";
    struct bytes out = {0}, headers = {0};
    add_header(&headers, ":method", "POST", 4);
    add_header(&headers, ":scheme", "http", 4);
    add_header(&headers, ":path", path, path_len);
    add_header(&headers, ":authority", "localhost", 9);
    add_header(&headers, "te", "trailers", 8);
    add_header(&headers, "content-type", "application/grpc", 16);
    bytes_add(&out, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
    add_frame(&out, FRAME_HEADERS, 4, 1, headers.data, headers.len);
    add_frame(&out, FRAME_DATA, 1, 1, message, sizeof(message) - 1);
    send_raw(fd, out.data, out.len);
    bytes_free(&out);
    bytes_free(&headers);
}

static bool read_whole(int fd, unsigned char *data, size_t len)
{
    for (size_t got = 0; got < len;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        cr_assert_eq(poll(&wait, 1, PATIENCE_MS), 1, "neither an answer nor an end");
        ssize_t more = read(fd, data + got, len - got);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

/* Reads until the call on stream 1 is answered, or the connection is given up. */
static void wait_for_answer(int fd)
{
    unsigned char head[9], body[16384];
    bool answered = false;
    while (!answered && read_whole(fd, head, sizeof(head))) {
        size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        bool ends = head[3] == FRAME_GOAWAY || head[3] == FRAME_RST_STREAM || (head[4] & 1);
        answered = ends && (head[3] == FRAME_GOAWAY || head[8] == 1);
        if (len > sizeof(body) || !read_whole(fd, body, len))
            return;
    }
}

static void expect_alive(struct scene *scene)
{
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    int fd = open_raw(scene_socket(scene));
    cr_assert_geq(fd, 0, "no new connection");
    send_call(fd, SERVICE "Status", sizeof(SERVICE "Status") - 1);
    wait_for_answer(fd);
    close(fd);
}

#define PATH(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

GATE(never_forwards_an_odd_path)
{
    static const struct {
        const char *path;
        size_t len;
    } paths[] = {
        PATH("runtime.v1.RuntimeService/RunPodSandbox"),
        PATH(""),
        PATH("*"),
        PATH("http://localhost/runtime.v1.RuntimeService/RunPodSandbox"),
        PATH("/runtime.v1.RuntimeService/RunPodSandbox"), /* is judged, and refused */
        PATH("/runtime.v1.RuntimeService/RunPodSandbox\0"),
        PATH("/runtime.v1.RuntimeService\0/RunPodSandbox"),
        PATH(" /runtime.v1.RuntimeService/RunPodSandbox"),
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        int fd = open_raw(scene_socket(scene));
        cr_assert_geq(fd, 0);
        send_call(fd, paths[i].path, paths[i].len);
        wait_for_answer(fd);
        close(fd);
        cr_assert_eq(scene_saw(scene, SERVICE "RunPodSandbox", "calls"), 0, "path %zu", i);
        cr_assert_eq(scene_saw(scene, paths[i].path, "calls"), 0, "path %zu", i);
    }
    expect_alive(scene);
}

/* Bytes from a generator; the same seed gives the same bytes. */
static void fill_garbage(unsigned char *data, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (unsigned char)(seed >> 24);
    }
}

BOTH(survives_garbage)
{
    unsigned char garbage[4096];
    for (uint32_t seed = 1; seed <= 60; seed++) {
        int fd = open_raw(scene_socket(scene));
        cr_assert_geq(fd, 0);
        fill_garbage(garbage, sizeof(garbage), seed);
        if (seed % 3 > 0)
            send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
        if (seed % 3 > 1)
            memcpy(garbage, "\0\0\x40\1\4\0\0\0\1", 9); /* HEADERS whose HPACK is garbage */
        send_raw(fd, garbage, sizeof(garbage));
        close(fd);
    }
    expect_alive(scene);
}

BOTH(survives_frames_that_break_the_rules)
{
#define FRAME(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }
    static const struct {
        const char *data;
        size_t len;
    } frames[] = {
        FRAME("\xff\xff\xff\0\0\0\0\0\1"),               /* DATA of 16 MiB, nothing sent */
        FRAME("\0\0\4\0\0\0\0\0\0abcd"),                 /* DATA on stream 0 */
        FRAME("\0\0\4\3\0\0\0\0\1\0\0\0\x8"),            /* RST_STREAM of an idle stream */
        FRAME("\0\0\4\x8\0\0\0\0\0\x7f\xff\xff\xff"),    /* WINDOW_UPDATE past the maximum */
        FRAME("\0\0\4\x8\0\0\0\0\0\0\0\0\0"),            /* WINDOW_UPDATE of 0 */
        FRAME("\0\0\1\x9\4\0\0\0\1\x82"),                /* CONTINUATION of nothing */
        FRAME("\0\0\5\4\0\0\0\0\0abcde"),                /* SETTINGS of a wrong length */
        FRAME("\0\0\6\4\0\0\0\0\0\0\4\xff\xff\xff\xff"), /* a window of 4 GiB */
        FRAME("\0\0\1\1\4\0\0\0\2\x82"),                 /* a server's stream number */
        FRAME("\0\0\7\1\4\0\0\0\1\xff\xff\xff\xff\xff\xff\x7f"), /* an index of no table */
        FRAME("\0\0\x8\7\0\0\0\0\0\0\0\0\1\0\0\0\0"),            /* GOAWAY */
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
        int fd = open_raw(scene_socket(scene));
        cr_assert_geq(fd, 0);
        send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
        send_raw(fd, frames[i].data, frames[i].len);
        shutdown(fd, SHUT_WR);
        unsigned char rest[4096];
        while (read_whole(fd, rest, 1))
            continue;
        close(fd);
    }
    expect_alive(scene);
}

/* The client that is there keeps being served, and the room is given back. */
BOTH(survives_many_idle_connections)
{
    enum { CONNECTIONS = 200 };
    int fds[CONNECTIONS];
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    for (int i = 0; i < CONNECTIONS; i++)
        fds[i] = open_raw(scene_socket(scene));
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    expect_alive(scene);
}

/* As another user: connects, and tells by its exit status whether the other side spoke. */
static void speak_as_nobody(const char *path)
{
    char byte;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(2);
    int fd = open_raw(path);
    if (fd < 0)
        _exit(3);
    send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
    alarm(PATIENCE_MS / 1000);
    _exit(read(fd, &byte, 1) == 1 ? 1 : 0);
}

GATE(refuses_another_users_connection)
{
    cr_assert_eq(geteuid(), 0, "this test needs root");
    cr_assert_eq(chmod(scene->dir, 0755), 0);
    struct stat info;
    cr_assert_eq(stat(scene->gate_socket, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600, "the socket's mode is %o", info.st_mode & 0777);
    cr_assert_eq(chmod(scene->gate_socket, 0666), 0);
    pid_t pid = fork();
    if (pid == 0)
        speak_as_nobody(scene->gate_socket);
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "the connection was left open: %#x", status);
    cr_assert_eq(WEXITSTATUS(status), 0, "a foreign peer was let in: %d", WEXITSTATUS(status));
    scene_wait_audit(scene, "peer.refused", "65534");
    expect_alive(scene);
}

/* --- peers that make work for nothing ------------------------------------------------------- */

#define COST_MIB 128
#define COST_CPU_S 2

/* A sanitizer's memory and time are its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool measures = false;
#else
static const bool measures = true;
#endif

/* What the gate has used so far. */
struct cost {
    uint64_t peak_kib;
    double cpu_s;
};

static struct cost cost_now(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user, kernel;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *stat = fopen(path, "r");
    cr_assert_not_null(stat);
    cr_assert_not_null(fgets(line, sizeof(line), stat));
    fclose(stat);
    cr_assert_eq(sscanf(strrchr(line, ')') + 2,
                        "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel),
                 2);
    return (struct cost){.peak_kib = scene_proc(pid, "VmHWM"),
                         .cpu_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK)};
}

static void expect_cheap(struct scene *scene, struct cost before)
{
    struct cost after = cost_now(scene->gate_pid);
    fprintf(stderr, "it cost %" PRIu64 " KiB more at the peak, %.2f s of CPU\n",
            after.peak_kib - before.peak_kib, after.cpu_s - before.cpu_s);
    if (measures) {
        cr_assert_lt(after.peak_kib - before.peak_kib, COST_MIB * 1024);
        cr_assert_lt(after.cpu_s - before.cpu_s, COST_CPU_S);
    }
}

/* Sends it all over and over, and reads what comes back, until it is cut off; false: it never was.
 */
static bool is_cut_off(int fd, const struct bytes *what, size_t most)
{
    unsigned char back[16384];
    size_t sent = 0;
    while (sent < most) {
        struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};
        cr_assert_eq(poll(&wait, 1, PATIENCE_MS), 1, "neither taken nor cut off");
        if (wait.revents & POLLIN && recv(fd, back, sizeof(back), MSG_DONTWAIT) == 0)
            return true;
        if (!(wait.revents & POLLOUT))
            continue;
        size_t at = sent % what->len;
        ssize_t more =
            send(fd, (const char *)what->data + at, what->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (more < 0 && errno != EAGAIN)
            return true;
        sent += more > 0 ? (size_t)more : 0;
    }
    return false;
}

static void expect_cut_off(struct scene *scene, const struct bytes *what, size_t most)
{
    expect_alive(scene);
    struct cost before = cost_now(scene->gate_pid);
    int fd = open_raw(scene_socket(scene));
    cr_assert_geq(fd, 0);
    send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
    cr_assert(is_cut_off(fd, what, most), "%zu bytes were taken", most);
    close(fd);
    expect_alive(scene);
    expect_cheap(scene, before);
}

static void add_stream(struct bytes *out, unsigned stream)
{
    struct bytes headers = {0};
    add_header(&headers, ":method", "POST", 4);
    add_header(&headers, ":scheme", "http", 4);
    add_header(&headers, ":path", SERVICE "RunPodSandbox", sizeof(SERVICE "RunPodSandbox") - 1);
    add_header(&headers, ":authority", "localhost", 9);
    add_header(&headers, "te", "trailers", 8);
    add_header(&headers, "content-type", "application/grpc", 16);
    add_frame(out, FRAME_HEADERS, 4, stream, headers.data, headers.len);
    bytes_free(&headers);
}

/* CVE-2023-44487: streams that are opened and reset at once, so that no limit on open ones counts.
 */
GATE(cuts_off_who_resets_streams)
{
    struct bytes streams = {0};
    static const char cancel[] = {0, 0, 0, 8};
    for (unsigned stream = 1; stream < 65535; stream += 2) {
        add_stream(&streams, stream);
        add_frame(&streams, FRAME_RST_STREAM, 0, stream, cancel, sizeof(cancel));
    }
    expect_cut_off(scene, &streams, streams.len);
    bytes_free(&streams);
}

/* A header block without end, in pieces. */
GATE(cuts_off_who_never_ends_its_headers)
{
    static const char piece[16384];
    struct bytes first = {0}, pieces = {0};
    add_frame(&first, FRAME_HEADERS, 0, 1, "", 0);
    for (int i = 0; i < 64; i++) {
        struct bytes header = {0};
        static const char value[120];
        for (size_t len = 0; len + 200 < sizeof(piece); len = header.len)
            add_header(&header, "x", value, sizeof(value));
        add_frame(&pieces, i ? FRAME_CONTINUATION : FRAME_HEADERS, 0, 1, header.data, header.len);
        bytes_free(&header);
    }
    expect_cut_off(scene, &pieces, pieces.len);
    bytes_free(&pieces);
    for (int i = 0; i < 65536; i++)
        add_frame(&first, FRAME_CONTINUATION, 0, 1, "", 0);
    expect_cut_off(scene, &first, first.len);
    bytes_free(&first);
}

/* HPACK: one byte names a header of 4,000 bytes. */
GATE(bears_headers_that_unfold)
{
    static char value[3900];
    memset(value, 'a', sizeof(value));
    struct bytes block = {0}, streams = {0};
    static const unsigned char indexed[] = {0x40, 1, 'x', 0x7f, 0xbd, 0x1d}; /* 127 + 3773 */
    bytes_add(&block, indexed, sizeof(indexed));
    bytes_add(&block, value, sizeof(value));
    for (int i = 0; i < 12000; i++)
        bytes_add(&block, "\xbe", 1); /* the newest entry of the table, again */
    add_frame(&streams, FRAME_HEADERS, 5, 1, block.data, block.len);
    expect_alive(scene);
    struct cost before = cost_now(scene->gate_pid);
    for (int i = 0; i < 20; i++) {
        int fd = open_raw(scene_socket(scene));
        cr_assert_geq(fd, 0);
        send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
        send_raw(fd, streams.data, streams.len);
        wait_for_answer(fd);
        close(fd);
    }
    expect_alive(scene);
    expect_cheap(scene, before);
    bytes_free(&block);
    bytes_free(&streams);
}

/* What the kubelet does when deadlines pass, and more than it does, for a while. */
GATE(keeps_who_gives_up_calls)
{
    static const char cancel[] = {0, 0, 0, 8};
    unsigned char head[9];
    struct bytes streams = {0};
    for (unsigned stream = 1; stream < 2 * 500; stream += 2) {
        add_stream(&streams, stream);
        add_frame(&streams, FRAME_RST_STREAM, 0, stream, cancel, sizeof(cancel));
    }
    int fd = open_raw(scene_socket(scene));
    cr_assert_geq(fd, 0);
    send_raw(fd, PREFACE SETTINGS, sizeof(PREFACE SETTINGS) - 1);
    for (size_t sent = 0; sent < streams.len;) {
        ssize_t more =
            send(fd, (const char *)streams.data + sent, streams.len - sent, MSG_NOSIGNAL);
        cr_assert_gt(more, 0, "cut off after %zu bytes", sent);
        sent += (size_t)more;
    }
    add_frame(&streams, FRAME_PING, 0, 0, "12345678", 8);
    send_raw(fd, (const char *)streams.data + streams.len - 17, 17);
    do {
        unsigned char body[16384];
        cr_assert(read_whole(fd, head, sizeof(head)), "cut off");
        size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        cr_assert_leq(len, sizeof(body));
        cr_assert(read_whole(fd, body, len), "cut off");
    } while (head[3] != FRAME_PING);
    close(fd);
    bytes_free(&streams);
    expect_alive(scene);
}

/* --- descriptors ---------------------------------------------------------------------------- */

GATE(recovers_when_descriptors_were_used_up)
{
    struct rlimit before, none;
    expect_alive(scene);
    cr_assert_eq(prlimit(scene->gate_pid, RLIMIT_NOFILE, NULL, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    cr_assert_eq(prlimit(scene->gate_pid, RLIMIT_NOFILE, &none, NULL), 0);
    int fd = open_raw(scene_socket(scene));
    cr_assert_geq(fd, 0);
    send_call(fd, SERVICE "Status", sizeof(SERVICE "Status") - 1);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&wait, 1, 300), 0, "the gate accepted a connection without a descriptor");
    cr_assert_eq(prlimit(scene->gate_pid, RLIMIT_NOFILE, &before, NULL), 0);
    cr_assert_eq(poll(&wait, 1, measures ? 1000 : PATIENCE_MS), 1, "it did not recover in time");
    wait_for_answer(fd);
    close(fd);
    expect_alive(scene);
}
