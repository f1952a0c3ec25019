/* SPDX-License-Identifier: Apache-2.0 */
/* The containerd channel: how it is set up, and what may pass over it. */
#include "gate/forward.h"

#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>

#include "base/str.h"

struct upstream {
    char *socket;
    struct loop *loop;
    grpc_channel *channel;
};

#define INT_ARG(name, number)                                                      \
    {                                                                              \
        .type = GRPC_ARG_INTEGER, .key = (char *)(name), .value.integer = (number) \
    }

static grpc_channel *make_channel(const char *target)
{
    grpc_arg args[] = {
        {.type = GRPC_ARG_STRING,
         .key = (char *)GRPC_ARG_DEFAULT_AUTHORITY,
         .value.string = (char *)"localhost"},
        /* Replies of any size; the kubelet has its own limit. */
        INT_ARG(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        INT_ARG(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        /* The default of 8 KiB turns a long error of containerd into a reset stream. */
        INT_ARG(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
        /* A retry is the kubelet's business. */
        INT_ARG(GRPC_ARG_ENABLE_RETRIES, 0),
        /* containerd was restarted: find out soon. The defaults wait up to two minutes. The second
         * is also the time that one attempt may take, up to containerd's first word. */
        INT_ARG(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
        INT_ARG(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000),
        INT_ARG(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000),
        /* No proxy from the environment, no resolver's service config, no pooled connection. */
        INT_ARG(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        INT_ARG(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        INT_ARG(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        INT_ARG(GRPC_ARG_ENABLE_CHANNELZ, 0),
        /* Its estimate opens windows of many MiB, which a slow kubelet makes us hold. */
        INT_ARG(GRPC_ARG_HTTP2_BDP_PROBE, 0),
    };
    grpc_channel_args list = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};
    grpc_channel_credentials *insecure = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, insecure, &list);
    grpc_channel_credentials_release(insecure);
    return channel;
}

int upstream_create(const char *socket, struct loop *loop, struct upstream **upstream,
                    struct err *err)
{
    OWNED(own_upstream) struct upstream *made = calloc(1, sizeof(*made));
    OWNED_MEM char *target = NULL;
    if (!made || asprintf(&target, "unix:%s", socket) < 0 || !(made->socket = strdup(socket)))
        return err_set(err, "the channel to containerd: out of memory");
    made->loop = loop;
    made->channel = make_channel(target);
    if (!made->channel)
        return err_set(err, "the channel to containerd at %s cannot be made", socket);
    *upstream = steal_ptr(&made);
    return 0;
}

void upstream_close(struct upstream *upstream)
{
    if (upstream->channel)
        grpc_channel_destroy(steal_ptr(&upstream->channel));
}

void upstream_destroy(struct upstream *upstream)
{
    if (!upstream)
        return;
    upstream_close(upstream);
    free(upstream->socket);
    free(upstream);
}

grpc_call *upstream_call(struct upstream *upstream, grpc_slice path, gpr_timespec deadline)
{
    return grpc_channel_create_call(upstream->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                    loop_queue(upstream->loop), path, NULL, deadline, NULL);
}

grpc_connectivity_state upstream_state(struct upstream *upstream, bool connect)
{
    return grpc_channel_check_connectivity_state(upstream->channel, connect);
}

void upstream_watch(struct upstream *upstream, grpc_connectivity_state seen, struct loop_op *op)
{
    grpc_channel_watch_connectivity_state(upstream->channel, seen,
                                          gpr_inf_future(GPR_CLOCK_MONOTONIC),
                                          loop_queue(upstream->loop), op);
}

void upstream_explain(struct upstream *upstream, grpc_status_code status,
                      const grpc_metadata_array *trailing, grpc_slice *details)
{
    if (status != GRPC_STATUS_UNAVAILABLE || trailing->count > 0 ||
        upstream_state(upstream, false) == GRPC_CHANNEL_READY)
        return;
    OWNED_MEM char *text = NULL;
    int length =
        asprintf(&text, "crigate: containerd cannot be reached at %s: %.*s", upstream->socket,
                 (int)GRPC_SLICE_LENGTH(*details), (const char *)GRPC_SLICE_START_PTR(*details));
    if (length < 0) {
        text = NULL;
        return;
    }
    grpc_slice_unref(*details);
    *details = grpc_slice_from_copied_buffer(text, (size_t)length);
}

static bool stays_behind(struct str key)
{
    static const struct str hop_by_hop[] = {
        {"te", 2},
        {"host", 4},
        {"user-agent", 10},
        {"connection", 10},
        {"grpc-status", 11},
        {"content-type", 12},
        {"grpc-message", 12},
        {"grpc-timeout", 12},
        {"grpc-encoding", 13},
        {"grpc-accept-encoding", 20},
    };
    if (key.len == 0 || key.data[0] == ':')
        return true;
    for (size_t i = 0; i < sizeof(hop_by_hop) / sizeof(hop_by_hop[0]); i++) {
        if (str_eq(key, hop_by_hop[i]))
            return true;
    }
    return false;
}

/* gRPC C core takes bytes in from the wire that it refuses to send, and would fail the whole batch
 * for one of them. */
static bool can_be_sent(const grpc_metadata *item)
{
    return grpc_header_key_is_legal(item->key) &&
           (grpc_is_binary_header(item->key) || grpc_header_nonbin_value_is_legal(item->value));
}

void metadata_strip(grpc_metadata_array *metadata)
{
    size_t kept = 0;
    for (size_t i = 0; i < metadata->count; i++) {
        const grpc_metadata *item = &metadata->metadata[i];
        struct str key = {(const char *)GRPC_SLICE_START_PTR(item->key),
                          GRPC_SLICE_LENGTH(item->key)};
        if (!stays_behind(key) && can_be_sent(item))
            metadata->metadata[kept++] = *item;
    }
    metadata->count = kept;
}
