/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crigate serve: the daemon. Puts the parts together from the bottom up, runs until SIGTERM or
 * SIGINT, and takes them down from the top.
 */
#include <argp.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/say.h"
#include "cli/cli.h"
#include "config/policy_file.h"
#include "config/settings.h"
#include "gate/listen.h"
#include "gate/server.h"

/* Calls that run at SIGTERM get this long to end. */
#define GRACE_MS 10000

struct daemon {
    struct settings settings;
    struct audit *audit;
    struct peers peers;
    struct loop *loop;
    struct gate gate;
    struct server *server;
    struct listener *listener;
    pthread_t signals;
    struct loop_op terminate, served, grace_over, over;
    bool has_signals;
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

static int load_labels(struct daemon *daemon, struct err *err)
{
    const char *path = daemon->settings.node_labels_file;
    struct err reason = {0};
    int known = -1;
    if (path) {
        known = node_labels_read(path, &daemon->gate.labels, &reason);
    } else {
        daemon->gate.labels = node_labels_unknown();
        err_set(&reason, "node.labels.file is not set");
    }
    if (!daemon->gate.labels)
        return err_set(err, "node labels: out of memory");
    if (known < 0)
        say_warn("the node's labels are not known: %s; pods that a rule on them could decide are "
                 "refused",
                 reason.text);
    return 0;
}

/* --- stopping ------------------------------------------------------------------------------ */

static void *wait_for_signal(void *cookie)
{
    struct daemon *daemon = cookie;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    int signal_number;
    sigwait(&set, &signal_number);
    loop_post(daemon->loop, &daemon->terminate);
    return NULL;
}

/* The running calls are over, or out of time; whichever comes first. */
static void shut_down(struct daemon *daemon)
{
    if (!daemon->listener)
        return;
    listener_close(steal_ptr(&daemon->listener));
    server_shutdown(daemon->server, &daemon->over);
}

static void on_served(struct loop_op *op, bool ok)
{
    (void)ok;
    shut_down(container_of(op, struct daemon, served));
}

static void on_grace_over(struct loop_op *op, bool ok)
{
    (void)ok;
    shut_down(container_of(op, struct daemon, grace_over));
}

static void on_terminate(struct loop_op *op, bool ok)
{
    struct daemon *daemon = container_of(op, struct daemon, terminate);
    (void)ok;
    say_info("stopping: no new calls; running ones have %d s to end", GRACE_MS / 1000);
    listener_stop(daemon->listener);
    daemon->gate.stopping = true;
    loop_after(daemon->loop, &daemon->grace_over, GRACE_MS);
    call_when_served(&daemon->gate, &daemon->served);
}

static void on_over(struct loop_op *op, bool ok)
{
    struct daemon *daemon = container_of(op, struct daemon, over);
    (void)ok;
    census_stop(daemon->gate.census);
    loop_stop(daemon->loop);
}

/* --- starting ------------------------------------------------------------------------------ */

/* Blocked in every thread, gRPC's too, so that sigwait() gets them. */
static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

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

static int open_parts(struct daemon *daemon, struct err *err)
{
    const struct settings *settings = &daemon->settings;
    struct listen_options options = {
        .path = settings->listen,
        .uids = settings->peer_uids,
        .uid_count = settings->peer_uid_count,
        .peers = &daemon->peers,
    };
    /* The socket first: it tells whether another daemon serves already. */
    if (listener_open(&options, &daemon->listener, err) < 0 ||
        audit_open(settings->audit_file, str_of(settings->node_name), &daemon->audit, err) < 0 ||
        load_labels(daemon, err) < 0 || loop_create(&daemon->loop, err) < 0 ||
        upstream_create(settings->upstream, daemon->loop, &daemon->gate.upstream, err) < 0)
        return -1;
    daemon->gate.census = census_create(daemon->gate.upstream, daemon->loop);
    if (!daemon->gate.census)
        return err_set(err, "the table of sandboxes: out of memory");
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

static int start_threads(struct daemon *daemon, struct err *err)
{
    int error = pthread_create(&daemon->signals, NULL, wait_for_signal, daemon);
    if (error)
        return err_set_errno(err, error, "the signal thread");
    daemon->has_signals = true;
    return listener_start(daemon->listener, daemon->audit, adopt, daemon, err);
}

/* Once the server runs, there is one way out, for a failed start too: through on_terminate(). */
static int run(struct daemon *daemon, struct err *err)
{
    record(daemon, "start");
    record(daemon, "policy.loaded");
    census_start(daemon->gate.census);
    int outcome = start_threads(daemon, err);
    if (outcome == 0)
        say_info("serving %s in front of %s, policy %.*s", daemon->settings.listen,
                 daemon->settings.upstream, STR_FMT(policy_name(daemon->gate.policy)));
    else if (daemon->has_signals)
        pthread_kill(daemon->signals, SIGTERM);
    else
        loop_post(daemon->loop, &daemon->terminate);
    loop_run(daemon->loop);
    if (daemon->has_signals)
        pthread_join(daemon->signals, NULL);
    record(daemon, "stop");
    return outcome;
}

static void close_parts(struct daemon *daemon)
{
    listener_close(daemon->listener);
    server_destroy(daemon->server);
    census_destroy(daemon->gate.census);
    upstream_destroy(daemon->gate.upstream);
    loop_destroy(daemon->loop);
    audit_close(daemon->audit);
    if (daemon->gate.labels)
        node_labels_unref(daemon->gate.labels);
    if (daemon->gate.policy)
        policy_unref(daemon->gate.policy);
    settings_free(&daemon->settings);
}

static int serve(const char *path)
{
    struct daemon daemon = {.terminate = {.done = on_terminate},
                            .served = {.done = on_served},
                            .grace_over = {.done = on_grace_over},
                            .over = {.done = on_over}};
    if (load_configuration(&daemon, path) < 0) {
        close_parts(&daemon);
        return CLI_DOES_NOT_HOLD;
    }
    block_signals();
    bound_memory();
    grpc_init();
    struct err err = {0};
    int outcome = open_parts(&daemon, &err);
    if (outcome == 0)
        outcome = run(&daemon, &err);
    close_parts(&daemon);
    grpc_shutdown();
    if (outcome < 0)
        say_error("%s", err.text);
    return outcome < 0 ? CLI_DOES_NOT_HOLD : CLI_HOLDS;
}

/* --- command line -------------------------------------------------------------------------- */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    const char **config = state->input;
    if (key == 'c')
        *config = arg;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "serve takes no argument: %s", arg);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int cli_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "the settings; default: /etc/crigate/crigate.yaml", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .doc = "Stands between the kubelet and containerd and judges every call that picks a "
               "container runtime.\v"
               "Runs in the foreground. SIGTERM or SIGINT: refuses new calls, lets running ones "
               "end for up to 10 seconds, exits 0. Exit 1: it could not start; 2: wrong usage.",
    };
    const char *config = "/etc/crigate/crigate.yaml";
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &config))
        return CLI_USAGE;
    return serve(config);
}
