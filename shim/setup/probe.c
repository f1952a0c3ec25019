/* SPDX-License-Identifier: Apache-2.0 */
/* Two CRI questions, each on a loop of its own; and the kernel's list of sockets. */
#include "setup/probe.h"

#include <limits.h>
#include <stdio.h>

#include "gate/ask.h"
#include "gate/inspect_status.h"

#define VERSION "/runtime.v1.RuntimeService/Version"
#define STATUS "/runtime.v1.RuntimeService/Status"
#define ONCE_MS 5000

struct question {
    const char *path;
    const struct policy *policy; /* NULL: the answer is not looked into */
    struct loop *loop;
    struct upstream *upstream;
    struct loop_op begin;
    bool answered;
    struct err *err;
};

static int check_handlers(const struct policy *policy, struct str reply, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct str *names;
    size_t count;
    if (inspect_handlers(reply, &arena, &names, &count, err) < 0)
        return -1;
    for (size_t i = 0; count && i < policy_handler_count(policy); i++) {
        struct str wanted = policy_handler_at(policy, i).runtime->handler;
        size_t at = 0;
        while (at < count && !str_eq(names[at], wanted))
            at++;
        if (at == count)
            return err_set(err,
                           "Status does not name the runtime %.*s, which the policy declares: "
                           "is it in the configuration of the containerd that runs?",
                           STR_FMT(wanted));
    }
    return 0;
}

static void on_answer(void *cookie, const struct answer *answer)
{
    struct question *question = cookie;
    if (answer->code != GRPC_STATUS_OK)
        err_set(question->err, "%s: %.*s", strrchr(question->path, '/') + 1,
                STR_FMT(answer->message));
    else
        question->answered = !question->policy ||
                             check_handlers(question->policy, answer->reply, question->err) == 0;
    loop_stop(question->loop);
}

static void on_begin(struct loop_op *op, bool ok)
{
    struct question *question = container_of(op, struct question, begin);
    struct ask_options options = {
        .path = question->path, .request = STR(""), .timeout_ms = ONCE_MS};
    (void)ok;
    if (ask_containerd(question->upstream, &options, on_answer, question, NULL, question->err) < 0)
        loop_stop(question->loop);
}

static bool ask(const char *socket, const char *path, const struct policy *policy, struct err *err)
{
    OWNED(own_loop) struct loop *loop = NULL;
    OWNED(own_upstream) struct upstream *upstream = NULL;
    if (loop_create(&loop, err) < 0 || upstream_create(socket, loop, &upstream, err) < 0)
        return false;
    struct question question = {.path = path,
                                .policy = policy,
                                .loop = loop,
                                .upstream = upstream,
                                .begin = {.done = on_begin},
                                .err = err};
    loop_post(loop, &question.begin);
    loop_run(loop);
    return question.answered;
}

int probe_cri(const char *socket, const struct policy *policy, struct err *err)
{
    grpc_init();
    bool answered = ask(socket, VERSION, NULL, err) && ask(socket, STATUS, policy, err);
    grpc_shutdown();
    return answered ? 0 : -1;
}

/* Lines of /proc/net/unix: address, references, protocol, flags, type, state, inode, path. */
static bool is_connection(const char *line, const char *path, unsigned long *inode)
{
    char state[8], found[PATH_MAX];
    return sscanf(line, "%*s %*s %*s %*s %*s %7s %lu %4095s", state, inode, found) == 3 &&
           strcmp(state, "03") == 0 && strcmp(found, path) == 0;
}

void probe_list_peers(const char *socket, struct probe_peers *peers)
{
    OWNED_FILE FILE *list = fopen("/proc/net/unix", "re");
    OWNED_MEM char *line = NULL;
    size_t room = 0;
    peers->count = 0;
    while (list && peers->count < PROBE_PEERS_MAX && getline(&line, &room, list) >= 0) {
        if (is_connection(line, socket, &peers->inodes[peers->count]))
            peers->count++;
    }
}

bool probe_has_new_peer(const struct probe_peers *before, const struct probe_peers *now)
{
    for (size_t i = 0; i < now->count; i++) {
        size_t at = 0;
        while (at < before->count && before->inodes[at] != now->inodes[i])
            at++;
        if (at == before->count)
            return true;
    }
    return false;
}
