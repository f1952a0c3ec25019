/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of a Pod what the kubelet puts into a RunPodSandbox request. */
#include "config/pod_manifest.h"

#include "config/label_reader.h"
#include "config/manifest_field.h"

/* What the kubelet adds to the labels of every sandbox. */
#define NAME_LABEL STR("io.kubernetes.pod.name")
#define NAMESPACE_LABEL STR("io.kubernetes.pod.namespace")
#define UID_LABEL STR("io.kubernetes.pod.uid")

static void read_metadata(struct reader *reader, const struct yaml_node *root,
                          struct pod_facts *facts)
{
    size_t errors_before = reader->diags->errors;
    const struct yaml_node *metadata = manifest_mapping(reader, root, "metadata");
    facts->name = facts->uid = STR("");
    facts->namespace = STR("default");
    manifest_string(reader, metadata, "generateName", &facts->name);
    manifest_string(reader, metadata, "name", &facts->name);
    if (facts->name.len == 0 && reader->diags->errors == errors_before)
        reader_error(reader, metadata ? metadata : root, NULL, "metadata.name is missing");
    manifest_string(reader, metadata, "namespace", &facts->namespace);
    manifest_string(reader, metadata, "uid", &facts->uid);
    /* a pod that no API server has seen yet has no uid to show */
    struct str uid = facts->uid.len ? facts->uid : (struct str){0};
    const struct label fixed[] = {{.key = NAME_LABEL, .value = facts->name},
                                  {.key = NAMESPACE_LABEL, .value = facts->namespace},
                                  {.key = UID_LABEL, .value = uid}};
    label_reader_set(reader, reader_find(metadata, "labels"), "labels", LABELS_OF_OBJECT, fixed,
                     COUNT_OF(fixed), &facts->labels);
    label_reader_set(reader, reader_find(metadata, "annotations"), "annotations",
                     LABELS_ARE_ANNOTATIONS, NULL, 0, &facts->annotations);
    facts->untrusted = pod_annotations_untrust(&facts->annotations);
}

static void read_spec(struct reader *reader, const struct yaml_node *root, struct pod_manifest *pod)
{
    const struct yaml_node *spec = manifest_mapping(reader, root, "spec");
    struct pod_facts *facts = &pod->facts;
    manifest_string(reader, spec, "runtimeClassName", &pod->runtime_class);
    facts->host_network = manifest_flag(reader, spec, "hostNetwork", false);
    facts->host_pid = manifest_flag(reader, spec, "hostPID", false);
    facts->host_ipc = manifest_flag(reader, spec, "hostIPC", false);
    facts->user_namespace = !manifest_flag(reader, spec, "hostUsers", true);
    facts->selinux = pod_containers_selinux(reader, spec);
    pod_containers_read(reader, spec, facts, &pod->containers);
    /* The kubelet makes the sandbox privileged when one container of any kind is. */
    for (size_t i = 0; i < pod->containers.count; i++)
        facts->privileged = facts->privileged || pod->containers.items[i].facts.privileged;
}

/* Whether the kind and the version are those of a Pod, as far as they are given. */
static bool is_pod(struct reader *reader, const struct yaml_node *root)
{
    static const struct str kinds[] = {{"Pod", 3}}, versions[] = {{"v1", 2}};
    const struct yaml_node *kind = reader_find(root, "kind");
    const struct yaml_node *version = reader_find(root, "apiVersion");
    size_t index;
    if (kind && !reader_word(reader, kind, "kind", kinds, 1, &index))
        return false;
    if (version)
        (void)reader_word(reader, version, "apiVersion", versions, 1, &index);
    return true;
}

void pod_manifest_read(struct reader *reader, const struct yaml_node *root,
                       enum pod_manifest_head head, struct pod_manifest *pod)
{
    if (root->kind != YAML_MAPPING) {
        reader_error(reader, root, NULL, "this is no Pod manifest");
        return;
    }
    if (head == POD_MANIFEST_WHOLE &&
        !reader_need(reader, root, reader_find(root, "kind"), "kind", "add `kind: Pod`"))
        return;
    if (!is_pod(reader, root))
        return;
    if (head == POD_MANIFEST_WHOLE)
        reader_need(reader, root, reader_find(root, "apiVersion"), "apiVersion",
                    "add `apiVersion: v1`");
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
        pod_manifest_read(&reader, root, POD_MANIFEST_WHOLE, &read);
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
