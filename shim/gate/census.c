/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sandboxes: who fills it, and when it is read anew. */
#include "gate/census.h"

#include "base/arena.h"
#include "base/say.h"
#include "base/writer.h"
#include "gate/inspect_sandboxes.h"
#include "gate/sandboxes.h"

#define LIST_TIMEOUT_MS 30000
/* Containerd listens before it can answer: the list is asked for again, ever more slowly. */
#define RETRY_FIRST_MS 250
#define RETRY_LAST_MS 60000

struct census {
    struct upstream *upstream;
    struct loop *loop;
    struct sandboxes *sandboxes;
    struct loop_op changed_op; /* in flight from the start to the stop */
    struct loop_op retry_op;
    struct ask *list; /* under way, or NULL */
    int retry_ms;
    uint64_t drops; /* counts them */
    bool stopping;
    bool complete;      /* a whole list has been read since the start */
    bool list_again;    /* containerd came back while a list was under way */
    bool retry_pending; /* retry_op waits */
    bool warned;        /* of the failure that goes on */
};

/* A question, and who asks. */
struct search {
    struct census *census;
    uint64_t drops; /* the census's when it was asked */
    census_fn *found;
    void *cookie;
};

static void ask_for_list(struct census *census);

/* --- the list ------------------------------------------------------------------------------ */

static void put_listed(void *cookie, struct str id, struct str handler)
{
    sandboxes_put(cookie, id, handler);
}

static void warn_once(struct census *census, struct str message)
{
    if (census->warned)
        return;
    census->warned = true;
    char text[512];
    struct writer writer = writer_make(text, sizeof(text));
    writer_short(&writer, message);
    say_field("CRIGATE_EVENT=sandboxes-unknown");
    say_warn(
        "containerd does not list its sandboxes: %s; until it does, it is asked about each one "
        "that gets a container",
        text);
}

/* Another try, unless the connection is gone: then its return is the next try. */
static void retry_later(struct census *census)
{
    if (census->retry_pending || upstream_state(census->upstream, false) != GRPC_CHANNEL_READY)
        return;
    census->retry_pending = true;
    loop_after(census->loop, &census->retry_op, census->retry_ms);
    census->retry_ms *= 2;
    if (census->retry_ms > RETRY_LAST_MS)
        census->retry_ms = RETRY_LAST_MS;
}

static void on_retry(struct loop_op *op, bool ok)
{
    struct census *census = container_of(op, struct census, retry_op);
    (void)ok;
    census->retry_pending = false;
    if (!census->stopping && !census->list)
        ask_for_list(census);
}

static bool read_list(struct census *census, const struct answer *answer)
{
    struct err err;
    if (answer->code != GRPC_STATUS_OK) {
        warn_once(census, answer->message);
        return false;
    }
    if (inspect_sandbox_list(answer->reply, put_listed, census->sandboxes, &err) < 0) {
        warn_once(census, str_of(err.text));
        return false;
    }
    return true;
}

static void on_list(void *cookie, const struct answer *answer)
{
    struct census *census = cookie;
    census->list = NULL;
    if (census->stopping)
        return;
    if (census->list_again) {
        census->list_again = false;
        ask_for_list(census);
        return;
    }
    bool whole = read_list(census, answer);
    sandboxes_list_end(census->sandboxes, whole);
    if (whole) {
        if (!census->complete || census->warned)
            say_info("containerd has %zu sandboxes", sandboxes_count(census->sandboxes));
        census->complete = true;
        census->warned = false;
    } else if (answer->code != GRPC_STATUS_UNIMPLEMENTED) {
        retry_later(census);
    }
}

static void ask_for_list(struct census *census)
{
    static const struct ask_options options = {
        .path = "/runtime.v1.RuntimeService/ListPodSandbox",
        .request = {.data = "", .len = 0},
        .timeout_ms = LIST_TIMEOUT_MS,
    };
    struct err err;
    sandboxes_list_begin(census->sandboxes);
    if (ask_containerd(census->upstream, &options, on_list, census, &census->list, &err) == 0)
        return;
    sandboxes_list_end(census->sandboxes, false);
    warn_once(census, str_of(err.text));
    retry_later(census);
}

/* --- the connection ------------------------------------------------------------------------ */

/* It is not we who bring containerd's connection back, once it has been there: the kubelet's next
 * call does. */
static void watch(struct census *census)
{
    grpc_connectivity_state state = upstream_state(census->upstream, !census->complete);
    upstream_watch(census->upstream, state, &census->changed_op);
    if (state != GRPC_CHANNEL_READY)
        return;
    census->retry_ms = RETRY_FIRST_MS;
    if (census->list) {
        census->list_again = true;
        ask_cancel(census->list);
    } else {
        ask_for_list(census);
    }
}

/* Ready again, it has been away in between, however short: each change comes here. */
static void on_changed(struct loop_op *op, bool ok)
{
    struct census *census = container_of(op, struct census, changed_op);
    (void)ok;
    if (!census->stopping)
        watch(census);
}

/* --- for the calls ------------------------------------------------------------------------- */

void census_put(struct census *census, struct str id, struct str handler)
{
    if (id.len)
        sandboxes_put(census->sandboxes, id, handler);
}

void census_drop(struct census *census, struct str id)
{
    census->drops++;
    if (id.len)
        sandboxes_drop(census->sandboxes, id);
}

/* Unless it may be the one that was dropped since: nothing would take it out again. */
static void put_found(const struct search *search, const struct census_finding *finding)
{
    if (search->drops == search->census->drops)
        census_put(search->census, finding->id, finding->handler);
}

static void on_status(void *cookie, const struct answer *answer)
{
    OWNED_MEM struct search *search = cookie;
    struct census_finding finding = {.code = answer->code, .message = answer->message};
    struct err err;
    if (answer->code == GRPC_STATUS_OK) {
        if (inspect_sandbox_status(answer->reply, &finding.id, &finding.handler, &err) == 0) {
            put_found(search, &finding);
        } else {
            finding.code = GRPC_STATUS_INTERNAL;
            finding.message = str_of(err.text);
        }
    }
    search->found(search->cookie, &finding);
}

static int ask_for_one(struct search *search, struct str id, int timeout_ms, struct ask **ask,
                       struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct ask_options options = {
        .path = "/runtime.v1.RuntimeService/PodSandboxStatus",
        .request = inspect_sandbox_request(id, &arena),
        .timeout_ms = timeout_ms,
    };
    if (!options.request.data)
        return err_set(err, "a question to containerd: out of memory");
    return ask_containerd(search->census->upstream, &options, on_status, search, ask, err);
}

struct ask *census_find(struct census *census, struct str id, int timeout_ms, census_fn *found,
                        void *cookie)
{
    struct census_finding finding = {.code = GRPC_STATUS_OK, .id = id};
    if (sandboxes_find(census->sandboxes, id, &finding.handler)) {
        found(cookie, &finding);
        return NULL;
    }
    OWNED_MEM struct search *search = malloc(sizeof(*search));
    struct err err;
    struct ask *ask = NULL;
    int asked = -1;
    if (search) {
        *search = (struct search){
            .census = census, .drops = census->drops, .found = found, .cookie = cookie};
        asked = ask_for_one(search, id, timeout_ms, &ask, &err);
    } else {
        err_set(&err, "a question to containerd: out of memory");
    }
    if (asked == 0) {
        steal_ptr(&search);
        return ask;
    }
    finding = (struct census_finding){.code = GRPC_STATUS_UNAVAILABLE, .message = str_of(err.text)};
    found(cookie, &finding);
    return NULL;
}

bool census_each(const struct census *census, void (*tell)(void *cookie, struct str handler),
                 void *cookie)
{
    sandboxes_each(census->sandboxes, tell, cookie);
    return census->complete;
}

/* --- from the start to the stop ------------------------------------------------------------ */

struct census *census_create(struct upstream *upstream, struct loop *loop)
{
    OWNED(own_census) struct census *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    *made = (struct census){
        .upstream = upstream,
        .loop = loop,
        .sandboxes = sandboxes_create(),
        .changed_op = {.done = on_changed},
        .retry_op = {.done = on_retry},
    };
    return made->sandboxes ? steal_ptr(&made) : NULL;
}

void census_destroy(struct census *census)
{
    if (!census)
        return;
    sandboxes_destroy(census->sandboxes);
    free(census);
}

void census_start(struct census *census)
{
    watch(census);
}

void census_stop(struct census *census)
{
    census->stopping = true;
    if (census->list)
        ask_cancel(census->list);
    upstream_close(census->upstream);
}
