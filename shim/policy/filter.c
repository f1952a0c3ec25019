/* SPDX-License-Identifier: Apache-2.0 */
/* Making filters: a rule's from its terms, a pod's from its facts. */
#include "policy/filter.h"

/* From so many rules on, hashing every value and prefix of a pod pays for itself. */
#define LARGE_POLICY_RULES 32

/* A pod without labels or annotations has this bit all the same, so that a word in which a rule
 * asks for nothing, all ones, passes it. */
#define BIT_OF_ALL (UINT64_C(1) << 63)

/* Of a text's beginning, these lengths are hashed. */
static const size_t prefixes[] = {16, 8, 4};

#define PREFIX_COUNT (sizeof(prefixes) / sizeof(prefixes[0]))

struct filter filter_of_any(void)
{
    return (struct filter){.pod_any_pair = UINT64_MAX,
                           .annotations = UINT64_MAX,
                           .namespaces = UINT64_MAX,
                           .names = UINT64_MAX,
                           .runtimes = UINT32_MAX};
}

uint32_t filter_runtime_bit(const struct policy *policy, const struct policy_runtime *runtime)
{
    return UINT32_C(1) << ((size_t)(runtime - policy->runtimes) & 31);
}

static uint64_t pair_bit(uint32_t key_hash, struct str value)
{
    return label_bit(key_hash ^ label_hash(value));
}

static uint64_t prefix_bit(struct str text, size_t len)
{
    return label_bit(label_hash((struct str){.data = text.data, .len = len}));
}

/* Whatever a glob matches has the glob's bit among its text_bits(). */
static uint64_t glob_bit(const struct glob *glob)
{
    if (glob->kind == GLOB_LITERAL)
        return label_bit(glob->hash);
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        if (glob->head.len >= prefixes[i])
            return prefix_bit(glob->head, prefixes[i]);
    }
    return UINT64_MAX;
}

static uint64_t text_bits(struct str text)
{
    uint64_t bits = label_bit(label_hash(text));
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        if (text.len >= prefixes[i])
            bits |= prefix_bit(text, prefixes[i]);
    }
    return bits;
}

static uint64_t value_bits(const struct label_term *term)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < term->count; i++)
        bits |= pair_bit(term->hash, term->values[i]);
    return bits;
}

void filter_add_label(struct filter *filter, const struct label_term *term)
{
    if (term->op != OPERATOR_IN && term->op != OPERATOR_EXISTS)
        return;
    uint64_t key = label_bit(term->hash);
    uint64_t values = term->op == OPERATOR_IN ? value_bits(term) : UINT64_MAX;
    uint64_t pair = term->op == OPERATOR_IN && term->count == 1 ? values : 0;
    switch (term->source) {
    case INPUT_POD_LABEL:
        filter->pod_keys |= key;
        filter->pod_pairs |= pair;
        /* Two lists of values cannot share the word; the shorter one rejects more. */
        if (__builtin_popcountll(values) < __builtin_popcountll(filter->pod_any_pair))
            filter->pod_any_pair = values;
        break;
    case INPUT_ANNOTATION:
        filter->annotation_keys |= key;
        break;
    case INPUT_NODE_LABEL:
        filter->node_keys |= key;
        filter->node_pairs |= pair;
        break;
    }
}

void filter_add_globs(struct filter *filter, enum term_kind kind, const struct globs_term *globs)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < globs->count; i++)
        bits |= glob_bit(&globs->items[i]);
    if (kind == TERM_NAMESPACES)
        filter->namespaces = bits;
    else if (kind == TERM_NAMES)
        filter->names = bits;
    else
        filter->annotations = bits;
}

static uint64_t pair_bits(const struct label_set *set)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < set->count; i++)
        bits |= pair_bit(set->items[i].hash, set->items[i].value);
    return bits;
}

static uint64_t key_bits(const struct label_set *set)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < set->count; i++)
        bits |= text_bits(set->items[i].key);
    return bits;
}

struct filter filter_of_pod(const struct policy *policy, const struct question *question)
{
    const struct pod_facts *pod = question->pod;
    const struct label_set *node = question->node;
    /* Bits that are not worked out, or not known, may be any. */
    struct filter filter = filter_of_any();
    filter.pod_keys = pod->labels.seen;
    filter.annotation_keys = pod->annotations.seen;
    filter.node_keys = node ? node->seen : UINT64_MAX;
    filter.pod_pairs = filter.node_pairs = UINT64_MAX;
    filter.runtimes = question->requested ? filter_runtime_bit(policy, question->requested) : 0;
    filter.flags_on = (uint16_t)question->demands;
    if (policy->rule_count < LARGE_POLICY_RULES)
        return filter;
    filter.pod_pairs = pair_bits(&pod->labels);
    filter.pod_any_pair = filter.pod_pairs | BIT_OF_ALL;
    filter.annotations = key_bits(&pod->annotations) | BIT_OF_ALL;
    filter.namespaces = text_bits(pod->namespace);
    filter.names = text_bits(pod->name);
    if (node)
        filter.node_pairs = pair_bits(node);
    return filter;
}

/* What the wide rule needs, the narrow one must need too. The words of which one bit suffices are
 * left out: a prefix's bit is not among those of a longer one. */
bool filter_may_cover(const struct filter *wide, const struct filter *narrow)
{
    return !((wide->pod_keys & ~narrow->pod_keys) | (wide->pod_pairs & ~narrow->pod_pairs) |
             (wide->annotation_keys & ~narrow->annotation_keys) |
             (wide->node_keys & ~narrow->node_keys) | (wide->node_pairs & ~narrow->node_pairs) |
             (unsigned)(wide->flags_on & ~narrow->flags_on) |
             (unsigned)(wide->flags_off & ~narrow->flags_off) |
             (narrow->runtimes & ~wide->runtimes));
}
