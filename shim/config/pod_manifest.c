/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of a Pod what the kubelet puts into a RunPodSandbox request. */
#include "config/pod_manifest.h"

#include "base/label_syntax.h"
#include "config/reader.h"

/* What the kubelet adds to the labels of every sandbox. */
#define NAME_LABEL STR("io.kubernetes.pod.name")
#define NAMESPACE_LABEL STR("io.kubernetes.pod.namespace")
#define UID_LABEL STR("io.kubernetes.pod.uid")
#define KUBELET_LABELS 3

#define UNTRUSTED_ANNOTATION STR("io.kubernetes.cri.untrusted-workload")

/* A mapping that may be missing; NULL after a finding when it is something else. */
static const struct yaml_node *find_mapping(struct reader *reader, const struct yaml_node *parent,
                                            const char *key)
{
    const struct yaml_node *node = reader_find(parent, key);
    if (node && node->kind != YAML_MAPPING) {
        reader_error(reader, node, NULL, "%s must be a mapping", key);
        return NULL;
    }
    return node;
}

static void read_optional(struct reader *reader, const struct yaml_node *parent, const char *key,
                          struct str *value)
{
    const struct yaml_node *node = reader_find(parent, key);
    if (node)
        reader_string(reader, node, key, value);
}

static bool read_flag(struct reader *reader, const struct yaml_node *parent, const char *key,
                      bool otherwise)
{
    const struct yaml_node *node = reader_find(parent, key);
    bool value;
    return node && reader_boolean(reader, node, key, &value) ? value : otherwise;
}

static bool is_kubelet_label(struct str key)
{
    return str_eq(key, NAME_LABEL) || str_eq(key, NAMESPACE_LABEL) || str_eq(key, UID_LABEL);
}

static bool read_entry(struct reader *reader, const struct yaml_node *key, bool of_annotations,
                       struct label *label)
{
    *label = (struct label){.key = key->text};
    const char *fault =
        of_annotations ? annotation_key_fault(key->text) : label_key_fault(key->text);
    if (fault)
        reader_error(reader, key, NULL, "the key \"%.*s\" %s", DIAG_TEXT(key->text), fault);
    if (!reader_string(reader, key->value, of_annotations ? "an annotation" : "a label",
                       &label->value))
        return false;
    const char *value_fault = of_annotations ? NULL : label_value_fault(label->value);
    if (value_fault)
        reader_error(reader, key->value, NULL, "the value \"%.*s\" %s", DIAG_TEXT(label->value),
                     value_fault);
    return !fault && !value_fault;
}

static void make_set(struct reader *reader, const struct yaml_node *metadata, const char *what,
                     struct label *extra, size_t extra_count, struct label_set *set)
{
    bool of_annotations = strcmp(what, "annotations") == 0;
    const struct yaml_node *node = find_mapping(reader, metadata, what);
    size_t room = (node ? node->count : 0) + extra_count, count = 0;
    struct label *items = reader_room(reader, room, sizeof(*items));
    if (!items)
        return;
    for (const struct yaml_node *key = node ? node->first : NULL; key; key = key->next) {
        bool is_replaced = extra_count && is_kubelet_label(key->text);
        count += read_entry(reader, key, of_annotations, &items[count]) && !is_replaced;
    }
    for (size_t i = 0; i < extra_count; i++)
        items[count++] = extra[i];
    struct str twice; /* yaml_read() has reported it */
    if (label_set_make(items, count, set, &twice))
        *set = (struct label_set){0};
}

static void read_metadata(struct reader *reader, const struct yaml_node *root,
                          struct pod_facts *facts)
{
    size_t errors_before = reader->diags->errors;
    const struct yaml_node *metadata = find_mapping(reader, root, "metadata");
    facts->name = facts->uid = STR("");
    facts->namespace = STR("default");
    read_optional(reader, metadata, "generateName", &facts->name);
    read_optional(reader, metadata, "name", &facts->name);
    if (facts->name.len == 0 && reader->diags->errors == errors_before)
        reader_error(reader, metadata ? metadata : root, NULL, "metadata.name is missing");
    read_optional(reader, metadata, "namespace", &facts->namespace);
    read_optional(reader, metadata, "uid", &facts->uid);
    struct label extra[KUBELET_LABELS] = {{.key = NAME_LABEL, .value = facts->name},
                                          {.key = NAMESPACE_LABEL, .value = facts->namespace},
                                          {.key = UID_LABEL, .value = facts->uid}};
    /* a pod that no API server has seen yet has no uid to show */
    size_t extra_count = facts->uid.len ? KUBELET_LABELS : KUBELET_LABELS - 1;
    make_set(reader, metadata, "labels", extra, extra_count, &facts->labels);
    make_set(reader, metadata, "annotations", NULL, 0, &facts->annotations);
    const struct str *untrusted =
        label_set_find(&facts->annotations, UNTRUSTED_ANNOTATION, label_hash(UNTRUSTED_ANNOTATION));
    facts->untrusted = untrusted && str_eq(*untrusted, STR("true"));
}

/* The kubelet makes the sandbox privileged when one container of any kind is. */
static bool has_privileged(struct reader *reader, const struct yaml_node *spec, const char *kind)
{
    const struct yaml_node *list = reader_find(spec, kind);
    bool found = false;
    if (!list)
        return false;
    if (list->kind != YAML_SEQUENCE) {
        reader_error(reader, list, NULL, "%s must be a list", kind);
        return false;
    }
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *context = find_mapping(reader, item, "securityContext");
        found = read_flag(reader, context, "privileged", false) || found;
    }
    return found;
}

static bool has_selinux(struct reader *reader, const struct yaml_node *spec)
{
    static const char *const parts[] = {"user", "role", "type", "level"};
    const struct yaml_node *context = find_mapping(reader, spec, "securityContext");
    const struct yaml_node *options = find_mapping(reader, context, "seLinuxOptions");
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct str value = STR("");
        read_optional(reader, options, parts[i], &value);
        found = found || value.len;
    }
    return found;
}

static void read_spec(struct reader *reader, const struct yaml_node *root, struct pod_manifest *pod)
{
    const struct yaml_node *spec = find_mapping(reader, root, "spec");
    struct pod_facts *facts = &pod->facts;
    read_optional(reader, spec, "runtimeClassName", &pod->runtime_class);
    facts->host_network = read_flag(reader, spec, "hostNetwork", false);
    facts->host_pid = read_flag(reader, spec, "hostPID", false);
    facts->host_ipc = read_flag(reader, spec, "hostIPC", false);
    facts->user_namespace = !read_flag(reader, spec, "hostUsers", true);
    facts->selinux = has_selinux(reader, spec);
    static const char *const kinds[] = {"initContainers", "containers", "ephemeralContainers"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        facts->privileged = has_privileged(reader, spec, kinds[i]) || facts->privileged;
}

static void read_pod(struct reader *reader, const struct yaml_node *root, struct pod_manifest *pod)
{
    static const struct str kinds[] = {{"Pod", 3}}, versions[] = {{"v1", 2}};
    const struct yaml_node *kind = reader_find(root, "kind");
    const struct yaml_node *version = reader_find(root, "apiVersion");
    size_t index;
    if (root->kind != YAML_MAPPING) {
        reader_error(reader, root, NULL, "this is no Pod manifest");
        return;
    }
    if (!reader_need(reader, root, kind, "kind", "add `kind: Pod`") ||
        !reader_word(reader, kind, "kind", kinds, 1, &index))
        return;
    if (reader_need(reader, root, version, "apiVersion", "add `apiVersion: v1`"))
        reader_word(reader, version, "apiVersion", versions, 1, &index);
    pod->facts.handler = pod->runtime_class = STR("");
    read_metadata(reader, root, &pod->facts);
    read_spec(reader, root, pod);
}

int pod_manifest_parse(const char *path, struct str text, struct diags *diags,
                       struct pod_manifest *pod)
{
    OWNED(pod_manifest_free) struct pod_manifest read = {0};
    struct diag_source source = {.path = path, .text = text};
    struct reader reader = {.source = &source, .diags = diags, .arena = &read.arena};
    size_t first = diags->count;
    const struct yaml_node *root = yaml_read(&source, YAML_FIRST_DOCUMENT, &read.arena, diags);
    if (root)
        read_pod(&reader, root, &read);
    diags_sort(diags, first);
    if (!root || diags_failed(diags))
        return -1;
    *pod = read;
    read = (struct pod_manifest){0};
    return 0;
}

void pod_manifest_free(struct pod_manifest *pod)
{
    arena_free(&pod->arena);
    *pod = (struct pod_manifest){0};
}
