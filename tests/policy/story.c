/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the case files, statement by statement. */
#include "story.h"

#define WORDS_MAX 64

struct reader {
    struct story *story;
    struct story_case *asked;          /* NULL before the first case of a policy */
    struct rule_spec *rule;            /* NULL outside a rule */
    struct container_facts *container; /* NULL outside a container */
    unsigned line;
    struct str words[WORDS_MAX];
    size_t count;
    const char *rest; /* the line behind its first word */
    story_policy_fn *on_policy;
    story_case_fn *on_case;
    void *cookie;
    bool policy_told;
};

static void __attribute__((noreturn)) fail(const struct reader *reader, const char *what)
{
    fprintf(stderr, "%s:%u: %s\n", reader->story->path, reader->line, what);
    exit(2);
}

static void *must(const struct reader *reader, void *pointer)
{
    if (!pointer)
        fail(reader, "memory is out");
    return pointer;
}

static bool word_is(const struct reader *reader, size_t i, const char *text)
{
    return i < reader->count && str_eq(reader->words[i], str_of(text));
}

static struct str word(const struct reader *reader, size_t i)
{
    if (i >= reader->count)
        fail(reader, "a word is missing");
    return reader->words[i];
}

/* One word, its escapes undone. */
static struct str unescape(const struct reader *reader, const char *text, size_t len)
{
    char *bytes = must(reader, arena_alloc(&reader->story->arena, len + 1));
    size_t used = 0;
    if (len == 2 && memcmp(text, "\"\"", 2) == 0)
        len = 0;
    for (size_t i = 0; i < len; i++) {
        if (len - i >= 4 && text[i] == '\\' && text[i + 1] == 'x') {
            char digits[] = {text[i + 2], text[i + 3], '\0'};
            bytes[used++] = (char)strtoul(digits, NULL, 16);
            i += 3;
        } else {
            bytes[used++] = text[i];
        }
    }
    return (struct str){.data = bytes, .len = used};
}

static void split(struct reader *reader, const char *line)
{
    reader->count = 0;
    reader->rest = "";
    while (true) {
        line += strspn(line, " ");
        if (*line == '\0' || *line == '#')
            return;
        if (reader->count == 1)
            reader->rest = line;
        if (reader->count == WORDS_MAX)
            fail(reader, "too many words");
        size_t len = strcspn(line, " ");
        reader->words[reader->count++] = unescape(reader, line, len);
        line += len;
    }
}

static struct str_list list_from(const struct reader *reader, size_t first)
{
    size_t count = reader->count > first ? reader->count - first : 0;
    struct str *items = must(reader, arena_array(&reader->story->arena, count, sizeof(struct str)));
    for (size_t i = 0; i < count; i++)
        items[i] = reader->words[first + i];
    return (struct str_list){items, count};
}

static void read_runtime(struct reader *reader)
{
    struct policy_spec *spec = &reader->story->spec;
    struct runtime_spec *runtime = &reader->story->runtimes[spec->runtime_count];
    struct arena *arena = &reader->story->arena;
    struct str *aliases = must(reader, arena_array(arena, WORDS_MAX, sizeof(struct str)));
    struct str *devices = must(reader, arena_array(arena, WORDS_MAX, sizeof(struct str)));
    if (spec->runtime_count == STORY_MANY)
        fail(reader, "too many runtimes");
    *runtime =
        (struct runtime_spec){.handler = word(reader, 1), .aliases = aliases, .devices = devices};
    runtime->isolation = word_is(reader, 2, "sandbox") ? ISOLATION_SANDBOX : ISOLATION_HOST_KERNEL;
    for (size_t i = 3; i < reader->count; i++) {
        struct str option = reader->words[i];
        if (word_is(reader, i, "default"))
            runtime->is_default = true;
        else if (str_starts(option, STR("alias=")))
            aliases[runtime->alias_count++] = (struct str){option.data + 6, option.len - 6};
        else if (str_starts(option, STR("cannot=")))
            runtime->cannot |= ability_of((struct str){option.data + 7, option.len - 7});
        else if (str_starts(option, STR("device=")))
            devices[runtime->device_count++] = (struct str){option.data + 7, option.len - 7};
        else
            fail(reader, "not an option of a runtime");
    }
    spec->runtime_count++;
}

static enum selector_op op_of(const struct reader *reader, size_t i)
{
    static const char *const names[] = {"In", "NotIn", "Exists", "DoesNotExist"};
    for (int op = OPERATOR_IN; op <= OPERATOR_DOES_NOT_EXIST; op++) {
        if (word_is(reader, i, names[op]))
            return (enum selector_op)op;
    }
    fail(reader, "not an operator");
}

static void add_requirement(struct reader *reader, struct selector_spec *selector)
{
    struct str_list values = list_from(reader, 3);
    struct requirement_spec *items = must(
        reader, arena_array(&reader->story->arena, selector->count + 1, sizeof(*selector->items)));
    if (selector->count)
        memcpy(items, selector->items, selector->count * sizeof(*items));
    items[selector->count] =
        (struct requirement_spec){word(reader, 1), op_of(reader, 2), values.items, values.count};
    *selector = (struct selector_spec){items, selector->count + 1};
}

static void read_flag(const struct reader *reader, enum tristate *flag)
{
    *flag = word_is(reader, 1, "true") ? TRISTATE_TRUE : TRISTATE_FALSE;
}

static bool read_match(struct reader *reader, struct match_spec *match)
{
    if (word_is(reader, 0, "handlers"))
        match->handlers = list_from(reader, 1);
    else if (word_is(reader, 0, "namespaces"))
        match->namespaces = list_from(reader, 1);
    else if (word_is(reader, 0, "names"))
        match->names = list_from(reader, 1);
    else if (word_is(reader, 0, "annotationKeys"))
        match->annotation_keys = list_from(reader, 1);
    else if (word_is(reader, 0, "pod"))
        add_requirement(reader, &match->pod);
    else if (word_is(reader, 0, "annotation"))
        add_requirement(reader, &match->annotations);
    else if (word_is(reader, 0, "node"))
        add_requirement(reader, &match->node);
    else if (word_is(reader, 0, "hostNetwork"))
        read_flag(reader, &match->host_network);
    else if (word_is(reader, 0, "hostPID"))
        read_flag(reader, &match->host_pid);
    else if (word_is(reader, 0, "hostIPC"))
        read_flag(reader, &match->host_ipc);
    else if (word_is(reader, 0, "privileged"))
        read_flag(reader, &match->privileged);
    else
        return false;
    return true;
}

/* `run ...` or `refuse ...` from word `at` on. */
static bool read_action(struct reader *reader, size_t at, struct action_spec *action)
{
    if (word_is(reader, at, "refuse")) {
        const char *text = at ? reader->rest + strlen("refuse") : reader->rest;
        text += strspn(text, " ");
        *action = (struct action_spec){.kind = ACTION_REFUSE,
                                       .text = unescape(reader, text, strlen(text))};
        return true;
    }
    if (!word_is(reader, at, "run"))
        return false;
    bool requested = word_is(reader, at + 1, "requested");
    *action = (struct action_spec){.kind = requested ? ACTION_RUN_REQUESTED : ACTION_RUN_HANDLER,
                                   .text = word(reader, at + 1),
                                   .allow_downgrade = word_is(reader, at + 2, "allowDowngrade")};
    return true;
}

static void read_rule(struct reader *reader)
{
    struct policy_spec *spec = &reader->story->spec;
    if (spec->rule_count == STORY_MANY)
        fail(reader, "too many rules");
    reader->rule = &reader->story->rules[spec->rule_count++];
    *reader->rule = (struct rule_spec){
        .name = word(reader, 1), .at = {reader->line, 1}, .observe = word_is(reader, 2, "observe")};
}

static void append(const struct reader *reader, char *to, size_t size, const char *text)
{
    size_t used = strlen(to);
    if (used + strlen(text) + 2 > size)
        fail(reader, "too much text is expected");
    snprintf(to + used, size - used, "%s\n", text);
}

static void read_policy_line(struct reader *reader)
{
    struct story *story = reader->story;
    if (word_is(reader, 0, "runtime"))
        read_runtime(reader);
    else if (word_is(reader, 0, "rule"))
        read_rule(reader);
    else if (word_is(reader, 0, "otherwise") && read_action(reader, 1, &story->spec.otherwise))
        story->spec.otherwise_at = (struct place){reader->line, 1};
    else if (word_is(reader, 0, "warning"))
        append(reader, story->warnings, sizeof(story->warnings), reader->rest);
    else if (!reader->rule || (!read_match(reader, &reader->rule->match) &&
                               !read_action(reader, 0, &reader->rule->action)))
        fail(reader, "not a statement of a policy");
}

static void add_label(struct reader *reader, struct label *labels, size_t *count)
{
    if (*count == STORY_MANY)
        fail(reader, "too many labels");
    labels[(*count)++] = (struct label){.key = word(reader, 1), .value = word(reader, 2)};
}

static void read_with(struct reader *reader, struct pod_facts *pod)
{
    for (size_t i = 1; i < reader->count; i++) {
        unsigned ability = ability_of(reader->words[i]);
        if (ability == 0 || ability > ABILITY_SELINUX)
            fail(reader, "not an ability that a pod asks for");
        pod->host_network |= ability == ABILITY_HOST_NETWORK;
        pod->host_pid |= ability == ABILITY_HOST_PID;
        pod->host_ipc |= ability == ABILITY_HOST_IPC;
        pod->privileged |= ability == ABILITY_PRIVILEGED;
        pod->user_namespace |= ability == ABILITY_USER_NAMESPACES;
        pod->selinux |= ability == ABILITY_SELINUX;
    }
}

static void open_container(struct reader *reader)
{
    struct story_case *asked = reader->asked;
    if (asked->pod.container_count == STORY_FEW)
        fail(reader, "too many containers");
    reader->container = &asked->containers[asked->pod.container_count++];
    reader->container->name = word(reader, 1);
}

static void read_container_with(struct reader *reader, struct container_facts *container)
{
    struct pod_facts wants = {0};
    read_with(reader, &wants);
    container->host_network = wants.host_network;
    container->host_pid = wants.host_pid;
    container->host_ipc = wants.host_ipc;
    container->privileged = wants.privileged;
    container->user_namespace = wants.user_namespace;
    container->selinux = wants.selinux;
}

static void read_mount(struct reader *reader, struct container_facts *container)
{
    if (word_is(reader, 1, "recursiveReadOnly"))
        container->recursive_read_only = word(reader, 2);
    else if (word_is(reader, 1, "bidirectional"))
        container->bidirectional = word(reader, 2);
    else
        fail(reader, "not a kind of mount");
}

static bool read_container_line(struct reader *reader)
{
    struct container_facts *container = reader->container;
    if (!container)
        return false;
    if (word_is(reader, 0, "with")) {
        read_container_with(reader, container);
    } else if (word_is(reader, 0, "device")) {
        struct str_list list = list_from(reader, 1);
        container->devices = list.items;
        container->device_count = list.count;
    } else if (word_is(reader, 0, "mount")) {
        read_mount(reader, container);
    } else {
        return false;
    }
    return true;
}

static void read_expectation(struct reader *reader, struct story_case *asked)
{
    char text[512];
    if (word_is(reader, 0, "message")) {
        asked->message = unescape(reader, reader->rest, strlen(reader->rest));
        return;
    }
    bool observed = word_is(reader, 0, "observed");
    if (!observed && !word_is(reader, 0, "expect"))
        fail(reader, "not a statement of a case");
    snprintf(text, sizeof(text), "%s%s", observed ? "observed " : "", reader->rest);
    append(reader, asked->expected, sizeof(asked->expected), text);
}

static void read_case_line(struct reader *reader)
{
    struct story_case *asked = reader->asked;
    if (read_container_line(reader))
        return;
    if (word_is(reader, 0, "is")) {
        asked->pod.namespace = word(reader, 1);
        asked->pod.name = word(reader, 2);
    } else if (word_is(reader, 0, "handler")) {
        asked->pod.handler = word(reader, 1);
    } else if (word_is(reader, 0, "untrusted")) {
        asked->pod.untrusted = true;
    } else if (word_is(reader, 0, "with")) {
        read_with(reader, &asked->pod);
    } else if (word_is(reader, 0, "label")) {
        add_label(reader, asked->labels, &asked->label_count);
    } else if (word_is(reader, 0, "note")) {
        add_label(reader, asked->notes, &asked->note_count);
    } else if (word_is(reader, 0, "nodelabel")) {
        add_label(reader, asked->node, &asked->node_count);
    } else if (word_is(reader, 0, "node") && word_is(reader, 1, "unknown")) {
        asked->node_unknown = true;
    } else if (word_is(reader, 0, "sandbox")) {
        asked->sandbox = word(reader, 1);
    } else if (word_is(reader, 0, "container")) {
        open_container(reader);
    } else {
        read_expectation(reader, asked);
    }
}

static void make_set(const struct reader *reader, struct label *items, size_t count,
                     struct label_set *set)
{
    struct str twice;
    if (label_set_make(items, count, set, &twice) < 0)
        fail(reader, "the case that ends here has a label twice");
}

static void end_case(struct reader *reader)
{
    struct story_case *asked = reader->asked;
    if (!asked)
        return;
    make_set(reader, asked->labels, asked->label_count, &asked->pod.labels);
    make_set(reader, asked->notes, asked->note_count, &asked->pod.annotations);
    if (asked->sandbox.data && asked->pod.container_count != 1)
        fail(reader, "the case that ends here has a sandbox, and not one container");
    if (!reader->policy_told)
        reader->on_policy(reader->cookie, reader->story);
    reader->policy_told = true;
    reader->on_case(reader->cookie, reader->story, asked);
    reader->asked = NULL;
}

static void end_policy(struct reader *reader)
{
    end_case(reader);
    if (reader->story->spec.name.data && !reader->policy_told)
        reader->on_policy(reader->cookie, reader->story);
}

static void open_policy(struct reader *reader)
{
    struct story *story = reader->story;
    story->spec = (struct policy_spec){.name = word(reader, 1),
                                       .runtimes = story->runtimes,
                                       .rules = story->rules,
                                       .otherwise = {.kind = ACTION_RUN_REQUESTED}};
    story->spec.mode = word_is(reader, 2, "observe") ? POLICY_OBSERVE : POLICY_ENFORCE;
    memset(story->spec.sha256, 'a', sizeof(story->spec.sha256) - 1);
    story->warnings[0] = '\0';
    reader->rule = NULL;
    reader->policy_told = false;
}

static void open_case(struct reader *reader)
{
    reader->asked = must(reader, arena_alloc(&reader->story->arena, sizeof(struct story_case)));
    reader->asked->name = word(reader, 1);
    reader->asked->line = reader->line;
    reader->asked->pod.namespace = STR("default");
    reader->asked->pod.name = STR("pod");
    reader->asked->pod.handler = STR("");
    reader->asked->pod.containers = reader->asked->containers;
    reader->container = NULL;
}

static void read_line(struct reader *reader)
{
    if (reader->count == 0)
        return;
    if (word_is(reader, 0, "policy")) {
        end_policy(reader);
        open_policy(reader);
    } else if (!reader->story->spec.name.data) {
        fail(reader, "a file begins with a policy");
    } else if (word_is(reader, 0, "case")) {
        end_case(reader);
        open_case(reader);
    } else if (reader->asked) {
        read_case_line(reader);
    } else {
        read_policy_line(reader);
    }
}

void story_read(const char *path, story_policy_fn *on_policy, story_case_fn *on_case, void *cookie)
{
    static struct story story;
    story = (struct story){.path = path};
    struct reader reader = {
        .story = &story, .on_policy = on_policy, .on_case = on_case, .cookie = cookie};
    OWNED_FILE FILE *file = fopen(path, "re");
    if (!file)
        fail(&reader, "cannot be opened");
    char line[1024];
    while (fgets(line, sizeof(line), file)) {
        reader.line++;
        if (!strchr(line, '\n'))
            fail(&reader, "the line is too long or has no end");
        line[strcspn(line, "\n")] = '\0';
        split(&reader, line);
        read_line(&reader);
    }
    end_policy(&reader);
    arena_free(&story.arena);
}
