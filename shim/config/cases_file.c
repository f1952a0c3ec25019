/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file of cases: its head and its policy, each case, and then the pods in other files. */
#include "config/cases_file.h"

#include "base/file.h"
#include "base/nearest.h"
#include "config/cases_parse.h"
#include "config/pod_manifest.h"
#include "config/unique.h"

enum { API_VERSION, KIND, POLICY, NODE_LABELS, CASES, KEY_COUNT };
static const struct str keys[KEY_COUNT] = {
    {"apiVersion", 10}, {"kind", 4}, {"policy", 6}, {"nodeLabels", 10}, {"cases", 5}};

/* A file on its way in. */
struct draft {
    struct cases_context context;
    struct case_policies *policies;
    struct policy_case *cases;
    struct case_draft *drafts;
    size_t count;
};

/* `path`, where it is relative, as seen from the folder of `from`. NULL, recorded, when memory is
 * out. */
static const char *path_from(struct reader *reader, const char *from, struct str path)
{
    const char *slash = strrchr(from, '/');
    size_t folder = slash && path.data[0] != '/' ? (size_t)(slash - from) + 1 : 0;
    char *whole = reader_room(reader, folder + path.len + 1, 1);
    if (!whole)
        return NULL;
    memcpy(whole, from, folder);
    memcpy(whole + folder, path.data, path.len);
    return whole;
}

static void read_constant(struct reader *reader, const struct yaml_node *root,
                          const struct yaml_node *node, const char *what, struct str wanted)
{
    char hint[READER_HINT_SIZE];
    size_t index;
    snprintf(hint, sizeof(hint), "add `%s: %.*s`", what, STR_FMT(wanted));
    if (reader_need(reader, root, node, what, hint))
        reader_word(reader, node, what, &wanted, 1, &index);
}

static void read_policy(struct draft *draft, const struct yaml_node *node)
{
    struct reader *reader = &draft->context.reader;
    struct str path;
    if (!reader_text(reader, node, "policy", CASES_PATH_LENGTH_MAX, &path))
        return;
    const char *whole = path_from(reader, reader->source->path, path);
    struct case_policy *policy = whole ? case_policies_get(draft->policies, whole) : NULL;
    if (!policy)
        diags_add_memory_out(reader->diags);
    else if (!policy->policy)
        reader_error(reader, node, NULL, "the policy %.*s cannot be used",
                     DIAG_TEXT(str_of(whole)));
    else
        draft->context.policy = policy;
}

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct reader *reader = cookie;
    char hint[READER_HINT_SIZE];
    snprintf(hint, sizeof(hint), "the other one is at line %u", earlier->at.line);
    reader_error(reader, node, hint, "two cases are called \"%.*s\"", DIAG_TEXT(node->text));
}

static void read_cases(struct draft *draft, const struct yaml_node *node)
{
    struct reader *reader = &draft->context.reader;
    if (!reader_collection(reader, node, YAML_SEQUENCE, "cases"))
        return;
    const struct yaml_node **names =
        reader_room(reader, node->count, sizeof(const struct yaml_node *));
    draft->cases = reader_room(reader, node->count, sizeof(*draft->cases));
    draft->drafts = reader_room(reader, node->count, sizeof(*draft->drafts));
    if (!names || !draft->cases || !draft->drafts)
        return;
    size_t named = 0;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct case_draft *one = &draft->drafts[draft->count];
        one->out = &draft->cases[draft->count++];
        cases_parse_case(&draft->context, item, one);
        if (one->name)
            names[named++] = one->name;
    }
    unique_check_array(names, named, report_twice, reader);
}

static void read_root(struct draft *draft, const struct yaml_node *root)
{
    struct reader *reader = &draft->context.reader;
    const struct yaml_node *values[KEY_COUNT];
    if (!reader_mapping(reader, root, "a file of cases", keys, KEY_COUNT, values))
        return;
    read_constant(reader, root, values[API_VERSION], "apiVersion", STR("crigate/v1"));
    read_constant(reader, root, values[KIND], "kind", STR("PolicyCases"));
    if (reader_need(reader, root, values[POLICY], "policy",
                    "the path of the policy file, as seen from this file"))
        read_policy(draft, values[POLICY]);
    draft->context.node.is_known = true; /* a node without labels */
    if (values[NODE_LABELS])
        cases_parse_node(reader, values[NODE_LABELS], &draft->context.node);
    if (reader_need(reader, root, values[CASES], "cases", "list what the policy should do"))
        read_cases(draft, values[CASES]);
}

/* A manifest of its own file: its findings are at places in that file. */
static void read_pod_file(struct reader *reader, const struct case_draft *draft)
{
    OWNED_ARENA struct arena text = {0};
    struct err err;
    struct diag_source source = {
        .path = path_from(reader, reader->source->path, draft->pod_file->text)};
    if (!source.path)
        return;
    if (file_read(source.path, POD_MANIFEST_MAX, &text, &source.text, &err)) {
        reader_error(reader, draft->pod_file, NULL, "podFile: %s: %s", source.path, err.text);
        return;
    }
    struct reader inner = {.source = &source, .diags = reader->diags, .arena = reader->arena};
    struct pod_manifest pod = {0};
    const struct yaml_node *root =
        yaml_read(&source, YAML_FIRST_DOCUMENT, reader->arena, reader->diags);
    if (!root)
        return;
    pod_manifest_read(&inner, root, POD_MANIFEST_WHOLE, &pod);
    draft->out->pod = pod.facts;
    draft->out->containers = pod.containers;
    draft->out->pod.handler = draft->handler ? draft->handler->text : pod.runtime_class;
}

static void check_container(struct reader *reader, const struct case_draft *draft)
{
    const struct pod_containers *containers = &draft->out->containers;
    struct str wanted = draft->out->expect.container;
    char hint[READER_HINT_SIZE];
    const char *advice = NULL;
    for (size_t i = 0; i < containers->count; i++) {
        if (str_eq(containers->items[i].facts.name, wanted))
            return;
    }
    const struct str *near = containers->count
                                 ? nearest_word(wanted, &containers->items->facts.name,
                                                containers->count, sizeof(*containers->items))
                                 : NULL;
    if (near) {
        snprintf(hint, sizeof(hint), "did you mean \"%.*s\"?", DIAG_TEXT(*near));
        advice = hint;
    }
    reader_error(reader, draft->container, advice, "container: the pod has no container \"%.*s\"",
                 DIAG_TEXT(wanted));
}

/* What can be read and checked once every case has been seen. */
static void finish_pods(struct draft *draft)
{
    struct diags *diags = draft->context.reader.diags;
    for (size_t i = 0; i < draft->count; i++) {
        size_t first = diags->count;
        if (draft->drafts[i].pod_file)
            read_pod_file(&draft->context.reader, &draft->drafts[i]);
        diags_sort(diags, first);
        if (draft->drafts[i].container && !diags_failed(diags))
            check_container(&draft->context.reader, &draft->drafts[i]);
    }
}

int cases_file_parse(const char *path, struct str text, struct case_policies *policies,
                     struct diags *diags, struct cases_file *file)
{
    OWNED(cases_file_free) struct cases_file read = {0};
    struct diag_source source = {.path = path, .text = text};
    struct draft draft = {
        .context.reader = {.source = &source, .diags = diags, .arena = &read.arena},
        .policies = policies};
    size_t first = diags->count;
    const struct yaml_node *root = yaml_read(&source, YAML_ONE_DOCUMENT, &read.arena, diags);
    if (root)
        read_root(&draft, root);
    diags_sort(diags, first);
    finish_pods(&draft);
    read.path = arena_str(&read.arena, str_of(path)).data;
    if (!read.path)
        diags_add_memory_out(diags);
    if (!root || diags_failed(diags))
        return -1;
    read.policy = draft.context.policy;
    read.cases = draft.cases;
    read.count = draft.count;
    *file = read;
    read = (struct cases_file){0};
    return 0;
}

int cases_file_load(const char *path, struct case_policies *policies, struct diags *diags,
                    struct cases_file *file)
{
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    struct err err;
    if (file_read(path, CASES_FILE_MAX, &arena, &text, &err)) {
        struct diag_source source = {.path = path};
        diags_add(diags, DIAG_ERROR, &source, (struct place){0}, NULL, "%s", err.text);
        return -1;
    }
    return cases_file_parse(path, text, policies, diags, file);
}

void cases_file_free(struct cases_file *file)
{
    arena_free(&file->arena);
    *file = (struct cases_file){0};
}
