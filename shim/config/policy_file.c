/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a policy file to the compiled policy, with every finding on the way. */
#include "config/policy_file.h"

#include "base/file.h"
#include "base/sha256.h"
#include "config/policy_parse.h"

enum { API_VERSION, KIND, METADATA, MODE, RUNTIMES, RULES, OTHERWISE, KEY_COUNT };
static const struct str keys[KEY_COUNT] = {
    {"apiVersion", 10}, {"kind", 4},  {"metadata", 8},  {"mode", 4},
    {"runtimes", 8},    {"rules", 5}, {"otherwise", 9},
};

static void read_constant(struct reader *reader, const struct yaml_node *root,
                          const struct yaml_node *node, const char *what, struct str wanted)
{
    char hint[READER_HINT_SIZE];
    size_t index;
    snprintf(hint, sizeof(hint), "add `%s: %.*s`", what, STR_FMT(wanted));
    if (reader_need(reader, root, node, what, hint))
        reader_word(reader, node, what, &wanted, 1, &index);
}

static void read_metadata(struct reader *reader, const struct yaml_node *root,
                          const struct yaml_node *node, struct policy_spec *spec)
{
    static const struct str metadata_keys[] = {{"name", 4}};
    const struct yaml_node *name;
    if (reader_need(reader, root, node, "metadata", "add `metadata: {name: NAME}`") &&
        reader_mapping(reader, node, "metadata", metadata_keys, 1, &name) &&
        reader_need(reader, node, name, "metadata.name", NULL))
        reader_text(reader, name, "metadata.name", POLICY_NAME_MAX, &spec->name);
}

static void read_policy(struct reader *reader, const struct yaml_node *root,
                        struct policy_spec *spec)
{
    const struct yaml_node *values[KEY_COUNT];
    struct declared declared = {0};
    if (!reader_mapping(reader, root, "a policy", keys, KEY_COUNT, values))
        return;
    read_constant(reader, root, values[API_VERSION], "apiVersion", STR("crigate/v1"));
    read_constant(reader, root, values[KIND], "kind", STR("RuntimePolicy"));
    read_metadata(reader, root, values[METADATA], spec);
    if (values[MODE])
        policy_parse_mode(reader, values[MODE], &spec->mode);
    if (reader_need(reader, root, values[RUNTIMES], "runtimes",
                    "list the handlers that may run here"))
        policy_parse_runtimes(reader, values[RUNTIMES], spec, &declared);
    if (values[RULES])
        policy_parse_rules(reader, values[RULES], &declared, spec);
    if (reader_need(reader, root, values[OTHERWISE], "otherwise",
                    "say what happens to a pod that no rule matches: `otherwise: {run: requested}` "
                    "or `otherwise: {refuse: MESSAGE}`"))
        policy_parse_otherwise(reader, values[OTHERWISE], &declared, spec);
}

static void warn(void *cookie, enum policy_warning_kind kind, const struct policy_rule *rule,
                 const struct policy_rule *earlier)
{
    struct reader *reader = cookie;
    char hint[READER_HINT_SIZE];
    const char *message = NULL, *advice = NULL;
    switch (kind) {
    case WARNING_RULE_COVERED:
        message = "can never win: an earlier rule matches whatever it does";
        if (earlier) {
            snprintf(hint, sizeof(hint), "see rule \"%.*s\" at line %u", DIAG_TEXT(earlier->name),
                     earlier->at.line);
            advice = hint;
        }
        break;
    case WARNING_DOWNGRADE_NEVER:
        message = "refuses every pod it matches: it moves them from a sandbox to the host's kernel";
        advice = "if that is meant, set `allowDowngrade: true`";
        break;
    }
    diags_add(reader->diags, DIAG_WARNING, reader->source, rule->at, advice, "rule \"%.*s\" %s",
              DIAG_TEXT(rule->name), message);
}

static int fail_whole(struct diags *diags, struct diag_source *source, const struct err *err)
{
    diags_add(diags, DIAG_ERROR, source, (struct place){0}, NULL, "%s", err->text);
    return -1;
}

static int compile(struct reader *reader, const struct policy_spec *spec, struct policy **policy)
{
    struct err err;
    struct policy *compiled = NULL;
    if (policy_compile(spec, warn, reader, &compiled, &err))
        return fail_whole(reader->diags, reader->source, &err);
    if (diags_failed(reader->diags)) {
        policy_unref(compiled);
        return -1;
    }
    *policy = compiled;
    return 0;
}

static int parse(const char *path, struct str text, struct diags *diags, struct policy **policy)
{
    OWNED_ARENA struct arena arena = {0};
    struct diag_source source = {.path = path, .text = text};
    struct reader reader = {.source = &source, .diags = diags, .arena = &arena};
    struct policy_spec spec = {0};
    struct err err;
    if (sha256_hex(text, spec.sha256, &err))
        return fail_whole(diags, &source, &err);
    const struct yaml_node *root = yaml_read(&source, YAML_ONE_DOCUMENT, &arena, diags);
    if (!root)
        return -1;
    read_policy(&reader, root, &spec);
    return diags_failed(diags) ? -1 : compile(&reader, &spec, policy);
}

int policy_file_parse(const char *path, struct str text, struct diags *diags,
                      struct policy **policy)
{
    size_t first = diags->count;
    int rc = parse(path, text, diags, policy);
    diags_sort(diags, first);
    return rc;
}

int policy_file_load(const char *path, struct diags *diags, struct policy **policy)
{
    OWNED_ARENA struct arena arena = {0};
    struct str text;
    struct err err;
    if (file_read(path, POLICY_FILE_MAX, &arena, &text, &err)) {
        struct diag_source source = {.path = path};
        return fail_whole(diags, &source, &err);
    }
    return policy_file_parse(path, text, diags, policy);
}
