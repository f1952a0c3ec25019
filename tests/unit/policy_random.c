/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random policies and pods over a small alphabet. What must always hold: the filters change no
 * decision, and a rule that is said to be covered never wins,
 * and a container judged without node labels is not judged otherwise with any.
 */
#include <criterion/criterion.h>

#include "base/arena.h"
#include "policy/policy.h"

#define POLICIES 3000
#define RULES_MAX 40
#define PODS 60

static uint64_t state = 20260701;

static unsigned pick(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

static const struct str words[] = {{"a", 1}, {"b", 1}, {"team-a", 6}, {"team-b-one", 10}, {"", 0}};
static const struct str globs[] = {{"a", 1},      {"*", 1},       {"team-*", 6}, {"team-a", 6},
                                   {"team-?", 6}, {"*-one", 5},   {"t*-b-*", 6}, {"team-b-*", 8},
                                   {"?", 1},      {"team-b-o", 8}};
static const struct str handlers[] = {{"", 0}, {"runc", 4}, {"runsc", 5}, {"gvisor", 6}};
static const struct str gvisor[] = {{"gvisor", 6}};
static const struct runtime_spec runtimes[] = {
    {.handler = {"runc", 4}, .is_default = true},
    {.handler = {"runsc", 5}, .aliases = gvisor, .alias_count = 1, .isolation = ISOLATION_SANDBOX},
    {.handler = {"kata", 4}, .isolation = ISOLATION_SANDBOX},
};

/* Mostly nothing, else one to three of `from`. */
static struct str_list pick_list(struct arena *arena, const struct str *from, unsigned count)
{
    if (pick(4))
        return (struct str_list){0};
    struct str *items = arena_array(arena, 3, sizeof(*items));
    size_t many = 1 + pick(3);
    for (size_t i = 0; i < many; i++)
        items[i] = from[pick(count)];
    return (struct str_list){items, many};
}

static struct selector_spec pick_selector(struct arena *arena)
{
    if (pick(3))
        return (struct selector_spec){0};
    struct requirement_spec *items = arena_array(arena, 2, sizeof(*items));
    size_t many = 1 + pick(2);
    for (size_t i = 0; i < many; i++) {
        struct str_list values;
        do {
            values = pick_list(arena, words, 5);
        } while (values.count == 0);
        items[i] = (struct requirement_spec){words[pick(3)], (enum selector_op)pick(4),
                                             values.items, values.count};
    }
    return (struct selector_spec){items, many};
}

static enum tristate pick_flag(void)
{
    return pick(6) ? TRISTATE_UNSET : pick(2) ? TRISTATE_TRUE : TRISTATE_FALSE;
}

static void pick_rules(struct arena *arena, struct rule_spec *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rules[i] =
            (struct rule_spec){.name = STR("r"), .at = {(uint32_t)i, 1}, .observe = pick(8) == 0};
        rules[i].match = (struct match_spec){.handlers = pick_list(arena, handlers, 4),
                                             .namespaces = pick_list(arena, globs, 10),
                                             .names = pick_list(arena, globs, 10),
                                             .annotation_keys = pick_list(arena, globs, 10),
                                             .pod = pick_selector(arena),
                                             .annotations = pick_selector(arena),
                                             .node = pick_selector(arena),
                                             .host_network = pick_flag(),
                                             .privileged = pick_flag()};
        if (pick(2))
            rules[i].action.kind = ACTION_RUN_REQUESTED;
    }
}

static struct label_set pick_labels(struct arena *arena)
{
    struct label *items = arena_array(arena, 4, sizeof(*items));
    size_t many = 0;
    for (size_t i = 0; i < 4; i++) {
        if (pick(2))
            items[many++] = (struct label){.key = words[i], .value = words[pick(5)]};
    }
    struct label_set set;
    struct str twice;
    cr_assert_eq(label_set_make(items, many, &set, &twice), 0);
    return set;
}

static struct pod_facts pick_pod(struct arena *arena)
{
    return (struct pod_facts){.namespace = words[pick(5)],
                              .name = words[pick(5)],
                              .labels = pick_labels(arena),
                              .annotations = pick_labels(arena),
                              .handler = pick(8) ? handlers[pick(4)] : STR("kata"),
                              .host_network = pick(2),
                              .privileged = pick(2)};
}

static void mark_covered(void *cookie, enum policy_warning_kind kind,
                         const struct policy_rule *rule, const struct policy_rule *earlier)
{
    cr_assert_eq(kind, WARNING_RULE_COVERED);
    cr_assert_lt(earlier->at.line, rule->at.line);
    ((bool *)cookie)[rule->at.line] = true;
}

/* The number of the rule that settles it, each asked by itself; `count` when none does. */
static size_t settle(const struct policy *policy, const struct rule_spec *rules, size_t count,
                     const struct pod_facts *pod, const struct label_set *node)
{
    char why[256];
    for (size_t i = 0; i < count; i++) {
        if (!rules[i].observe &&
            policy_explain_rule(policy, i, pod, node, why, sizeof(why)) != MATCH_NO)
            return i;
    }
    return count;
}

static void ask(struct arena *arena, const struct policy *policy, const struct rule_spec *rules,
                size_t count, const bool *covered)
{
    struct pod_facts pod = pick_pod(arena);
    struct label_set labels = pick_labels(arena);
    const struct label_set *node = pick(4) ? &labels : NULL;
    struct decision decision;
    policy_decide(policy, &pod, node, &decision);
    size_t winner = settle(policy, rules, count, &pod, node);
    cr_assert_eq(decision.verdict.rule->at.line, winner);
    cr_assert(winner == count || !covered[winner], "rule %zu is covered and wins", winner);
    for (size_t i = 0; i < decision.observed_count; i++)
        cr_assert_not(covered[decision.observed[i].rule->at.line]);
}

/* Whether the pod's annotations have it refused, by the rules' own words; labels are known. */
static bool annotations_refuse(const struct policy *policy, const struct rule_spec *rules,
                               size_t count, const struct pod_facts *pod,
                               const struct label_set *node)
{
    size_t winner = settle(policy, rules, count, pod, node);
    if (winner == count || rules[winner].action.kind != ACTION_REFUSE)
        return false;
    const struct match_spec *match = &rules[winner].match;
    return match->annotations.count || match->annotation_keys.count;
}

/* How often a container was let run, refused, or put off for want of labels. */
struct outcomes {
    size_t runs, refusals, unknown;
};

static void ask_container(struct arena *arena, const struct policy *policy,
                          const struct rule_spec *rules, size_t count, struct outcomes *outcomes)
{
    static const struct str sandboxes[] = {{"", 0}, {"runc", 4}, {"runsc", 5}, {"kata", 4}};
    struct pod_facts pod = pick_pod(arena);
    struct container_facts container = {.name = STR("c")};
    struct str sandbox = sandboxes[pick(4)];
    struct decision blind, seeing;
    policy_decide_container(policy, sandbox, &pod, &container, NULL, &blind);
    outcomes->runs += blind.verdict.action == VERDICT_RUN;
    outcomes->refusals += blind.verdict.reason == REASON_RULE;
    outcomes->unknown += blind.verdict.reason == REASON_LABELS_UNKNOWN;
    for (int i = 0; i < 4; i++) {
        struct label_set node = pick_labels(arena);
        policy_decide_container(policy, sandbox, &pod, &container, &node, &seeing);
        bool refused = seeing.verdict.reason == REASON_RULE;
        cr_assert(refused || seeing.verdict.action == VERDICT_RUN);
        struct pod_facts asks = pod;
        asks.handler = sandbox;
        cr_assert_eq(refused, annotations_refuse(policy, rules, count, &asks, &node));
        if (blind.verdict.reason != REASON_LABELS_UNKNOWN)
            cr_assert_eq(refused, blind.verdict.reason == REASON_RULE);
    }
}

Test(policy_random, filters_and_covers_are_sound, .timeout = 120)
{
    size_t covers = 0;
    struct outcomes outcomes = {0};
    for (size_t i = 0; i < POLICIES; i++) {
        OWNED_ARENA struct arena arena = {0};
        struct rule_spec rules[RULES_MAX];
        bool covered[RULES_MAX] = {false};
        size_t count = i % 2 ? RULES_MAX : pick(6);
        pick_rules(&arena, rules, count);
        struct policy_spec spec = {.name = STR("random"),
                                   .runtimes = runtimes,
                                   .runtime_count = 3,
                                   .rules = rules,
                                   .rule_count = count,
                                   .otherwise = {.kind = ACTION_RUN_REQUESTED},
                                   .otherwise_at = {(uint32_t)count, 1}};
        OWNED(own_policy) struct policy *policy = NULL;
        struct err err;
        cr_assert_eq(policy_compile(&spec, mark_covered, covered, &policy, &err), 0);
        for (size_t j = 0; j < PODS; j++)
            ask(&arena, policy, rules, count, covered);
        for (size_t j = 0; j < PODS / 10; j++)
            ask_container(&arena, policy, rules, count, &outcomes);
        for (size_t j = 0; j < count; j++)
            covers += covered[j];
    }
    cr_assert_gt(covers, 1000, "only %zu covered rules: the test proves little", covers);
    cr_assert(outcomes.runs > 1000 && outcomes.refusals > 1000 && outcomes.unknown > 1000,
              "%zu run, %zu refused, %zu unknown: the test proves little", outcomes.runs,
              outcomes.refusals, outcomes.unknown);
}
