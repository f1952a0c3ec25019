/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot holds references and copies: the loop goes on while it is read. */
#include "daemon/collect.h"

#include <time.h>

/* Handlers that differ; containerd's configuration has few. */
#define RUNTIMES_MAX 64

static void count_sandbox(void *cookie, struct str handler)
{
    struct snapshot *snapshot = cookie;
    size_t i = 0;
    while (i < snapshot->runtime_count && !str_eq(snapshot->runtimes[i].handler, handler))
        i++;
    if (i == RUNTIMES_MAX)
        return;
    if (i == snapshot->runtime_count) {
        snapshot->runtimes[i].handler = arena_str(&snapshot->arena, handler);
        if (!snapshot->runtimes[i].handler.data)
            return;
        snapshot->runtime_count++;
    }
    snapshot->runtimes[i].sandboxes++;
}

static int copy_text(struct snapshot *snapshot, const char *text, const char **copy)
{
    *copy = arena_str(&snapshot->arena, str_of(text)).data;
    return *copy ? 0 : -1;
}

static int collect_texts(const struct collect_sources *sources, struct snapshot *snapshot)
{
    const struct settings *settings = sources->settings;
    const char *error = sources->policy->view.error;
    if (copy_text(snapshot, settings->node_name, &snapshot->node) < 0 ||
        copy_text(snapshot, settings->listen, &snapshot->listen) < 0 ||
        copy_text(snapshot, settings->upstream, &snapshot->upstream) < 0 ||
        copy_text(snapshot, settings->audit.file, &snapshot->audit_file) < 0)
        return -1;
    return error ? copy_text(snapshot, error, &snapshot->policy_error) : 0;
}

static void collect_policy(const struct collect_sources *sources, struct snapshot *snapshot)
{
    const struct live_policy_view *view = &sources->policy->view;
    snapshot->policy = policy_ref(sources->gate->policy);
    snapshot->policy_generation = view->generation;
    snapshot->policy_since = view->since;
    snapshot->policy_rejections = view->rejections;
}

static void collect_labels(const struct collect_sources *sources, struct snapshot *snapshot)
{
    struct audit_event event = {.type = NULL};
    live_labels_describe(sources->labels, &event);
    snapshot->labels = node_labels_ref(sources->gate->labels);
    snapshot->labels_source = event.labels.source;
    snapshot->labels_age_s = event.labels.age_s;
}

static void collect_listener(const struct collect_sources *sources, struct snapshot *snapshot)
{
    if (!sources->listener)
        return;
    struct listener_view view = listener_look(sources->listener);
    snapshot->connections = view.connections;
    snapshot->peers_refused = view.refused;
}

int collect_snapshot(const struct collect_sources *sources, struct snapshot *snapshot)
{
    const struct gate *gate = sources->gate;
    snapshot->now = time(NULL);
    snapshot->started = sources->started;
    snapshot->runtimes = arena_array(&snapshot->arena, RUNTIMES_MAX, sizeof(*snapshot->runtimes));
    snapshot->stats = stats_copy(gate->stats);
    if (!snapshot->runtimes || !snapshot->stats || collect_texts(sources, snapshot) < 0)
        return -1;
    snapshot->upstream_up = upstream_state(gate->upstream, false) == GRPC_CHANNEL_READY;
    snapshot->sandboxes_listed = census_each(gate->census, count_sandbox, snapshot);
    collect_policy(sources, snapshot);
    collect_labels(sources, snapshot);
    collect_listener(sources, snapshot);
    audit_look(gate->audit, &snapshot->audit);
    return 0;
}
