/* SPDX-License-Identifier: Apache-2.0 */
/* Label sets: hashing, sorting, lookup; and the handler that a pod asks for. */
#include "policy/facts.h"

static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ (state >> 32);
}

static uint32_t load32(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Fewer than eight bytes in one word: two halves that overlap, or the first, middle and last. */
static uint64_t load_tail(const char *bytes, size_t count)
{
    if (count >= 4)
        return load32(bytes) | (uint64_t)load32(bytes + count - 4) << 32;
    if (count == 0)
        return 0;
    return (uint64_t)(unsigned char)bytes[0] << 16 |
           (uint64_t)(unsigned char)bytes[count / 2] << 8 | (unsigned char)bytes[count - 1];
}

uint32_t label_hash(struct str key)
{
    uint64_t state = mix(UINT64_C(0x2545f4914f6cdd1d), key.len);
    size_t at = 0;
    for (; key.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, key.data + at, sizeof(word));
        state = mix(state, word);
    }
    if (at < key.len)
        state = mix(state, load_tail(key.data + at, key.len - at));
    return (uint32_t)(mix(state, 0) >> 32);
}

/* Keys may be chosen so that their hashes are equal; the order is total all the same, and a
 * search stays logarithmic. */
static int label_cmp(uint32_t hash, struct str key, const struct label *label)
{
    if (hash != label->hash)
        return hash < label->hash ? -1 : 1;
    return str_cmp(key, label->key);
}

static int compare_labels(const void *a, const void *b)
{
    const struct label *left = a;
    return label_cmp(left->hash, left->key, b);
}

int label_set_make(struct label *items, size_t count, struct label_set *set, struct str *twice)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].hash = label_hash(items[i].key);
        seen |= label_bit(items[i].hash);
    }
    if (count > 1)
        qsort(items, count, sizeof(*items), compare_labels);
    for (size_t i = 1; i < count; i++) {
        if (compare_labels(&items[i - 1], &items[i]) == 0) {
            *twice = items[i].key;
            return -1;
        }
    }
    *set = (struct label_set){.items = items, .count = count, .seen = seen};
    return 0;
}

const struct label *label_set_get(const struct label_set *set, struct str key, uint32_t hash)
{
    if (!(set->seen & label_bit(hash)))
        return NULL;
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = label_cmp(hash, key, &set->items[middle]);
        if (order == 0)
            return &set->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct str *label_set_find(const struct label_set *set, struct str key, uint32_t hash)
{
    const struct label *label = label_set_get(set, key, hash);
    return label ? &label->value : NULL;
}

#define UNTRUSTED_ANNOTATION STR("io.kubernetes.cri.untrusted-workload")

bool pod_annotation_untrusts(struct str key, struct str value)
{
    return str_eq(key, UNTRUSTED_ANNOTATION) && str_eq(value, STR("true"));
}

bool pod_annotations_untrust(const struct label_set *annotations)
{
    const struct label *label =
        label_set_get(annotations, UNTRUSTED_ANNOTATION, label_hash(UNTRUSTED_ANNOTATION));
    return label && pod_annotation_untrusts(label->key, label->value);
}

bool label_set_equal(const struct label_set *a, const struct label_set *b)
{
    if (!a || !b)
        return a == b;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!str_eq(a->items[i].key, b->items[i].key) ||
            !str_eq(a->items[i].value, b->items[i].value))
            return false;
    }
    return true;
}

struct str pod_facts_requested(const struct pod_facts *pod)
{
    return pod->untrusted ? STR("untrusted") : pod->handler;
}
