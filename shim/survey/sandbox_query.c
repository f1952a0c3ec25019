/* SPDX-License-Identifier: Apache-2.0 */
/* One ListPodSandbox, then PodSandboxStatus for each ready sandbox, on a loop of its own. */
#include "survey/sandbox_query.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "gate/ask.h"

#define LIST "/runtime.v1.RuntimeService/ListPodSandbox"
#define STATUS "/runtime.v1.RuntimeService/PodSandboxStatus"
#define AT_ONCE ((size_t)16) /* status calls: enough to hide the latency, no load on containerd */

struct inquiry;

/* One status call on its way. */
struct slot {
    struct inquiry *inquiry;
    struct queried_sandbox *sandbox; /* NULL: the slot is free */
    struct ask *ask;
};

struct inquiry {
    const char *socket;
    int64_t deadline; /* CLOCK_MONOTONIC, ms */
    int timeout_ms;
    struct sandbox_query *query;
    struct loop *loop;
    struct upstream *upstream;
    struct loop_op begin, braked;
    struct sandbox_query_brake *brake; /* NULL: none */
    struct ask *list;                  /* on its way, or NULL */
    struct slot slots[AT_ONCE];
    size_t next, running; /* the next sandbox to ask about; calls on their way */
    bool failed;          /* `err` says why; what still runs is cancelled */
    struct err *err;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int remaining_ms(const struct inquiry *inquiry)
{
    int64_t left = inquiry->deadline - now_ms();
    return left > 1 ? (int)left : 1;
}

static void fail(struct inquiry *inquiry)
{
    inquiry->failed = true;
    if (inquiry->list)
        ask_cancel(inquiry->list);
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (inquiry->slots[i].sandbox)
            ask_cancel(inquiry->slots[i].ask);
    }
}

static void fail_with(struct inquiry *inquiry, const struct answer *answer)
{
    if (answer->code == GRPC_STATUS_DEADLINE_EXCEEDED)
        err_set(inquiry->err,
                "containerd at %s did not answer within %d s: look at `systemctl status "
                "containerd` and the load of this node",
                inquiry->socket, inquiry->timeout_ms / 1000);
    else if (answer->code == GRPC_STATUS_UNIMPLEMENTED)
        err_set(inquiry->err,
                "what listens at %s does not speak runtime.v1 of the CRI (%.*s): is `upstream` "
                "in the settings containerd's socket, and its CRI plugin not disabled?",
                inquiry->socket, STR_FMT(answer->message));
    else
        err_set(inquiry->err, "containerd at %s could not be asked: %.*s", inquiry->socket,
                STR_FMT(answer->message));
    fail(inquiry);
}

static void fail_for_memory(struct inquiry *inquiry)
{
    err_set(inquiry->err, "memory is out");
    fail(inquiry);
}

/* --- the brake ------------------------------------------------------------------------------ */

static void on_braked(struct loop_op *op, bool ok)
{
    struct inquiry *inquiry = container_of(op, struct inquiry, braked);
    (void)ok;
    if (inquiry->failed)
        return;
    err_set(inquiry->err, "the question to containerd was given up");
    fail(inquiry);
}

/* From now until release() the brake may post to the loop. */
static void attach(struct inquiry *inquiry)
{
    struct sandbox_query_brake *brake = inquiry->brake;
    loop_post(inquiry->loop, &inquiry->begin);
    if (!brake)
        return;
    pthread_mutex_lock(&brake->lock);
    brake->running = inquiry;
    if (brake->pulled)
        loop_post(inquiry->loop, &inquiry->braked);
    pthread_mutex_unlock(&brake->lock);
}

/* Nobody may post to a loop that stops. */
static void release(struct inquiry *inquiry)
{
    struct sandbox_query_brake *brake = inquiry->brake;
    if (!brake)
        return;
    pthread_mutex_lock(&brake->lock);
    brake->running = NULL;
    pthread_mutex_unlock(&brake->lock);
}

void sandbox_query_brake(struct sandbox_query_brake *brake)
{
    pthread_mutex_lock(&brake->lock);
    if (!brake->pulled && brake->running)
        loop_post(brake->running->loop, &brake->running->braked);
    brake->pulled = true;
    pthread_mutex_unlock(&brake->lock);
}

/* --- the namespaces of one sandbox after the other ------------------------------------------ */

static void go_on(struct inquiry *inquiry);

/* Whether the trouble is containerd's as a whole, not this sandbox's. */
static bool is_general(grpc_status_code code)
{
    return code == GRPC_STATUS_UNAVAILABLE || code == GRPC_STATUS_DEADLINE_EXCEEDED ||
           code == GRPC_STATUS_CANCELLED || code == GRPC_STATUS_UNIMPLEMENTED;
}

static int note_trouble(struct inquiry *inquiry, struct queried_sandbox *sandbox, struct str why)
{
    sandbox->trouble = arena_str(&inquiry->query->arena, why.len ? why : STR("no reason given"));
    return sandbox->trouble.data ? 0 : -1;
}

static int take_status(struct inquiry *inquiry, struct queried_sandbox *sandbox,
                       const struct answer *answer)
{
    if (answer->code == GRPC_STATUS_NOT_FOUND) {
        sandbox->gone = true;
        return 0;
    }
    if (answer->code != GRPC_STATUS_OK)
        return note_trouble(inquiry, sandbox, answer->message);
    OWNED_ARENA struct arena scratch = {0};
    struct err why = {0};
    struct str id, handler;
    /* An answer about nothing would read as a pod without host namespaces. */
    if (inspect_sandbox_status(answer->reply, &id, &handler, &why) < 0)
        return note_trouble(inquiry, sandbox, str_of(why.text));
    if (!str_eq(id, sandbox->facts.id))
        return note_trouble(inquiry, sandbox, STR("it answered about another sandbox"));
    if (inspect_sandbox_namespaces(answer->reply, &scratch, &sandbox->facts, &why) < 0)
        return note_trouble(inquiry, sandbox, str_of(why.text));
    return 0;
}

static void on_status(void *cookie, const struct answer *answer)
{
    struct slot *slot = cookie;
    struct inquiry *inquiry = slot->inquiry;
    struct queried_sandbox *sandbox = steal_ptr(&slot->sandbox);
    inquiry->running--;
    if (!inquiry->failed) {
        if (is_general(answer->code))
            fail_with(inquiry, answer);
        else if (take_status(inquiry, sandbox, answer) < 0)
            fail_for_memory(inquiry);
    }
    go_on(inquiry);
}

static void ask_status(struct inquiry *inquiry, struct slot *slot, struct queried_sandbox *sandbox)
{
    OWNED_ARENA struct arena scratch = {0};
    struct ask_options options = {
        .path = STATUS,
        .request = inspect_sandbox_request(sandbox->facts.id, &scratch),
        .timeout_ms = remaining_ms(inquiry),
    };
    *slot = (struct slot){.inquiry = inquiry, .sandbox = sandbox};
    if (options.request.data && ask_containerd(inquiry->upstream, &options, on_status, slot,
                                               &slot->ask, inquiry->err) == 0) {
        inquiry->running++;
        return;
    }
    slot->sandbox = NULL;
    if (!options.request.data)
        err_set(inquiry->err, "memory is out");
    fail(inquiry);
}

static struct queried_sandbox *next_ready(struct inquiry *inquiry)
{
    while (inquiry->next < inquiry->query->count) {
        struct queried_sandbox *sandbox = &inquiry->query->items[inquiry->next++];
        if (sandbox->facts.ready)
            return sandbox;
    }
    return NULL;
}

/* Fills the free slots; ends the loop when all is said, or nothing more will be. */
static void go_on(struct inquiry *inquiry)
{
    for (size_t i = 0; i < AT_ONCE && !inquiry->failed; i++) {
        struct queried_sandbox *sandbox = inquiry->slots[i].sandbox ? NULL : next_ready(inquiry);
        if (sandbox)
            ask_status(inquiry, &inquiry->slots[i], sandbox);
    }
    if (inquiry->running > 0)
        return;
    release(inquiry);
    loop_stop(inquiry->loop);
}

/* --- the list ------------------------------------------------------------------------------ */

static int take_list(struct inquiry *inquiry, struct str reply)
{
    struct sandbox_query *query = inquiry->query;
    struct sandbox_facts *list;
    struct str copy = arena_str(&query->arena, reply);
    size_t count;
    if (!copy.data)
        return err_set(inquiry->err, "memory is out");
    if (inspect_sandboxes(copy, &query->arena, &list, &count, inquiry->err) < 0)
        return err_wrap(inquiry->err, "containerd at %s", inquiry->socket);
    query->items = arena_array(&query->arena, count, sizeof(*query->items));
    if (!query->items)
        return err_set(inquiry->err, "memory is out");
    for (size_t i = 0; i < count; i++)
        query->items[i] = (struct queried_sandbox){.facts = list[i], .trouble = STR("")};
    query->count = count;
    return 0;
}

static void on_list(void *cookie, const struct answer *answer)
{
    struct inquiry *inquiry = cookie;
    inquiry->running--;
    inquiry->list = NULL;
    if (inquiry->failed) {
        go_on(inquiry);
        return;
    }
    if (answer->code != GRPC_STATUS_OK)
        fail_with(inquiry, answer);
    else if (take_list(inquiry, answer->reply) < 0)
        fail(inquiry);
    go_on(inquiry);
}

static void on_begin(struct loop_op *op, bool ok)
{
    struct inquiry *inquiry = container_of(op, struct inquiry, begin);
    struct ask_options options = {
        .path = LIST, .request = STR(""), .timeout_ms = remaining_ms(inquiry)};
    (void)ok;
    if (ask_containerd(inquiry->upstream, &options, on_list, inquiry, &inquiry->list,
                       inquiry->err) == 0) {
        inquiry->running++;
        return;
    }
    fail(inquiry);
    go_on(inquiry);
}

/* --- the whole ----------------------------------------------------------------------------- */

static int explain_socket(const char *socket, int error, struct err *err)
{
    if (error == ENOENT || error == ENOTDIR)
        return err_set(err,
                       "containerd's socket %s does not exist: is containerd running, and is "
                       "`upstream` in the settings its socket?",
                       socket);
    if (error == EACCES || error == EPERM)
        return err_set(err,
                       "permission denied at containerd's socket %s: who asks must run as root "
                       "(sudo), or be in the socket's group",
                       socket);
    if (error == ECONNREFUSED)
        return err_set(err,
                       "nobody answers at containerd's socket %s: start containerd, or see "
                       "`systemctl status containerd`",
                       socket);
    return err_set_errno(err, error, "containerd's socket %s", socket);
}

/* gRPC would say less, and later. A full backlog (EAGAIN) may have room when gRPC connects. */
static int probe(const char *socket_path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof(address.sun_path))
        return err_set(err, "containerd's socket %s: the path is too long", socket_path);
    strcpy(address.sun_path, socket_path);
    OWNED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, errno, "no socket can be made");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
        return explain_socket(socket_path, errno, err);
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct sandbox_facts *a = &((const struct queried_sandbox *)left)->facts;
    const struct sandbox_facts *b = &((const struct queried_sandbox *)right)->facts;
    int order = str_cmp(a->pod.namespace, b->pod.namespace);
    order = order ? order : str_cmp(a->pod.name, b->pod.name);
    if (order == 0 && a->created_at != b->created_at)
        order = a->created_at > b->created_at ? -1 : 1;
    return order ? order : str_cmp(a->id, b->id);
}

static void drop_gone(struct sandbox_query *query)
{
    size_t kept = 0;
    for (size_t i = 0; i < query->count; i++) {
        if (!query->items[i].gone)
            query->items[kept++] = query->items[i];
    }
    query->count = kept;
}

int sandbox_query_run(const struct sandbox_query_options *options, struct sandbox_query *query,
                      struct err *err)
{
    OWNED(own_loop) struct loop *loop = NULL;
    OWNED(own_upstream) struct upstream *upstream = NULL;
    *query = (struct sandbox_query){0};
    if (probe(options->socket, err) < 0 || loop_create(&loop, err) < 0 ||
        upstream_create(options->socket, loop, &upstream, err) < 0)
        return -1;
    struct inquiry inquiry = {
        .socket = options->socket,
        .deadline = now_ms() + options->timeout_ms,
        .timeout_ms = options->timeout_ms,
        .query = query,
        .loop = loop,
        .upstream = upstream,
        .begin = {.done = on_begin},
        .braked = {.done = on_braked},
        .brake = options->brake,
        .err = err,
    };
    attach(&inquiry);
    loop_run(loop);
    if (inquiry.failed) {
        sandbox_query_free(query);
        return -1;
    }
    drop_gone(query);
    if (query->count)
        qsort(query->items, query->count, sizeof(*query->items), compare);
    return 0;
}

void sandbox_query_free(struct sandbox_query *query)
{
    arena_free(&query->arena);
    *query = (struct sandbox_query){0};
}
