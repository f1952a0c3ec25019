/* SPDX-License-Identifier: Apache-2.0 */
/* Label sets: lookup, repeated keys, keys whose hashes are equal, very large sets. */
#include <criterion/criterion.h>

#include "policy/facts.h"

static struct label_set make(struct label *items, size_t count)
{
    struct label_set set;
    struct str twice;
    cr_assert_eq(label_set_make(items, count, &set, &twice), 0);
    return set;
}

static const struct str *find(const struct label_set *set, struct str key)
{
    return label_set_find(set, key, label_hash(key));
}

Test(facts, finds_each_key_and_no_other)
{
    struct label items[] = {{.key = STR("app"), .value = STR("web")},
                            {.key = STR(""), .value = STR("empty")},
                            {.key = STR("app\0x"), .value = STR("nul")},
                            {.key = STR("a-key-of-more-than-sixteen-bytes"), .value = STR("")}};
    struct label_set set = make(items, 4);
    cr_assert(str_eq(*find(&set, STR("app")), STR("web")));
    cr_assert(str_eq(*find(&set, STR("")), STR("empty")));
    cr_assert(str_eq(*find(&set, STR("app\0x")), STR("nul")));
    cr_assert_eq(find(&set, STR("a-key-of-more-than-sixteen-bytes"))->len, 0);
    cr_assert_null(find(&set, STR("ap")));
    cr_assert_null(find(&set, STR("app\0")));
    cr_assert_null(find(&set, STR("a-key-of-more-than-sixteen-byteS")));
}

Test(facts, finds_nothing_in_an_empty_set)
{
    struct label_set zeroed = {0}, made = make(NULL, 0);
    cr_assert_null(find(&zeroed, STR("app")));
    cr_assert_null(find(&made, STR("")));
}

Test(facts, names_a_repeated_key)
{
    struct label items[] = {{.key = STR("b"), .value = STR("1")},
                            {.key = STR("a"), .value = STR("2")},
                            {.key = STR("b"), .value = STR("1")}};
    struct label_set set;
    struct str twice = {0};
    cr_assert_eq(label_set_make(items, 3, &set, &twice), -1);
    cr_assert(str_eq(twice, STR("b")));
}

Test(facts, hashes_depend_on_each_byte)
{
    char bytes[40] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (size_t len = 1; len <= 36; len++) {
        struct str key = {bytes, len};
        uint32_t hash = label_hash(key);
        cr_assert_neq(hash, label_hash((struct str){bytes, len - 1}));
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 1;
            cr_assert_neq(hash, label_hash(key), "byte %zu of %zu", i, len);
            bytes[i] ^= 1;
        }
        cr_assert_eq(hash, label_hash(key));
    }
}

/* One step of label_hash(). It can be undone, so anybody can make keys of one hash. */
static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ (state >> 32);
}

/* Keys of 16 bytes: the second half takes back what the first did to the state. */
static void make_colliding_key(uint64_t number, char *key)
{
    uint64_t state = mix(mix(UINT64_C(0x2545f4914f6cdd1d), 16), number);
    memcpy(key, &number, sizeof(number));
    memcpy(key + sizeof(number), &state, sizeof(state));
}

Test(facts, sorts_and_searches_a_million_keys_of_one_hash, .timeout = 60)
{
    enum { KEYS = 1000000 };
    static char text[KEYS][16];
    static struct label items[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        make_colliding_key(i * 7919 % KEYS, text[i]);
        items[i].key = items[i].value = (struct str){text[i], 16};
    }
    struct label_set set = make(items, KEYS);
    cr_assert_eq(items[0].hash, items[KEYS - 1].hash, "the hash has changed, and not this test");
    for (size_t i = 0; i < KEYS; i++)
        cr_assert_eq(label_set_get(&set, items[i].key, items[i].hash), &items[i]);
    char absent[16];
    make_colliding_key(KEYS, absent);
    cr_assert_null(find(&set, (struct str){absent, 16}));
}

Test(facts, the_untrusted_annotation_outweighs_the_field)
{
    struct pod_facts pod = {.handler = STR("runc")};
    cr_assert(str_eq(pod_facts_requested(&pod), STR("runc")));
    pod.untrusted = true;
    cr_assert(str_eq(pod_facts_requested(&pod), STR("untrusted")));
}
