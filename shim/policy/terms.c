/* SPDX-License-Identifier: Apache-2.0 */
/* The match of one rule becomes a flat list of terms, and a filter of hash bits over them. */
#include "policy/filter.h"

/* The terms of one rule while they are made. */
struct builder {
    struct policy *policy;
    struct rule *rule;
    struct filter *filter;
    struct term *terms; /* room for all */
    size_t count;
    struct err *err;
};

static int no_memory(const struct builder *builder)
{
    return err_set(builder->err, "memory is out");
}

static void add_term(struct builder *builder, struct term term, size_t items)
{
    builder->terms[builder->count++] = term;
    builder->rule->weight += 1 + items;
}

static void add_flag(struct builder *builder, enum ability flag, enum tristate wanted)
{
    if (wanted == TRISTATE_UNSET)
        return;
    struct flag_term term = {.flag = flag, .wanted = wanted == TRISTATE_TRUE};
    if (term.wanted)
        builder->filter->flags_on |= (uint16_t)flag;
    else
        builder->filter->flags_off |= (uint16_t)flag;
    add_term(builder, (struct term){.kind = TERM_FLAG, .flag = term}, 0);
}

static bool names_runtime(const struct policy_runtime *const *runtimes, size_t count,
                          const struct policy_runtime *runtime)
{
    for (size_t i = 0; i < count; i++) {
        if (runtimes[i] == runtime)
            return true;
    }
    return false;
}

static int add_handlers(struct builder *builder, const struct str_list *list)
{
    struct policy *policy = builder->policy;
    if (list->count == 0)
        return 0;
    /* More names than runtimes are aliases of the same: each runtime is listed once. */
    size_t room = list->count < policy->runtime_count ? list->count : policy->runtime_count;
    const struct policy_runtime **runtimes = arena_array(&policy->arena, room, sizeof(*runtimes));
    if (!runtimes)
        return no_memory(builder);
    struct handlers_term term = {.runtimes = runtimes};
    uint32_t bits = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct policy_runtime *runtime = policy_resolve(policy, list->items[i]);
        if (!runtime)
            return err_set(builder->err, "no runtime has the handler or alias \"%.*s\"",
                           STR_FMT(list->items[i]));
        bits |= filter_runtime_bit(policy, runtime);
        if (list->items[i].len == 0)
            term.unnamed = true;
        else if (!names_runtime(runtimes, term.count, runtime))
            runtimes[term.count++] = runtime;
    }
    if (term.count == policy->runtime_count)
        return 0; /* a request that resolves to none of them never gets to the rules */
    builder->filter->runtimes = bits;
    add_term(builder, (struct term){.kind = TERM_HANDLERS, .handlers = term}, term.count);
    return 0;
}

static int compare_strs(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int copy_values(struct builder *builder, const struct requirement_spec *spec,
                       struct label_term *term)
{
    struct arena *arena = &builder->policy->arena;
    struct str *values = arena_array(arena, spec->value_count, sizeof(*values));
    if (!values)
        return no_memory(builder);
    for (size_t i = 0; i < spec->value_count; i++) {
        values[i] = arena_str(arena, spec->values[i]);
        if (!values[i].data)
            return no_memory(builder);
    }
    if (spec->value_count > 1)
        qsort(values, spec->value_count, sizeof(*values), compare_strs);
    for (size_t i = 0; i < spec->value_count; i++) {
        if (term->count == 0 || !str_eq(values[term->count - 1], values[i]))
            values[term->count++] = values[i];
    }
    term->values = values;
    return 0;
}

static int compare_label_terms(const void *a, const void *b)
{
    const struct label_term *left = &((const struct term *)a)->label;
    const struct label_term *right = &((const struct term *)b)->label;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    int order = str_cmp(left->key, right->key);
    return order ? order : (int)left->op - (int)right->op;
}

static int add_selector(struct builder *builder, enum input_source source,
                        const struct selector_spec *selector)
{
    size_t first = builder->count;
    for (size_t i = 0; i < selector->count; i++) {
        const struct requirement_spec *spec = &selector->items[i];
        struct label_term term = {.source = source, .op = spec->op};
        term.key = arena_str(&builder->policy->arena, spec->key);
        if (!term.key.data)
            return no_memory(builder);
        term.hash = label_hash(term.key);
        if (copy_values(builder, spec, &term) < 0)
            return -1;
        filter_add_label(builder->filter, &term);
        add_term(builder, (struct term){.kind = TERM_LABEL, .label = term}, term.count);
    }
    if (selector->count > 1)
        qsort(&builder->terms[first], selector->count, sizeof(struct term), compare_label_terms);
    return 0;
}

static int add_globs(struct builder *builder, enum term_kind kind, const struct str_list *list)
{
    struct arena *arena = &builder->policy->arena;
    if (list->count == 0)
        return 0;
    struct glob *globs = arena_array(arena, list->count, sizeof(*globs));
    if (!globs)
        return no_memory(builder);
    bool any = false;
    for (size_t i = 0; i < list->count; i++) {
        struct str pattern = arena_str(arena, list->items[i]);
        if (!pattern.data)
            return no_memory(builder);
        globs[i] = glob_make(pattern);
        any |= glob_is_any(&globs[i]);
    }
    /* Every pod has a name and a namespace, but not every pod has an annotation. */
    if (any && kind != TERM_ANNOTATION_KEYS)
        return 0;
    struct globs_term term = {.items = globs, .count = list->count};
    filter_add_globs(builder->filter, kind, &term);
    add_term(builder, (struct term){.kind = kind, .globs = term}, term.count);
    return 0;
}

/* Room for the terms: packed close, since a large policy is read through for each pod. */
static size_t count_terms(const struct match_spec *spec)
{
    return (spec->host_network != TRISTATE_UNSET) + (spec->host_pid != TRISTATE_UNSET) +
           (spec->host_ipc != TRISTATE_UNSET) + (spec->privileged != TRISTATE_UNSET) +
           (spec->handlers.count != 0) + (spec->namespaces.count != 0) + (spec->names.count != 0) +
           (spec->annotation_keys.count != 0) + spec->pod.count + spec->annotations.count +
           spec->node.count;
}

int terms_compile(struct policy *policy, const struct match_spec *spec, struct rule *rule,
                  struct filter *filter, struct err *err)
{
    struct builder builder = {.policy = policy, .rule = rule, .filter = filter, .err = err};
    builder.terms = arena_array(&policy->arena, count_terms(spec), sizeof(struct term));
    if (!builder.terms)
        return no_memory(&builder);
    *filter = filter_of_any();
    add_flag(&builder, ABILITY_HOST_NETWORK, spec->host_network);
    add_flag(&builder, ABILITY_HOST_PID, spec->host_pid);
    add_flag(&builder, ABILITY_HOST_IPC, spec->host_ipc);
    add_flag(&builder, ABILITY_PRIVILEGED, spec->privileged);
    if (add_handlers(&builder, &spec->handlers) < 0 ||
        add_selector(&builder, INPUT_POD_LABEL, &spec->pod) < 0 ||
        add_selector(&builder, INPUT_ANNOTATION, &spec->annotations) < 0 ||
        add_selector(&builder, INPUT_NODE_LABEL, &spec->node) < 0 ||
        add_globs(&builder, TERM_NAMESPACES, &spec->namespaces) < 0 ||
        add_globs(&builder, TERM_NAMES, &spec->names) < 0 ||
        add_globs(&builder, TERM_ANNOTATION_KEYS, &spec->annotation_keys) < 0)
        return -1;
    rule->terms = builder.terms;
    rule->term_count = builder.count;
    return 0;
}
