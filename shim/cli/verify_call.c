/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking call: a loop and a channel for it alone, since what verify asks is asked in turn. */
#include "cli/verify_call.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

struct errand {
    const char *socket;
    struct loop *loop;
    struct upstream *upstream;
    struct ask_options options;
    struct arena *arena;
    struct loop_op begin;
    struct answer answer;
};

static struct answer trouble(struct arena *arena, const char *text)
{
    struct str copy = arena_str(arena, str_of(text));
    return (struct answer){.code = GRPC_STATUS_INTERNAL,
                           .message = copy.data ? copy : STR("memory is out"),
                           .reply = STR("")};
}

static int explain_socket(const char *socket, int error, struct err *err)
{
    if (error == ENOENT || error == ENOTDIR)
        return err_set(err,
                       "the gate's socket %s does not exist: does `crigate serve` run, and is "
                       "`listen` in the settings its socket?",
                       socket);
    if (error == EACCES || error == EPERM)
        return err_set(err, "permission denied at the gate's socket %s: run this as root (sudo)",
                       socket);
    if (error == ECONNREFUSED)
        return err_set(err,
                       "nobody answers at the gate's socket %s: start `crigate serve`, or see "
                       "`systemctl status crigate`",
                       socket);
    return err_set_errno(err, error, "the gate's socket %s", socket);
}

/* A full backlog (EAGAIN) may have room when gRPC connects. */
int verify_gate_is_there(const char *socket_path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof(address.sun_path))
        return err_set(err, "the gate's socket %s: the path is too long", socket_path);
    strcpy(address.sun_path, socket_path);
    OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "no socket can be made");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
        return explain_socket(socket_path, errno, err);
    return 0;
}

/* upstream_explain() takes whom it asks for containerd. -1: it was the gate that did not answer,
 * and `err` says so. */
static int explain_silence(const struct errand *errand, struct err *err)
{
    const char *socket = errand->socket;
    struct err ours;
    if (verify_gate_is_there(socket, err) < 0)
        return -1;
    err_set(&ours, "crigate: containerd cannot be reached at %s:", socket);
    if (!str_starts(errand->answer.message, str_of(ours.text)))
        return 0;
    return err_set(err,
                   "the gate at %s closes the connection: is this user, %u, one of `peers` in the "
                   "settings, and does the gate's log tell more?",
                   socket, geteuid());
}

static void on_answer(void *cookie, const struct answer *answer)
{
    struct errand *errand = cookie;
    errand->answer = (struct answer){.code = answer->code,
                                     .message = arena_str(errand->arena, answer->message),
                                     .reply = arena_str(errand->arena, answer->reply)};
    if (!errand->answer.message.data || !errand->answer.reply.data)
        errand->answer = trouble(errand->arena, "memory is out");
    loop_stop(errand->loop);
}

static void on_begin(struct loop_op *op, bool ok)
{
    struct errand *errand = container_of(op, struct errand, begin);
    struct err err = {0};
    (void)ok;
    if (ask_containerd(errand->upstream, &errand->options, on_answer, errand, NULL, &err) == 0)
        return;
    errand->answer = trouble(errand->arena, err.text);
    loop_stop(errand->loop);
}

struct answer verify_call(const char *socket, const char *path, struct str request, int timeout_ms,
                          struct arena *arena)
{
    OWNED(own_loop) struct loop *loop = NULL;
    OWNED(own_upstream) struct upstream *upstream = NULL;
    struct err err = {0};
    if (!request.data)
        return trouble(arena, "memory is out");
    if (verify_gate_is_there(socket, &err) < 0 || loop_create(&loop, &err) < 0 ||
        upstream_create(socket, loop, &upstream, &err) < 0)
        return trouble(arena, err.text);
    struct errand errand = {
        .socket = socket,
        .loop = loop,
        .upstream = upstream,
        .options = {.path = path, .request = request, .timeout_ms = timeout_ms},
        .arena = arena,
        .begin = {.done = on_begin},
    };
    loop_post(loop, &errand.begin);
    loop_run(loop);
    if (errand.answer.code == GRPC_STATUS_UNAVAILABLE && explain_silence(&errand, &err) < 0)
        return trouble(arena, err.text);
    return errand.answer;
}
