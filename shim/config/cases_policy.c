/* SPDX-License-Identifier: Apache-2.0 */
/* Loads each policy of a run once, and sorts the names of its rules. */
#include "config/cases_policy.h"

#include <limits.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "config/policy_file.h"

/* A wrong name is compared with up to 10,000 rules; only so many wrong names are. */
#define SUGGESTED_MAX 20

static int order(const void *a, const void *b)
{
    return str_cmp(((const struct case_rule *)a)->name, ((const struct case_rule *)b)->name);
}

/* -1 when memory is out. */
static int sort_rules(struct arena *arena, struct case_policy *item)
{
    size_t count = policy_rule_count(item->policy);
    item->rules = arena_array(arena, count, sizeof(*item->rules));
    if (!item->rules)
        return -1;
    for (size_t i = 0; i < count; i++)
        item->rules[i] =
            (struct case_rule){.name = policy_rule_at(item->policy, i)->name, .index = i};
    if (count > 1)
        qsort(item->rules, count, sizeof(*item->rules), order);
    item->rule_count = count;
    return 0;
}

static void load(struct arena *arena, struct case_policy *item)
{
    if (policy_file_load(item->path, &item->diags, &item->policy))
        return;
    if (sort_rules(arena, item) == 0)
        return;
    diags_add_memory_out(&item->diags);
    policy_unref(steal_ptr(&item->policy));
}

static struct case_policy *find(const struct case_policies *policies, const char *real)
{
    struct case_policy *item = policies->first;
    while (item && strcmp(item->real, real) != 0)
        item = item->next;
    return item;
}

struct case_policy *case_policies_get(struct case_policies *policies, const char *path)
{
    OWNED_MEM char *resolved = realpath(path, NULL);
    const char *real = resolved ? resolved : path;
    struct case_policy *item = find(policies, real);
    if (item)
        return item;
    item = arena_alloc(&policies->arena, sizeof(*item));
    if (!item)
        return NULL;
    item->path = arena_str(&policies->arena, str_of(path)).data;
    item->real = arena_str(&policies->arena, str_of(real)).data;
    if (!item->path || !item->real)
        return NULL;
    load(&policies->arena, item);
    if (policies->last)
        policies->last->next = item;
    else
        policies->first = item;
    policies->last = item;
    return item;
}

bool case_policy_rule(const struct case_policy *policy, struct str name, size_t *index)
{
    struct case_rule wanted = {.name = name};
    const struct case_rule *found =
        policy->rule_count
            ? bsearch(&wanted, policy->rules, policy->rule_count, sizeof(wanted), order)
            : NULL;
    if (found)
        *index = found->index;
    return found != NULL;
}

const char *case_policy_suggest(struct case_policy *policy, struct str name,
                                char buf[READER_HINT_SIZE])
{
    static const struct str otherwise = {"otherwise", 9};
    if (policy->suggested++ >= SUGGESTED_MAX)
        return NULL;
    const struct str *near =
        policy->rule_count
            ? nearest_word(name, &policy->rules->name, policy->rule_count, sizeof(*policy->rules))
            : NULL;
    if (!near)
        near = nearest_word(name, &otherwise, 1, sizeof(otherwise));
    if (!near)
        return NULL;
    snprintf(buf, READER_HINT_SIZE, "did you mean \"%.*s\"?", DIAG_TEXT(*near));
    return buf;
}

void case_policies_free(struct case_policies *policies)
{
    for (struct case_policy *item = policies->first; item; item = item->next) {
        if (item->policy)
            policy_unref(item->policy);
        diags_free(&item->diags);
    }
    arena_free(&policies->arena);
    *policies = (struct case_policies){0};
}
