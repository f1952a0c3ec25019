/* SPDX-License-Identifier: Apache-2.0 */
/* A checked spec becomes a policy: everything is copied into one arena that dies with the last
 * reference. */
#include "policy/filter.h"

static int no_memory(struct err *err)
{
    return err_set(err, "compiling the policy: memory is out");
}

const struct policy_runtime *policy_resolve(const struct policy *policy, struct str name)
{
    if (name.len == 0)
        return policy->default_runtime;
    for (size_t i = 0; i < policy->name_count; i++) {
        if (str_eq(policy->names[i].name, name))
            return policy->names[i].runtime;
    }
    return NULL;
}

size_t policy_handler_count(const struct policy *policy)
{
    return policy->name_count + 1;
}

struct policy_handler policy_handler_at(const struct policy *policy, size_t index)
{
    if (index < policy->name_count)
        return policy->names[index];
    return (struct policy_handler){.name = STR(""), .runtime = policy->default_runtime};
}

static int add_name(struct policy *policy, struct str name, const struct policy_runtime *runtime,
                    struct err *err)
{
    struct policy_handler *entry = &policy->names[policy->name_count];
    *entry = (struct policy_handler){.name = arena_str(&policy->arena, name), .runtime = runtime};
    if (!entry->name.data)
        return no_memory(err);
    policy->name_count++;
    return 0;
}

static int compile_devices(struct policy *policy, const struct runtime_spec *spec,
                           struct globs_term *devices, struct err *err)
{
    struct glob *globs = arena_array(&policy->arena, spec->device_count, sizeof(*globs));
    if (!globs)
        return no_memory(err);
    for (size_t i = 0; i < spec->device_count; i++) {
        struct str pattern = arena_str(&policy->arena, spec->devices[i]);
        if (!pattern.data)
            return no_memory(err);
        globs[i] = glob_make(pattern);
    }
    *devices = (struct globs_term){.items = globs, .count = spec->device_count};
    return 0;
}

static int compile_runtime(struct policy *policy, const struct runtime_spec *spec,
                           struct policy_runtime *runtime, struct err *err)
{
    if (add_name(policy, spec->handler, runtime, err) < 0)
        return -1;
    *runtime = (struct policy_runtime){.handler = policy->names[policy->name_count - 1].name,
                                       .isolation = spec->isolation,
                                       .cannot = spec->cannot};
    for (size_t i = 0; i < spec->alias_count; i++) {
        if (add_name(policy, spec->aliases[i], runtime, err) < 0)
            return -1;
    }
    if (spec->is_default)
        policy->default_runtime = runtime;
    return compile_devices(policy, spec, &policy->devices[runtime - policy->runtimes], err);
}

static int compile_runtimes(struct policy *policy, const struct policy_spec *spec, struct err *err)
{
    size_t names = spec->runtime_count;
    for (size_t i = 0; i < spec->runtime_count; i++)
        names += spec->runtimes[i].alias_count;
    policy->runtime_count = spec->runtime_count;
    policy->runtimes =
        arena_array(&policy->arena, spec->runtime_count, sizeof(struct policy_runtime));
    policy->names = arena_array(&policy->arena, names, sizeof(struct policy_handler));
    policy->devices = arena_array(&policy->arena, spec->runtime_count, sizeof(struct globs_term));
    if (!policy->runtimes || !policy->names || !policy->devices)
        return no_memory(err);
    for (size_t i = 0; i < spec->runtime_count; i++) {
        if (compile_runtime(policy, &spec->runtimes[i], &policy->runtimes[i], err) < 0)
            return -1;
    }
    if (!policy->default_runtime)
        return err_set(err, "no runtime of the policy is the default");
    return 0;
}

static int compile_action(struct policy *policy, const struct action_spec *spec,
                          struct action *action, struct err *err)
{
    *action = (struct action){.kind = spec->kind, .allow_downgrade = spec->allow_downgrade};
    if (spec->kind == ACTION_REFUSE) {
        action->message = arena_str(&policy->arena, spec->text);
        if (!action->message.data)
            return no_memory(err);
    } else if (spec->kind == ACTION_RUN_HANDLER) {
        /* An empty name would mean the default here, and a rule must name what it runs. */
        action->runtime = spec->text.len ? policy_resolve(policy, spec->text) : NULL;
        if (!action->runtime)
            return err_set(err, "no runtime has the handler or alias \"%.*s\"",
                           STR_FMT(spec->text));
    }
    return 0;
}

static bool has_annotation_term(const struct rule *rule)
{
    for (size_t i = 0; i < rule->term_count; i++) {
        const struct term *term = &rule->terms[i];
        if (term->kind == TERM_ANNOTATION_KEYS ||
            (term->kind == TERM_LABEL && term->label.source == INPUT_ANNOTATION))
            return true;
    }
    return false;
}

static int compile_rule(struct policy *policy, const struct rule_spec *spec, struct rule *rule,
                        struct filter *filter, struct err *err)
{
    rule->public.at = spec->at;
    rule->public.name = arena_str(&policy->arena, spec->name);
    rule->observe = spec->observe;
    if (!rule->public.name.data)
        return no_memory(err);
    if (compile_action(policy, &spec->action, &rule->action, err) < 0 ||
        terms_compile(policy, &spec->match, rule, filter, err) < 0)
        return err_wrap(err, "rule \"%.*s\"", STR_FMT(spec->name));
    rule->refuses_by_annotation = rule->action.kind == ACTION_REFUSE && has_annotation_term(rule);
    return 0;
}

static int compile_rules(struct policy *policy, const struct policy_spec *spec, struct err *err)
{
    policy->rule_count = spec->rule_count;
    policy->rules = arena_array(&policy->arena, spec->rule_count, sizeof(struct rule));
    policy->filters = arena_array(&policy->arena, spec->rule_count, sizeof(struct filter));
    if (!policy->rules || !policy->filters)
        return no_memory(err);
    for (size_t i = 0; i < spec->rule_count; i++) {
        if (compile_rule(policy, &spec->rules[i], &policy->rules[i], &policy->filters[i], err) < 0)
            return -1;
        if (policy->rules[i].refuses_by_annotation)
            policy->annotation_end = i + 1;
    }
    policy->otherwise.public = (struct policy_rule){STR("otherwise"), spec->otherwise_at};
    if (compile_action(policy, &spec->otherwise, &policy->otherwise.action, err) < 0)
        return err_wrap(err, "otherwise");
    return 0;
}

int policy_compile(const struct policy_spec *spec, policy_warn_fn *warn, void *cookie,
                   struct policy **policy, struct err *err)
{
    OWNED(own_policy) struct policy *made = calloc(1, sizeof(*made));
    if (!made)
        return no_memory(err);
    atomic_init(&made->references, 1);
    made->mode = spec->mode;
    memcpy(made->sha256, spec->sha256, sizeof(made->sha256));
    made->sha256[sizeof(made->sha256) - 1] = '\0';
    made->name = arena_str(&made->arena, spec->name);
    if (!made->name.data)
        return no_memory(err);
    if (compile_runtimes(made, spec, err) < 0 || compile_rules(made, spec, err) < 0)
        return -1;
    if (warn && cover_report(made, warn, cookie, err) < 0)
        return -1;
    *policy = steal_ptr(&made);
    return 0;
}

struct policy *policy_ref(struct policy *policy)
{
    atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&policy->arena);
    free(policy);
}

struct str policy_name(const struct policy *policy)
{
    return policy->name;
}

const char *policy_sha256(const struct policy *policy)
{
    return policy->sha256;
}

enum policy_mode policy_mode(const struct policy *policy)
{
    return policy->mode;
}

static bool asks_node_labels(const struct rule *rule)
{
    for (size_t i = 0; i < rule->term_count; i++) {
        const struct term *term = &rule->terms[i];
        if (term->kind == TERM_LABEL && term->label.source == INPUT_NODE_LABEL)
            return true;
    }
    return false;
}

bool policy_asks_node_labels(const struct policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (asks_node_labels(&policy->rules[i]))
            return true;
    }
    return false;
}

size_t policy_rule_count(const struct policy *policy)
{
    return policy->rule_count;
}

const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index)
{
    return &policy->rules[index].public;
}
