/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the parts start and stop. */
#include "daemon/daemon.h"

#include <malloc.h>
#include <signal.h>

#include "base/say.h"
#include "base/version.h"
#include "config/policy_file.h"
#include "config/settings.h"
#include "daemon/collect.h"
#include "daemon/confine.h"
#include "daemon/drain.h"
#include "daemon/service.h"
#include "daemon/watcher.h"
#include "gate/server.h"
#include "status/http.h"

/* Calls that run at SIGTERM get this long to end. */
#define GRACE_SECONDS 10

/* A SIEM that hears nothing for longer knows that the gate is down. */
#define HEARTBEAT_SECONDS 60
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct daemon {
    struct settings settings;
    struct service_sockets sockets;
    struct audit *audit;
    struct peers peers;
    struct loop *loop;
    struct gate gate;
    struct server *server;
    struct listener *listener;
    struct live_policy policy;
    struct live_labels *labels;
    struct watcher *watcher;
    struct http *http;
    int64_t started; /* CLOCK_REALTIME, seconds */
    struct service_watchdog watchdog;
    struct drain drain;
    bool signalled; /* `terminate` is posted; the watcher's, while it runs */
    struct loop_op terminate, over;
};

/* --- configuration ------------------------------------------------------------------------- */

static int load_configuration(struct daemon *daemon, const char *path)
{
    OWNED_DIAGS struct diags diags = {0};
    if (settings_load(path, &diags, &daemon->settings) < 0) {
        diags_print(&diags, stderr);
        return -1;
    }
    int loaded = policy_file_load(daemon->settings.policy, &diags, &daemon->gate.policy);
    diags_print(&diags, stderr);
    return loaded;
}

/* --- stopping ------------------------------------------------------------------------------ */

/* What still runs is out of time. */
static void on_drained(struct drain *drain)
{
    struct daemon *daemon = container_of(drain, struct daemon, drain);
    listener_close(steal_ptr(&daemon->listener));
    server_shutdown(daemon->server, &daemon->over);
}

static void on_terminate(struct loop_op *op, bool ok)
{
    struct daemon *daemon = container_of(op, struct daemon, terminate);
    (void)ok;
    say_field("CRIGATE_EVENT=stopping");
    say_info("stopping: running calls have %d s to end", GRACE_SECONDS);
    service_stopping();
    daemon->drain =
        (struct drain){.gate = &daemon->gate, .listener = daemon->listener, .over = on_drained};
    drain_start(&daemon->drain, GRACE_SECONDS);
}

/* Nobody may post when the loop stops: the threads that do end first. */
static void on_over(struct loop_op *op, bool ok)
{
    struct daemon *daemon = container_of(op, struct daemon, over);
    (void)ok;
    watcher_stop(daemon->watcher);
    live_labels_stop(daemon->labels);
    census_stop(daemon->gate.census);
    http_stop(daemon->http);
    service_watchdog_stop(&daemon->watchdog);
    loop_stop(daemon->loop);
}

/* --- what the watcher tells, on its thread ------------------------------------------------- */

static bool on_signal(void *cookie, int number)
{
    struct daemon *daemon = cookie;
    if (number == SIGUSR1) {
        say_info("SIGUSR1: opening the audit log anew");
        audit_reopen(daemon->audit);
        return true;
    }
    if (number != SIGHUP) {
        daemon->signalled = true;
        loop_post(daemon->loop, &daemon->terminate);
        return false;
    }
    say_info("SIGHUP: reading policy and labels");
    service_reloading();
    live_policy_look(&daemon->policy, true);
    live_labels_look(daemon->labels, true);
    service_ready("serving");
    return true;
}

static void on_policy_changed(void *cookie)
{
    struct daemon *daemon = cookie;
    live_policy_look(&daemon->policy, false);
}

static void on_labels_changed(void *cookie)
{
    struct daemon *daemon = cookie;
    live_labels_look(daemon->labels, false);
}

/* --- starting ------------------------------------------------------------------------------ */

/* A reply of 64 MiB should not stay in the daemon's size for good: large blocks go back to the
 * kernel when they are freed, and threads share two heaps. */
static void bound_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

static void record(struct daemon *daemon, const char *type)
{
    struct audit_event event = {.type = type, .policy = daemon->gate.policy};
    audit_record(daemon->audit, &event, NULL, NULL, NULL);
}

static void record_start(struct daemon *daemon)
{
    struct audit_event event = {
        .type = "start", .policy = daemon->gate.policy, .version = str_of(crigate_version)};
    live_labels_describe(daemon->labels, &event);
    audit_record(daemon->audit, &event, NULL, NULL, NULL);
    record(daemon, "policy.loaded");
}

static int open_listener(struct daemon *daemon, struct err *err)
{
    const struct settings *settings = &daemon->settings;
    const struct listen_options options = {
        .path = settings->listen,
        .inherited = daemon->sockets.cri,
        .uids = settings->peer_uids,
        .uid_count = settings->peer_uid_count,
        .peers = &daemon->peers,
    };
    return listener_open(&options, &daemon->listener, err);
}

static int open_parts(struct daemon *daemon, struct err *err)
{
    static const enum audit_format formats[] = {
        [SETTINGS_NATIVE] = AUDIT_NATIVE, [SETTINGS_ECS] = AUDIT_ECS, [SETTINGS_OCSF] = AUDIT_OCSF};
    const struct settings *settings = &daemon->settings;
    struct audit_options audit = {
        .path = settings->audit.file,
        .node = str_of(settings->node_name),
        .owner = settings->audit.owner,
        .group = settings->audit.group,
        .max_size = settings->audit.max_size,
        .max_age_s = (uint32_t)settings->audit.max_age_s,
        .keep = (uint32_t)settings->audit.keep,
        .repeat_window_s = (uint32_t)settings->audit.repeat_window_s,
        .continue_on_failure = settings->audit.on_failure == SETTINGS_CONTINUE,
        .heartbeat_s = HEARTBEAT_SECONDS,
        .journal = JOURNAL_SOCKET,
        .format = formats[settings->audit.format],
    };
    /* The socket first: it tells whether another daemon serves already. */
    if (open_listener(daemon, err) < 0 || audit_open(&audit, &daemon->audit, err) < 0 ||
        watcher_create(on_signal, daemon, &daemon->watcher, err) < 0 ||
        loop_create(&daemon->loop, err) < 0 ||
        upstream_create(settings->upstream, daemon->loop, &daemon->gate.upstream, err) < 0)
        return -1;
    if (live_labels_open(settings, &daemon->gate, &daemon->labels, err) < 0)
        return -1;
    daemon->gate.census = census_create(daemon->gate.upstream, daemon->loop);
    if (!daemon->gate.census)
        return err_set(err, "the table of sandboxes: out of memory");
    daemon->gate.stats = stats_create();
    if (!daemon->gate.stats)
        return err_set(err, "the counters: out of memory");
    daemon->gate.loop = daemon->loop;
    daemon->gate.audit = daemon->audit;
    daemon->gate.peers = &daemon->peers;
    return server_create(&daemon->gate, &daemon->server, err);
}

static void adopt(void *cookie, int fd)
{
    struct daemon *daemon = cookie;
    server_adopt(daemon->server, fd);
}

static int collect(void *cookie, struct snapshot *snapshot)
{
    const struct daemon *daemon = cookie;
    const struct collect_sources sources = {
        .settings = &daemon->settings,
        .gate = &daemon->gate,
        .listener = daemon->listener,
        .policy = &daemon->policy,
        .labels = daemon->labels,
        .started = daemon->started,
    };
    return collect_snapshot(&sources, snapshot);
}

/* Pods do not wait for a page: a port that is taken is a warning. */
static void warn_of_http(const struct err *err)
{
    say_warn("%s; there are no metrics and no status page", err->text);
}

static void start_http(struct daemon *daemon)
{
    const char *name = daemon->settings.http.name;
    struct err err;
    if (daemon->sockets.http < 0)
        return;
    struct http_options options = {
        .socket = steal_fd(&daemon->sockets.http),
        .upstream = daemon->settings.upstream,
        .loop = daemon->loop,
        .collect = collect,
        .cookie = daemon,
    };
    if (http_start(&options, &daemon->http, &err) < 0)
        warn_of_http(&err);
    else
        say_info("metrics, health and the status page are at http://%s/",
                 name ? name : "the socket that was handed over");
}

static int follow_files(struct daemon *daemon, struct err *err)
{
    const struct settings *settings = &daemon->settings;
    if (watcher_follow(daemon->watcher, settings->policy, on_policy_changed, daemon, err) < 0)
        return -1;
    if (!settings->node_labels_file)
        return 0;
    return watcher_follow(daemon->watcher, settings->node_labels_file, on_labels_changed, daemon,
                          err);
}

/* What is told to a loop that runs. */
static int start_threads(struct daemon *daemon, struct err *err)
{
    live_policy_start(&daemon->policy, daemon->settings.policy, &daemon->gate);
    live_labels_start(daemon->labels);
    start_http(daemon);
    if (follow_files(daemon, err) < 0 || watcher_start(daemon->watcher, err) < 0)
        return -1;
    return listener_start(daemon->listener, daemon->audit, adopt, daemon, err);
}

/* Once the server runs, there is one way out, for a failed start too: through on_terminate(). */
static int run(struct daemon *daemon, struct err *err)
{
    record_start(daemon);
    census_start(daemon->gate.census);
    int outcome = start_threads(daemon, err);
    if (outcome == 0) {
        say_field("CRIGATE_EVENT=serving");
        say_field("CRIGATE_POLICY=%.*s", STR_FMT(policy_name(daemon->gate.policy)));
        say_info("serving %s in front of %s, policy %.*s", daemon->settings.listen,
                 daemon->settings.upstream, STR_FMT(policy_name(daemon->gate.policy)));
        service_watchdog_start(&daemon->watchdog, daemon->loop);
        service_ready("serving");
    } else {
        watcher_stop(daemon->watcher);
        if (!daemon->signalled)
            loop_post(daemon->loop, &daemon->terminate);
    }
    loop_run(daemon->loop);
    record(daemon, "stop");
    return outcome;
}

static void close_parts(struct daemon *daemon)
{
    http_destroy(daemon->http);
    own_fd(&daemon->sockets.http);
    listener_close(daemon->listener);
    watcher_destroy(daemon->watcher);
    live_labels_destroy(daemon->labels);
    live_policy_stop(&daemon->policy);
    server_destroy(daemon->server);
    census_destroy(daemon->gate.census);
    stats_destroy(daemon->gate.stats);
    upstream_destroy(daemon->gate.upstream);
    loop_destroy(daemon->loop);
    audit_close(daemon->audit);
    if (daemon->gate.labels)
        node_labels_unref(daemon->gate.labels);
    if (daemon->gate.policy)
        policy_unref(daemon->gate.policy);
    settings_free(&daemon->settings);
}

static int run_with_grpc(struct daemon *daemon)
{
    struct err err = {0};
    grpc_init();
    int outcome = open_parts(daemon, &err);
    if (outcome == 0)
        outcome = run(daemon, &err);
    close_parts(daemon);
    grpc_shutdown();
    if (outcome < 0)
        say_error("%s", err.text);
    return outcome;
}

/* While network sockets can still be made. */
static int take_sockets(struct daemon *daemon)
{
    const struct settings_http *http = &daemon->settings.http;
    struct err err;
    if (service_sockets_take(&daemon->sockets, &err) < 0) {
        say_error("%s", err.text);
        return -1;
    }
    if (daemon->sockets.http >= 0 || !http->name)
        return 0;
    daemon->sockets.http = http_listen(&http->any, http->size, http->name, &err);
    if (daemon->sockets.http < 0)
        warn_of_http(&err);
    return 0;
}

int daemon_check(const char *config)
{
    struct daemon daemon = {.sockets = {-1, -1}};
    int outcome = load_configuration(&daemon, config);
    close_parts(&daemon);
    return outcome;
}

int daemon_run(const char *config)
{
    struct daemon daemon = {.sockets = {-1, -1},
                            .started = time(NULL),
                            .terminate = {.done = on_terminate},
                            .over = {.done = on_over}};
    if (load_configuration(&daemon, config) < 0 || take_sockets(&daemon) < 0) {
        close_parts(&daemon);
        return -1;
    }
    watcher_block_signals();
    signal(SIGPIPE, SIG_IGN);
    bound_memory();
    confine(&daemon.settings, JOURNAL_SOCKET);
    return run_with_grpc(&daemon);
}
