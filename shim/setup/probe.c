/* SPDX-License-Identifier: Apache-2.0 */
/* Two CRI questions on a loop of their own, again and again until they are answered. */
#include "setup/probe.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "base/deadline.h"
#include "gate/ask.h"
#include "gate/inspect_status.h"

#define VERSION "/runtime.v1.RuntimeService/Version"
#define STATUS "/runtime.v1.RuntimeService/Status"
#define ONCE_MS 5000
#define PAUSE_MS 100

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

static void pause_ms(int milliseconds)
{
    struct timespec time = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&time, NULL);
}

int probe_cri(const char *socket, const struct policy *policy, int timeout_ms, struct err *err)
{
    int64_t end = deadline_now_ms() + timeout_ms;
    struct err last = {0};
    bool answered;
    grpc_init();
    do {
        answered = ask(socket, VERSION, NULL, &last) && ask(socket, STATUS, policy, &last);
        if (!answered)
            pause_ms(PAUSE_MS);
    } while (!answered && deadline_now_ms() < end);
    grpc_shutdown();
    return answered ? 0 : err_set(err, "%s does not answer as it should: %s", socket, last.text);
}

/* Lines of /proc/net/unix: address, references, protocol, flags, type, state, inode, path. */
static bool is_connection(const char *line, const char *path)
{
    char state[8], found[PATH_MAX];
    return sscanf(line, "%*s %*s %*s %*s %*s %7s %*s %4095s", state, found) == 2 &&
           strcmp(state, "03") == 0 && strcmp(found, path) == 0;
}

bool probe_is_connected(const char *socket)
{
    OWNED_FILE FILE *list = fopen("/proc/net/unix", "re");
    OWNED_MEM char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (list && !found && getline(&line, &room, list) >= 0)
        found = is_connection(line, socket);
    return found;
}
