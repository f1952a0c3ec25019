/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings about rules that can never win. Each enforced rule is filed in a hash index under its
 * rarest term; a later rule looks only under the facets that a rule covering it must be filed
 * under. So 10,000 rules are compared with a few each, not with all before them.
 */
#include "policy/filter.h"

/* Units of comparing work for one policy, some 10 ms. A policy made to need more loads as fast as
 * any other, and may miss a warning. */
#define WORK_MAX ((size_t)1000 * 1000)

/* Heads of globs are filed by at most so many of their bytes. */
#define HEAD_MAX ((size_t)63)

#define NO_ENTRY UINT32_MAX

/* What a rule is filed and looked for under. Two facets may share a hash: each find is checked. */
enum facet_kind {
    FACET_LOOSE, /* no term of the rule can be indexed */
    FACET_FLAG,
    FACET_LABEL_VALUE,
    FACET_LABEL_KEY,
    FACET_LITERAL,
    FACET_HEAD,
};

struct entry {
    uint64_t facet;
    uint32_t rule, next;
};

struct index {
    uint32_t *buckets; /* the newest entry of each, or NO_ENTRY */
    uint32_t *rarity;  /* by the same hash: how many rules have that facet */
    struct entry *entries;
    size_t mask, count;
    /* For each kind of glob term, the lengths of heads that are filed: bit n is length n. */
    uint64_t head_lengths[TERM_ANNOTATION_KEYS + 1];
};

/* One rule's search for the rule that covers it. */
struct search {
    const struct policy *policy;
    const struct index *index;
    uint32_t rule, found; /* found: NO_ENTRY, or the first rule that covers it */
    size_t *work;         /* units that are left */
};

static uint64_t facet(enum facet_kind kind, unsigned detail, uint32_t key_hash, uint32_t value_hash)
{
    uint64_t hash = ((uint64_t)key_hash << 32 | value_hash) ^ ((uint64_t)kind << 8 | detail);
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t head_facet(enum term_kind kind, struct str head, size_t len)
{
    struct str cut = {.data = head.data, .len = len};
    return facet(FACET_HEAD, kind, label_hash(cut), (uint32_t)len);
}

static size_t head_length(const struct glob *glob)
{
    return glob->head.len < HEAD_MAX ? glob->head.len : HEAD_MAX;
}

/* Under how many facets a rule is filed by this term; 0: it cannot be. */
static size_t anchor_count(const struct term *term)
{
    switch (term->kind) {
    case TERM_FLAG:
        return 1;
    case TERM_LABEL:
        return term->label.op == OPERATOR_IN       ? term->label.count
               : term->label.op == OPERATOR_EXISTS ? 1
                                                   : 0;
    case TERM_NAMESPACES:
    case TERM_NAMES:
    case TERM_ANNOTATION_KEYS:
        return term->globs.count;
    case TERM_HANDLERS:
        break;
    }
    return 0;
}

static uint64_t flag_facet(const struct flag_term *term)
{
    return facet(FACET_FLAG, term->wanted, term->flag, 0);
}

static uint64_t value_facet(const struct label_term *term, size_t i)
{
    return facet(FACET_LABEL_VALUE, term->source, term->hash, label_hash(term->values[i]));
}

static uint64_t key_facet(const struct label_term *term)
{
    return facet(FACET_LABEL_KEY, term->source, term->hash, 0);
}

static uint64_t anchor_at(const struct term *term, size_t i)
{
    switch (term->kind) {
    case TERM_FLAG:
        return flag_facet(&term->flag);
    case TERM_LABEL:
        return term->label.op == OPERATOR_IN ? value_facet(&term->label, i)
                                             : key_facet(&term->label);
    case TERM_NAMESPACES:
    case TERM_NAMES:
    case TERM_ANNOTATION_KEYS: {
        const struct glob *glob = &term->globs.items[i];
        return glob->kind == GLOB_LITERAL ? facet(FACET_LITERAL, term->kind, glob->hash, 0)
                                          : head_facet(term->kind, glob->head, head_length(glob));
    }
    case TERM_HANDLERS:
        break;
    }
    return facet(FACET_LOOSE, 0, 0, 0);
}

/* How many rules share the most common facet of a term. */
static uint32_t term_rarity(const struct index *index, const struct term *term)
{
    uint32_t most = 0;
    for (size_t i = 0; i < anchor_count(term); i++) {
        uint32_t here = index->rarity[anchor_at(term, i) & index->mask];
        most = here > most ? here : most;
    }
    return most;
}

static void count_rarity(struct index *index, const struct rule *rule)
{
    for (size_t i = 0; i < rule->term_count; i++) {
        for (size_t j = 0; j < anchor_count(&rule->terms[i]); j++)
            index->rarity[anchor_at(&rule->terms[i], j) & index->mask]++;
    }
}

static int index_make(const struct policy *policy, struct arena *arena, struct index *index)
{
    size_t room = policy->rule_count;
    for (size_t i = 0; i < policy->rule_count; i++)
        room += policy->rules[i].weight;
    if (room >= NO_ENTRY / 2)
        return -1;
    size_t buckets = 16;
    while (buckets < room)
        buckets *= 2;
    index->mask = buckets - 1;
    index->buckets = arena_array(arena, buckets, sizeof(*index->buckets));
    index->rarity = arena_array(arena, buckets, sizeof(*index->rarity));
    index->entries = arena_array(arena, room, sizeof(*index->entries));
    if (!index->buckets || !index->rarity || !index->entries)
        return -1;
    memset(index->buckets, 0xff, buckets * sizeof(*index->buckets));
    for (size_t i = 0; i < policy->rule_count; i++)
        count_rarity(index, &policy->rules[i]);
    return 0;
}

static void file_entry(struct index *index, uint64_t key, uint32_t rule)
{
    uint32_t *bucket = &index->buckets[key & index->mask];
    index->entries[index->count] = (struct entry){.facet = key, .rule = rule, .next = *bucket};
    *bucket = (uint32_t)index->count++;
}

static void file_rule(struct index *index, const struct rule *rule, uint32_t number)
{
    const struct term *anchor = NULL;
    uint32_t rarest = UINT32_MAX;
    for (size_t i = 0; i < rule->term_count; i++) {
        uint32_t rarity = anchor_count(&rule->terms[i]) ? term_rarity(index, &rule->terms[i]) : 0;
        if (rarity && rarity < rarest) {
            rarest = rarity;
            anchor = &rule->terms[i];
        }
    }
    if (!anchor) {
        file_entry(index, facet(FACET_LOOSE, 0, 0, 0), number);
        return;
    }
    for (size_t i = 0; i < anchor_count(anchor); i++) {
        file_entry(index, anchor_at(anchor, i), number);
        if (anchor->kind >= TERM_NAMESPACES)
            index->head_lengths[anchor->kind] |= UINT64_C(1)
                                                 << head_length(&anchor->globs.items[i]);
    }
}

static void spend(size_t *work, size_t units)
{
    *work = units < *work ? *work - units : 0;
}

static void look_up(struct search *search, uint64_t key)
{
    const struct index *index = search->index;
    const struct policy *policy = search->policy;
    uint32_t next;
    for (uint32_t at = index->buckets[key & index->mask]; at != NO_ENTRY; at = next) {
        const struct entry *entry = &index->entries[at];
        next = entry->next;
        if (*search->work == 0)
            return;
        spend(search->work, 1);
        if (entry->facet != key || entry->rule >= search->found ||
            !filter_may_cover(&policy->filters[entry->rule], &policy->filters[search->rule]))
            continue;
        const struct rule *wide = &policy->rules[entry->rule];
        const struct rule *narrow = &policy->rules[search->rule];
        size_t units = (wide->weight + 1) * (narrow->weight + 1);
        if (units < *search->work && rule_covers(policy, wide, narrow))
            search->found = entry->rule;
        spend(search->work, units);
    }
}

/* Each facet under which a glob that covers `glob` may be filed. */
static void look_up_text(struct search *search, enum term_kind kind, const struct glob *glob)
{
    if (glob->kind == GLOB_LITERAL)
        look_up(search, facet(FACET_LITERAL, kind, glob->hash, 0));
    uint64_t lengths = search->index->head_lengths[kind];
    while (lengths) {
        size_t len = (size_t)__builtin_ctzll(lengths);
        if (len > glob->head.len)
            return;
        look_up(search, head_facet(kind, glob->head, len));
        lengths &= lengths - 1;
    }
}

static void look_up_label(struct search *search, const struct label_term *term)
{
    if (term->op != OPERATOR_IN && term->op != OPERATOR_EXISTS)
        return;
    if (term->op == OPERATOR_IN && term->count)
        look_up(search, value_facet(term, 0));
    look_up(search, key_facet(term));
    if (term->source == INPUT_ANNOTATION) {
        struct glob key = glob_make(term->key);
        look_up_text(search, TERM_ANNOTATION_KEYS, &key);
    }
}

static void look_up_term(struct search *search, const struct term *term)
{
    switch (term->kind) {
    case TERM_FLAG:
        look_up(search, flag_facet(&term->flag));
        break;
    case TERM_LABEL:
        look_up_label(search, &term->label);
        break;
    case TERM_NAMESPACES:
    case TERM_NAMES:
    case TERM_ANNOTATION_KEYS:
        look_up_text(search, term->kind, &term->globs.items[0]);
        break;
    case TERM_HANDLERS:
        break;
    }
}

static const struct policy_rule *find_cover(const struct policy *policy, const struct index *index,
                                            uint32_t rule, size_t *work)
{
    struct search search = {
        .policy = policy, .index = index, .rule = rule, .found = NO_ENTRY, .work = work};
    look_up(&search, facet(FACET_LOOSE, 0, 0, 0));
    for (size_t i = 0; i < policy->rules[rule].term_count; i++)
        look_up_term(&search, &policy->rules[rule].terms[i]);
    return search.found == NO_ENTRY ? NULL : &policy->rules[search.found].public;
}

/* Whether each pod that the rule matches asks for a sandbox, and would lose it. */
static bool is_futile_downgrade(const struct policy *policy, const struct rule *rule)
{
    const struct action *action = &rule->action;
    if (action->kind != ACTION_RUN_HANDLER || action->allow_downgrade ||
        action->runtime->isolation != ISOLATION_HOST_KERNEL)
        return false;
    for (size_t i = 0; i < rule->term_count; i++) {
        if (rule->terms[i].kind != TERM_HANDLERS)
            continue;
        const struct handlers_term *term = &rule->terms[i].handlers;
        for (size_t j = 0; j < term->count; j++) {
            if (term->runtimes[j]->isolation != ISOLATION_SANDBOX)
                return false;
        }
        return !term->unnamed || policy->default_runtime->isolation == ISOLATION_SANDBOX;
    }
    return false;
}

int cover_report(const struct policy *policy, policy_warn_fn *warn, void *cookie, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct index index = {0};
    size_t work = WORK_MAX;
    if (index_make(policy, &arena, &index) < 0)
        return err_set(err, "looking for rules that can never win: memory is out");
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];
        const struct policy_rule *earlier = find_cover(policy, &index, (uint32_t)i, &work);
        if (earlier)
            warn(cookie, WARNING_RULE_COVERED, &rule->public, earlier);
        else if (!rule->observe) /* what a covered rule covers, its cover does too */
            file_rule(&index, rule, (uint32_t)i);
        if (is_futile_downgrade(policy, rule))
            warn(cookie, WARNING_DOWNGRADE_NEVER, &rule->public, NULL);
    }
    return 0;
}
