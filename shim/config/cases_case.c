/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one case: the pod in one of its three forms, what is asked for, and the node. */
#include "config/cases_parse.h"
#include "config/label_reader.h"
#include "config/pod_manifest.h"

#define NAME_MAX_BYTES ((size_t)253)

enum { NAME, POD, POD_FILE, CRI, HANDLER, NODE_LABELS, EXPECT, CASE_KEY_COUNT };
static const struct str case_keys[CASE_KEY_COUNT] = {
    {"name", 4},    {"pod", 3},         {"podFile", 7}, {"cri", 3},
    {"handler", 7}, {"nodeLabels", 10}, {"expect", 6}};

enum {
    CRI_NAMESPACE,
    CRI_NAME,
    CRI_UID,
    CRI_LABELS,
    CRI_ANNOTATIONS,
    CRI_HOST_NETWORK,
    CRI_HOST_PID,
    CRI_HOST_IPC,
    CRI_PRIVILEGED,
    CRI_USER_NAMESPACES,
    CRI_SELINUX,
    CRI_CONTAINERS,
    CRI_KEY_COUNT
};
static const struct str cri_keys[CRI_KEY_COUNT] = {
    {"namespace", 9},       {"name", 4},         {"uid", 3},
    {"labels", 6},          {"annotations", 11}, {"hostNetwork", 11},
    {"hostPID", 7},         {"hostIPC", 7},      {"privileged", 10},
    {"userNamespaces", 14}, {"seLinux", 7},      {"containers", 10}};

static void read_optional(struct reader *reader, const struct yaml_node *node, const char *what,
                          struct str otherwise, struct str *value)
{
    *value = otherwise;
    if (node)
        (void)reader_string(reader, node, what, value);
}

static void read_flags(struct reader *reader, const struct yaml_node *const *values,
                       struct pod_facts *pod)
{
    bool *const flags[CRI_KEY_COUNT] = {
        [CRI_HOST_NETWORK] = &pod->host_network, [CRI_HOST_PID] = &pod->host_pid,
        [CRI_HOST_IPC] = &pod->host_ipc,         [CRI_PRIVILEGED] = &pod->privileged,
        [CRI_SELINUX] = &pod->selinux,           [CRI_USER_NAMESPACES] = &pod->user_namespace,
    };
    for (size_t i = 0; i < CRI_KEY_COUNT; i++) {
        if (flags[i] && values[i])
            (void)reader_boolean(reader, values[i], cri_keys[i].data, flags[i]);
    }
}

/* Fields of PodSandboxConfig. */
static void read_cri(struct reader *reader, const struct yaml_node *node, struct pod_facts *pod,
                     struct pod_containers *containers)
{
    const struct yaml_node *values[CRI_KEY_COUNT];
    if (!reader_mapping(reader, node, "cri", cri_keys, CRI_KEY_COUNT, values))
        return;
    reader_need(reader, node, values[CRI_NAME], "name of the pod", NULL);
    read_optional(reader, values[CRI_NAME], "name", STR(""), &pod->name);
    read_optional(reader, values[CRI_NAMESPACE], "namespace", STR("default"), &pod->namespace);
    read_optional(reader, values[CRI_UID], "uid", STR(""), &pod->uid);
    label_reader_set(reader, values[CRI_LABELS], "labels", LABELS_OF_OBJECT, NULL, 0, &pod->labels);
    label_reader_set(reader, values[CRI_ANNOTATIONS], "annotations", LABELS_ARE_ANNOTATIONS, NULL,
                     0, &pod->annotations);
    pod->untrusted = pod_annotations_untrust(&pod->annotations);
    read_flags(reader, values, pod);
    if (values[CRI_CONTAINERS])
        pod_containers_read_cri(reader, values[CRI_CONTAINERS], containers);
}

/* Exactly one of the three forms. */
static bool check_form(struct reader *reader, const struct yaml_node *node,
                       const struct yaml_node *const *values)
{
    static const int forms[] = {POD, POD_FILE, CRI};
    const struct yaml_node *found = NULL;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const struct yaml_node *value = values[forms[i]];
        if (value && found) {
            reader_error(reader, value, "keep one of them",
                         "a case has one pod: pod, podFile or cri");
            return false;
        }
        found = value ? value : found;
    }
    return reader_need(reader, node, found, "the pod of the case",
                       "add `pod: MANIFEST`, `podFile: PATH` or `cri: {name: NAME, ...}`");
}

static void read_pod(struct reader *reader, const struct yaml_node *const *values,
                     struct case_draft *draft)
{
    struct pod_facts *facts = &draft->out->pod;
    struct str path, handler = STR("");
    if (values[POD_FILE] &&
        reader_text(reader, values[POD_FILE], "podFile", CASES_PATH_LENGTH_MAX, &path))
        draft->pod_file = values[POD_FILE];
    if (values[CRI])
        read_cri(reader, values[CRI], facts, &draft->out->containers);
    if (values[POD]) {
        struct pod_manifest pod = {0};
        pod_manifest_read(reader, values[POD], POD_MANIFEST_INLINE, &pod);
        *facts = pod.facts;
        draft->out->containers = pod.containers;
        handler = pod.runtime_class;
    }
    facts->handler = draft->handler ? draft->handler->text : handler;
}

void cases_parse_node(struct reader *reader, const struct yaml_node *node, struct case_node *out)
{
    static const char hint[] = "write {KEY: VALUE}, {} for a node without labels, or unknown";
    *out = (struct case_node){.is_known = node->kind != YAML_SCALAR};
    if (out->is_known)
        label_reader_set(reader, node, "nodeLabels", LABELS_OF_OBJECT, NULL, 0, &out->labels);
    else if (node->type != YAML_STRING || !str_eq(node->text, STR("unknown")))
        reader_error(reader, node, hint, "nodeLabels: unknown value \"%.*s\"",
                     DIAG_TEXT(node->text));
}

void cases_parse_case(struct cases_context *context, const struct yaml_node *node,
                      struct case_draft *draft)
{
    struct reader *reader = &context->reader;
    const struct yaml_node *values[CASE_KEY_COUNT];
    struct str handler;
    draft->out->at = node->at;
    if (!reader_mapping(reader, node, "a case", case_keys, CASE_KEY_COUNT, values))
        return;
    if (reader_need(reader, node, values[NAME], "name of the case", "say what should happen") &&
        reader_text(reader, values[NAME], "name", NAME_MAX_BYTES, &draft->out->name))
        draft->name = values[NAME];
    if (values[HANDLER] && reader_string(reader, values[HANDLER], "handler", &handler))
        draft->handler = values[HANDLER];
    if (check_form(reader, node, values))
        read_pod(reader, values, draft);
    draft->out->node = context->node;
    if (values[NODE_LABELS])
        cases_parse_node(reader, values[NODE_LABELS], &draft->out->node);
    if (reader_need(reader, node, values[EXPECT], "expect",
                    "add `expect: {run: HANDLER}` or `expect: {refuse: REASON}`"))
        cases_parse_expect(context, values[EXPECT], draft);
}
