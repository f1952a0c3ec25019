/* SPDX-License-Identifier: Apache-2.0 */
/* A small CRI client for the end-to-end tests: one command, one or a few calls, plain output. */
#include "cri.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name;
    size_t min_args;
    int (*run)(struct rpc *rpc, const struct cri_options *options, struct err *err);
};

static const struct command commands[] = {
    {"version", 0, cri_version},
    {"status", 0, cri_status},
    {"images", 0, cri_images},
    {"image-status", 1, cri_image_status},
    {"runp", 0, cri_runp},
    {"stopp", 1, cri_stopp},
    {"rmp", 1, cri_rmp},
    {"pods", 0, cri_pods},
    {"poll", 0, cri_poll},
    {"create", 2, cri_create},
    {"start", 1, cri_start},
    {"stop", 1, cri_stop},
    {"rm", 1, cri_rm},
    {"containers", 0, cri_containers},
    {"exec-sync", 2, cri_exec_sync},
    {"exec", 2, cri_exec},
};

static const char doc[] =
    "Call a CRI runtime.\v"
    "Commands:\n"
    "  version, status, images, pods, containers\n"
    "  image-status IMAGE              prints its id, or nothing\n"
    "  poll                            list the pods every 20 ms until killed\n"
    "  runp                            run a pod's sandbox; prints its id\n"
    "  stopp POD, rmp POD              stop, remove a sandbox\n"
    "  create POD -- COMMAND...        create a container; prints its id\n"
    "  start ID, stop ID, rm ID        start, stop, remove a container\n"
    "  exec-sync ID -- COMMAND...      run a command, print its output, exit as it did\n"
    "  exec ID -- COMMAND...           print the URL to dial for a command\n"
    "\n"
    "create takes the options of its pod too, as the kubelet sends them again.";

enum {
    KEY_ENDPOINT = 256,
    KEY_API,
    KEY_NAME,
    KEY_NAMESPACE,
    KEY_UID,
    KEY_LABEL,
    KEY_ANNOTATION,
    KEY_HANDLER,
    KEY_HOST_NETWORK,
    KEY_HOST_PID,
    KEY_PRIVILEGED,
    KEY_DEVICE,
    KEY_CDI,
    KEY_MOUNT,
    KEY_LOG_DIR,
    KEY_CGROUP_PARENT,
    KEY_CONTAINER,
    KEY_IMAGE,
    KEY_TIMEOUT,
};

static const struct argp_option option_table[] = {
    {"endpoint", KEY_ENDPOINT, "unix://PATH", 0, "The runtime's socket (required)", 0},
    {"api", KEY_API, "VERSION", 0, "The CRI version to speak (v1)", 0},
    {"name", KEY_NAME, "NAME", 0, "The pod's name (pod)", 0},
    {"namespace", KEY_NAMESPACE, "NAME", 0, "The pod's namespace (default)", 0},
    {"uid", KEY_UID, "UID", 0, "The pod's uid (its name)", 0},
    {"label", KEY_LABEL, "KEY=VALUE", 0, "A label of the pod", 0},
    {"annotation", KEY_ANNOTATION, "KEY=VALUE", 0, "An annotation of the pod", 0},
    {"handler", KEY_HANDLER, "NAME", 0, "The runtime handler to ask for", 0},
    {"host-network", KEY_HOST_NETWORK, NULL, 0, "Use the node's network", 0},
    {"host-pid", KEY_HOST_PID, NULL, 0, "Use the node's process ids", 0},
    {"privileged", KEY_PRIVILEGED, NULL, 0, "Ask for a privileged pod or container", 0},
    {"device", KEY_DEVICE, "PATH", 0, "A device of the host for the container", 0},
    {"cdi", KEY_CDI, "NAME", 0, "A CDI device for the container", 0},
    {"mount", KEY_MOUNT, "PATH[:MODE]", 0,
     "A directory of the host, at the same place in the container, read-only. MODE: "
     "recursiveReadOnly or bidirectional",
     0},
    {"log-dir", KEY_LOG_DIR, "DIR", 0, "Where the pod's containers log, as CONTAINER.log", 0},
    {"cgroup-parent", KEY_CGROUP_PARENT, "PATH", 0, "The pod's parent cgroup", 0},
    {"container", KEY_CONTAINER, "NAME", 0, "The container's name (main)", 0},
    {"image", KEY_IMAGE, "NAME", 0, "The container's image", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "Give up a call after this long (120)", 0},
    {0},
};

static void add_pair(struct argp_state *state, struct cri_pair *pairs, size_t *count, char *arg)
{
    char *equals = strchr(arg, '=');
    if (!equals || *count == CRI_MAX_PAIRS)
        argp_error(state, "'%s' is not KEY=VALUE, or there are more than %d", arg, CRI_MAX_PAIRS);
    *equals = '\0';
    pairs[(*count)++] = (struct cri_pair){.key = arg, .value = equals + 1};
}

static void add_word(struct argp_state *state, char **words, size_t *count, char *arg)
{
    if (*count == CRI_MAX_PAIRS)
        argp_error(state, "'%s': there are more than %d", arg, CRI_MAX_PAIRS);
    words[(*count)++] = arg;
}

static long parse_seconds(struct argp_state *state, const char *arg)
{
    char *end;
    errno = 0;
    long seconds = strtol(arg, &end, 10);
    if (errno || end == arg || *end || seconds < 1 || seconds > 86400)
        argp_error(state, "'%s' is not a number of seconds from 1 to 86400", arg);
    return seconds;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct cri_options *options = state->input;
    char **const strings[] = {
        [KEY_ENDPOINT - KEY_ENDPOINT] = &options->endpoint,
        [KEY_API - KEY_ENDPOINT] = &options->api,
        [KEY_NAME - KEY_ENDPOINT] = &options->name,
        [KEY_NAMESPACE - KEY_ENDPOINT] = &options->namespace,
        [KEY_UID - KEY_ENDPOINT] = &options->uid,
        [KEY_HANDLER - KEY_ENDPOINT] = &options->handler,
        [KEY_LOG_DIR - KEY_ENDPOINT] = &options->log_dir,
        [KEY_CGROUP_PARENT - KEY_ENDPOINT] = &options->cgroup_parent,
        [KEY_CONTAINER - KEY_ENDPOINT] = &options->container,
        [KEY_IMAGE - KEY_ENDPOINT] = &options->image,
        [KEY_TIMEOUT - KEY_ENDPOINT] = NULL,
    };
    switch (key) {
    case KEY_LABEL:
        add_pair(state, options->labels, &options->n_labels, arg);
        return 0;
    case KEY_ANNOTATION:
        add_pair(state, options->annotations, &options->n_annotations, arg);
        return 0;
    case KEY_HOST_NETWORK:
        options->host_network = true;
        return 0;
    case KEY_HOST_PID:
        options->host_pid = true;
        return 0;
    case KEY_PRIVILEGED:
        options->privileged = true;
        return 0;
    case KEY_DEVICE:
        add_word(state, options->devices, &options->n_devices, arg);
        return 0;
    case KEY_CDI:
        add_word(state, options->cdi_devices, &options->n_cdi_devices, arg);
        return 0;
    case KEY_MOUNT:
        add_word(state, options->mounts, &options->n_mounts, arg);
        return 0;
    case KEY_TIMEOUT:
        options->timeout = parse_seconds(state, arg);
        return 0;
    case ARGP_KEY_ARG:
        if (options->n_args == CRI_MAX_ARGS)
            argp_error(state, "more than %d arguments", CRI_MAX_ARGS);
        options->args[options->n_args++] = arg;
        return 0;
    default:
        if (key < KEY_ENDPOINT || key > KEY_TIMEOUT || !strings[key - KEY_ENDPOINT])
            return ARGP_ERR_UNKNOWN;
        *strings[key - KEY_ENDPOINT] = arg;
        return 0;
    }
}

static const struct command *find_command(const struct cri_options *options)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, options->args[0]) == 0)
            return &commands[i];
    }
    return NULL;
}

static int usage(const char *problem)
{
    fprintf(stderr, "cri: %s; see cri --help\n", problem);
    return 2;
}

int main(int argc, char **argv)
{
    struct cri_options options = {.timeout = 120};
    const struct argp argp = {option_table, parse_option, "COMMAND [ARGS...]", doc, 0, 0, 0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (!options.endpoint || options.n_args == 0)
        return usage("--endpoint and a command are needed");
    const struct command *command = find_command(&options);
    if (!command)
        return usage("no such command");
    options.n_args--;
    memmove(options.args, options.args + 1, options.n_args * sizeof(options.args[0]));
    if (options.n_args < command->min_args)
        return usage("the command needs more arguments");

    OWNED(own_rpc) struct rpc *rpc = rpc_new(options.endpoint);
    rpc_set_timeout(rpc, options.timeout);
    if (options.api)
        rpc_set_version(rpc, options.api);
    struct err err = {0};
    int result = command->run(rpc, &options, &err);
    if (result < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return result;
}
