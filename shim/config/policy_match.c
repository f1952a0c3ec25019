/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `match`: the terms of one rule. */
#include "config/policy_parse.h"

/* A glob longer than any name that Kubernetes allows can match nothing. */
#define GLOB_MAX ((size_t)512)

enum {
    HANDLERS,
    NAMESPACES,
    NAMES,
    POD,
    ANNOTATIONS,
    NODE,
    ANNOTATION_KEYS,
    HOST_NETWORK,
    HOST_PID,
    HOST_IPC,
    PRIVILEGED,
    KEY_COUNT
};
static const struct str keys[KEY_COUNT] = {
    {"handlers", 8},     {"namespaces", 10}, {"names", 5},           {"pod", 3},
    {"annotations", 11}, {"node", 4},        {"annotationKeys", 14}, {"hostNetwork", 11},
    {"hostPID", 7},      {"hostIPC", 7},     {"privileged", 10},
};

static void read_handlers(struct reader *reader, const struct yaml_node *node,
                          const struct declared *declared, struct str_list *list)
{
    if (!reader_collection(reader, node, YAML_SEQUENCE, "handlers"))
        return;
    struct str *items = reader_room(reader, node->count, sizeof(*items));
    if (!items)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct str *handler = &items[list->count];
        if (!reader_string(reader, item, "a handler", handler))
            continue;
        /* "" is the request that names none */
        if (handler->len == 0 || policy_parse_handler(reader, item, "handler", *handler, declared))
            list->count++;
    }
    list->items = items;
}

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyz0123456789-."

/* What Kubernetes allows in a text, with the signs of a glob. */
static const struct alphabet {
    const char *bytes, *words;
} of_names = {NAME_BYTES "*?", "lower-case letters, digits, '-' and '.'"},
  of_keys = {NAME_BYTES "*?ABCDEFGHIJKLMNOPQRSTUVWXYZ_/", "letters, digits, '-', '_', '.' and '/'"};

/* A glob that no pod can match lets through what its rule was to stop. */
static void check_glob(struct reader *reader, const struct yaml_node *node,
                       const struct alphabet *alphabet)
{
    if (strspn(node->text.data, alphabet->bytes) < node->text.len)
        reader_warning(reader, node, NULL,
                       "\"%.*s\" matches nothing: Kubernetes allows only %s there",
                       DIAG_TEXT(node->text), alphabet->words);
}

static void read_globs(struct reader *reader, const struct yaml_node *node, const char *what,
                       const struct alphabet *alphabet, struct str_list *list)
{
    if (!reader_collection(reader, node, YAML_SEQUENCE, what))
        return;
    struct str *items = reader_room(reader, node->count, sizeof(*items));
    if (!items)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (!reader_text(reader, item, what, GLOB_MAX, &items[list->count]))
            continue;
        check_glob(reader, item, alphabet);
        list->count++;
    }
    list->items = items;
}

static void read_tristate(struct reader *reader, const struct yaml_node *node, const char *what,
                          enum tristate *state)
{
    bool value;
    if (node && reader_boolean(reader, node, what, &value))
        *state = value ? TRISTATE_TRUE : TRISTATE_FALSE;
}

void policy_parse_match(struct reader *reader, const struct yaml_node *node,
                        const struct declared *declared, struct match_spec *match)
{
    const struct yaml_node *values[KEY_COUNT];
    if (!reader_mapping(reader, node, "match", keys, KEY_COUNT, values))
        return;
    if (values[HANDLERS])
        read_handlers(reader, values[HANDLERS], declared, &match->handlers);
    if (values[NAMESPACES])
        read_globs(reader, values[NAMESPACES], "namespaces", &of_names, &match->namespaces);
    if (values[NAMES])
        read_globs(reader, values[NAMES], "names", &of_names, &match->names);
    if (values[POD])
        policy_parse_selector(reader, values[POD], "pod", false, &match->pod);
    if (values[ANNOTATIONS])
        policy_parse_selector(reader, values[ANNOTATIONS], "annotations", true,
                              &match->annotations);
    if (values[NODE])
        policy_parse_selector(reader, values[NODE], "node", false, &match->node);
    if (values[ANNOTATION_KEYS])
        read_globs(reader, values[ANNOTATION_KEYS], "annotationKeys", &of_keys,
                   &match->annotation_keys);
    read_tristate(reader, values[HOST_NETWORK], "hostNetwork", &match->host_network);
    read_tristate(reader, values[HOST_PID], "hostPID", &match->host_pid);
    read_tristate(reader, values[HOST_IPC], "hostIPC", &match->host_ipc);
    read_tristate(reader, values[PRIVILEGED], "privileged", &match->privileged);
}
