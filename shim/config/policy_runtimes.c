/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `runtimes`: the handlers that may run, their aliases, and what they cannot do. */
#include <stdlib.h>

#include "config/policy_parse.h"
#include "config/unique.h"

/* containerd's own limit for identifiers. */
#define HANDLER_MAX ((size_t)76)

/* Names that a wrong one is compared with: a bound on the work in a file full of both. */
#define SUGGESTED_MAX ((size_t)100)

enum { HANDLER, ALIASES, ISOLATION, DEFAULT, CANNOT, DEVICES, KEY_COUNT };
static const struct str keys[KEY_COUNT] = {{"handler", 7}, {"aliases", 7}, {"isolation", 9},
                                           {"default", 7}, {"cannot", 6},  {"devices", 7}};

struct runtimes {
    struct reader *reader;
    const struct yaml_node **names; /* nodes of all handlers and aliases */
    size_t name_count;
    const struct yaml_node *first_default;
    bool default_is_unclear; /* one was written wrong */
};

static bool is_alphanumeric(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

static bool is_handler_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char byte = s.data[i];
        bool is_inner = i > 0 && i + 1 < s.len && (byte == '-' || byte == '_' || byte == '.');
        if (!is_alphanumeric(byte) && !is_inner)
            return false;
    }
    return s.len > 0 && s.len <= HANDLER_MAX;
}

/* `run: requested` has a meaning of its own. */
static void read_name(struct runtimes *all, const struct yaml_node *node, const char *what,
                      struct str *name)
{
    if (!reader_string(all->reader, node, what, name))
        return;
    if (!is_handler_name(*name))
        reader_error(all->reader, node,
                     "1 to 76 letters, digits, '-', '_' and '.', a letter or digit at both ends",
                     "%s \"%.*s\" is no name that containerd takes", what, DIAG_TEXT(*name));
    else if (str_eq(*name, STR("requested")))
        reader_error(all->reader, node, NULL,
                     "%s may not be \"requested\": `run: requested` means what the pod asks for",
                     what);
    else
        all->names[all->name_count++] = node;
}

/* Source: getSandboxRuntime() of containerd's CRI server. */
static void check_untrusted(struct reader *reader, const struct yaml_node *node, struct str alias)
{
    if (str_eq(alias, STR("untrusted")))
        reader_warning(reader, node,
                       "declare a handler named `untrusted` here and in containerd's own runtimes",
                       "a pod with the annotation io.kubernetes.cri.untrusted-workload cannot run "
                       "under this alias: containerd takes it with no handler but \"untrusted\"");
}

static void read_aliases(struct runtimes *all, const struct yaml_node *node,
                         struct runtime_spec *runtime)
{
    if (!reader_collection(all->reader, node, YAML_SEQUENCE, "aliases"))
        return;
    struct str *aliases = reader_room(all->reader, node->count, sizeof(*aliases));
    if (!aliases)
        return;
    size_t count = 0;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        read_name(all, item, "alias", &aliases[count]);
        check_untrusted(all->reader, item, aliases[count++]);
    }
    runtime->aliases = aliases;
    runtime->alias_count = count;
}

static void read_isolation(struct reader *reader, const struct yaml_node *node,
                           struct runtime_spec *runtime)
{
    static const struct str words[] = {{"hostKernel", 10}, {"sandbox", 7}};
    size_t index;
    if (reader_word(reader, node, "isolation", words, COUNT_OF(words), &index))
        runtime->isolation = index == 0 ? ISOLATION_HOST_KERNEL : ISOLATION_SANDBOX;
}

static void read_cannot(struct reader *reader, const struct yaml_node *node,
                        struct runtime_spec *runtime)
{
    struct str words[32];
    size_t count = 0;
    for (unsigned bit = ABILITY_HOST_NETWORK; bit <= ABILITY_BIDIRECTIONAL_MOUNTS; bit <<= 1)
        words[count++] = str_of(ability_name((enum ability)bit));
    if (!reader_collection(reader, node, YAML_SEQUENCE, "cannot"))
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t index;
        if (!reader_word(reader, item, "cannot", words, count, &index))
            continue;
        unsigned bit = ability_of(item->text);
        if (runtime->cannot & bit)
            reader_error(reader, item, NULL, "\"%.*s\" stands twice in cannot",
                         DIAG_TEXT(item->text));
        runtime->cannot |= bit;
    }
}

static void read_default(struct runtimes *all, const struct yaml_node *node,
                         struct runtime_spec *runtime)
{
    if (!reader_boolean(all->reader, node, "default", &runtime->is_default))
        all->default_is_unclear = true;
    if (!runtime->is_default)
        return;
    if (all->first_default) {
        char hint[READER_HINT_SIZE];
        snprintf(hint, sizeof(hint), "the first one is at line %u", all->first_default->at.line);
        reader_error(all->reader, node, hint, "a second runtime is the default");
        return;
    }
    all->first_default = node;
}

static void read_runtime(struct runtimes *all, const struct yaml_node *node,
                         struct runtime_spec *runtime)
{
    const struct yaml_node *values[KEY_COUNT];
    if (!reader_mapping(all->reader, node, "a runtime", keys, KEY_COUNT, values))
        return;
    if (reader_need(all->reader, node, values[HANDLER], "handler of the runtime", NULL))
        read_name(all, values[HANDLER], "handler", &runtime->handler);
    if (values[ALIASES])
        read_aliases(all, values[ALIASES], runtime);
    if (reader_need(all->reader, node, values[ISOLATION], "isolation of the runtime",
                    "hostKernel (such as runc) or sandbox (such as gVisor)"))
        read_isolation(all->reader, values[ISOLATION], runtime);
    if (values[DEFAULT])
        read_default(all, values[DEFAULT], runtime);
    if (values[CANNOT])
        read_cannot(all->reader, values[CANNOT], runtime);
    if (values[DEVICES])
        policy_parse_devices(all->reader, values[DEVICES], runtime);
}

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct runtimes *all = cookie;
    char hint[READER_HINT_SIZE];
    snprintf(hint, sizeof(hint), "it is declared first at line %u, column %u", earlier->at.line,
             earlier->at.column);
    reader_error(all->reader, node, hint, "\"%.*s\" names a runtime twice", DIAG_TEXT(node->text));
}

static size_t count_names(const struct yaml_node *list)
{
    size_t count = 0;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *aliases = reader_find(item, "aliases");
        count += 1 + (aliases ? aliases->count : 0);
    }
    return count;
}

/* The names are sorted once unique_check_array() has seen them. */
static void declare(struct runtimes *all, struct declared *declared)
{
    unique_check_array(all->names, all->name_count, report_twice, all);
    struct str *names = reader_room(all->reader, all->name_count, sizeof(*names));
    if (!names)
        return;
    for (size_t i = 0; i < all->name_count; i++)
        names[i] = all->names[i]->text;
    declared->names = names;
    declared->count = all->name_count;
}

void policy_parse_runtimes(struct reader *reader, const struct yaml_node *node,
                           struct policy_spec *spec, struct declared *declared)
{
    *declared = (struct declared){0};
    if (!reader_collection(reader, node, YAML_SEQUENCE, "runtimes"))
        return;
    size_t errors_before = reader->diags->errors;
    struct runtimes all = {.reader = reader};
    all.names = reader_room(reader, count_names(node), sizeof(struct yaml_node *));
    struct runtime_spec *runtimes = reader_room(reader, node->count, sizeof(*runtimes));
    if (!all.names || !runtimes)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        read_runtime(&all, item, &runtimes[spec->runtime_count++]);
    spec->runtimes = runtimes;
    declare(&all, declared);
    declared->whole = reader->diags->errors == errors_before;
    if (!all.first_default && !all.default_is_unclear)
        reader_error(reader, node, "set `default: true` on one of them",
                     "no runtime is the default: what would a pod that names none run under?");
}

static int order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool policy_parse_handler(struct reader *reader, const struct yaml_node *node, const char *what,
                          struct str text, const struct declared *declared)
{
    if (declared->count && bsearch(&text, declared->names, declared->count, sizeof(text), order))
        return true;
    char hint[READER_HINT_SIZE];
    size_t compared = declared->count < SUGGESTED_MAX ? declared->count : SUGGESTED_MAX;
    const char *near = reader_suggest(text, declared->names, compared, hint);
    if (declared->whole || near)
        reader_error(reader, node, near ? near : "declare it under runtimes",
                     "%s: \"%.*s\" is not a declared runtime", what, DIAG_TEXT(text));
    return false;
}
