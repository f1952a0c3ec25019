/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling: what is copied, what is refused, references, and warnings over many rules. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#include "base/arena.h"
#include "policy/policy.h"

static const struct runtime_spec runtimes[] = {
    {.handler = {"runc", 4}, .is_default = true},
    {.handler = {"runsc", 5}, .isolation = ISOLATION_SANDBOX, .cannot = ABILITY_HOST_NETWORK},
};

static struct policy_spec spec_of(const struct rule_spec *rules, size_t count)
{
    return (struct policy_spec){.name = STR("test"),
                                .runtimes = runtimes,
                                .runtime_count = 2,
                                .rules = rules,
                                .rule_count = count,
                                .otherwise = {.kind = ACTION_RUN_REQUESTED}};
}

struct warnings {
    size_t covered, downgrades;
    struct str last, earlier;
};

static void count_warning(void *cookie, enum policy_warning_kind kind,
                          const struct policy_rule *rule, const struct policy_rule *earlier)
{
    struct warnings *warnings = cookie;
    if (kind == WARNING_RULE_COVERED) {
        warnings->covered++;
        warnings->last = rule->name;
        warnings->earlier = earlier->name;
    } else {
        cr_assert_null(earlier);
        warnings->downgrades++;
    }
}

static struct policy *compile(const struct policy_spec *spec, struct warnings *warnings)
{
    struct policy *policy = NULL;
    struct err err = {""};
    int got = policy_compile(spec, warnings ? count_warning : NULL, warnings, &policy, &err);
    cr_assert_eq(got, 0, "%s", err.text);
    return policy;
}

Test(policy, borrows_nothing_from_its_spec)
{
    char name[] = "first", value[] = "web", message[] = "no web here", handler[] = "runc";
    struct str values[] = {str_of(value)};
    struct requirement_spec need = {STR("app"), OPERATOR_IN, values, 1};
    struct runtime_spec one = {.handler = str_of(handler), .is_default = true};
    struct rule_spec rule = {.name = str_of(name),
                             .at = {7, 3},
                             .match = {.pod = {&need, 1}},
                             .action = {ACTION_REFUSE, str_of(message), false}};
    struct policy_spec spec = spec_of(&rule, 1);
    spec.runtimes = &one;
    spec.runtime_count = 1;
    OWNED(own_policy) struct policy *policy = compile(&spec, NULL);
    memset(name, 'x', 5);
    memset(value, 'x', 3);
    memset(message, 'x', 11);
    memset(handler, 'x', 4);

    struct label label = {.key = STR("app"), .value = STR("web")};
    struct pod_facts pod = {.namespace = STR("a"), .name = STR("b"), .handler = STR("runc")};
    struct str twice;
    cr_assert_eq(label_set_make(&label, 1, &pod.labels, &twice), 0);
    struct decision decision;
    policy_decide(policy, &pod, NULL, &decision);
    cr_assert_eq(decision.verdict.reason, REASON_RULE);
    cr_assert(str_eq(decision.verdict.rule->name, STR("first")));
    cr_assert_eq(decision.verdict.rule->at.line, 7);
    cr_assert(str_eq(decision.verdict.requested->handler, STR("runc")));
    char text[64];
    verdict_explain(policy, &pod, &decision.verdict, text, sizeof(text));
    cr_assert_str_eq(text, "no web here");
}

Test(policy, a_zeroed_decision_refuses)
{
    struct decision decision = {0};
    cr_assert_eq(decision.verdict.action, VERDICT_REFUSE);
}

Test(policy, judges_a_pod_of_which_nothing_is_known)
{
    struct str any = STR("a*?b");
    struct rule_spec rules[40] = {{.name = STR("r"), .match = {.names = {&any, 1}}}};
    for (size_t i = 1; i < 40; i++)
        rules[i] = rules[0];
    struct policy_spec spec = spec_of(rules, 40);
    OWNED(own_policy) struct policy *policy = compile(&spec, NULL);
    struct pod_facts pod = {0};
    struct decision decision;
    policy_decide(policy, &pod, NULL, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    cr_assert(str_eq(decision.verdict.effective->handler, STR("runc")));
    cr_assert(decision.verdict.modifies);
}

Test(policy, refuses_a_spec_that_breaks_its_contract)
{
    struct policy *policy = NULL;
    struct err err = {""};
    struct rule_spec rule = {.name = STR("r"), .action = {ACTION_RUN_HANDLER, STR("kata"), false}};
    struct policy_spec spec = spec_of(&rule, 1);
    cr_assert_lt(policy_compile(&spec, NULL, NULL, &policy, &err), 0);
    cr_assert_not_null(strstr(err.text, "kata"));
    cr_assert_not_null(strstr(err.text, "\"r\""));

    struct str unknown = STR("crun");
    rule = (struct rule_spec){.name = STR("r"), .match = {.handlers = {&unknown, 1}}};
    cr_assert_lt(policy_compile(&spec, NULL, NULL, &policy, &err), 0);
    cr_assert_not_null(strstr(err.text, "crun"));

    struct runtime_spec no_default = {.handler = STR("runc")};
    spec = spec_of(NULL, 0);
    spec.runtimes = &no_default;
    spec.runtime_count = 1;
    cr_assert_lt(policy_compile(&spec, NULL, NULL, &policy, &err), 0);
    cr_assert_null(policy);
}

static void *take_references(void *cookie)
{
    struct policy *policy = cookie;
    for (int i = 0; i < 100000; i++)
        policy_unref(policy_ref(policy));
    return NULL;
}

Test(policy, references_are_counted_across_threads)
{
    struct policy_spec spec = spec_of(NULL, 0);
    OWNED(own_policy) struct policy *policy = compile(&spec, NULL);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_references, policy), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert(str_eq(policy_name(policy), STR("test")));
}

Test(policy, tells_what_it_is)
{
    struct rule_spec rules[] = {{.name = STR("a")}, {.name = STR("b")}};
    struct policy_spec spec = spec_of(rules, 2);
    spec.mode = POLICY_OBSERVE;
    strcpy(spec.sha256, "3f9a1c2b");
    OWNED(own_policy) struct policy *policy = compile(&spec, NULL);
    cr_assert_eq(policy_mode(policy), POLICY_OBSERVE);
    cr_assert_str_eq(policy_sha256(policy), "3f9a1c2b");
    cr_assert_eq(policy_rule_count(policy), 2);
    cr_assert(str_eq(policy_rule_at(policy, 1)->name, STR("b")));
}

/* Rules of one value each, and a repetition of the first at the end. */
static struct rule_spec *many_rules(struct arena *arena, size_t count, const char *prefix)
{
    struct rule_spec *rules = arena_array(arena, count, sizeof(*rules));
    for (size_t i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%s%zu%s", prefix, i == count - 1 ? 0 : i,
                 i % 2 || i == count - 1 ? "" : "-*");
        struct str *item = arena_alloc(arena, sizeof(*item));
        *item = arena_str(arena, str_of(text));
        rules[i].name = arena_str(arena, str_of(text));
        rules[i].match.namespaces = (struct str_list){item, 1};
    }
    return rules;
}

Test(policy, finds_a_covered_rule_among_ten_thousand)
{
    OWNED_ARENA struct arena arena = {0};
    enum { RULES = 10000 };
    struct rule_spec *rules = many_rules(&arena, RULES, "team-");
    struct str inside = STR("team-4-inner");
    rules[RULES - 1].match.namespaces.items = &inside;
    struct policy_spec spec = spec_of(rules, RULES);
    struct warnings warnings = {0};
    OWNED(own_policy) struct policy *policy = compile(&spec, &warnings);
    cr_assert_eq(warnings.covered, 1);
    cr_assert(str_eq(warnings.earlier, STR("team-4-*")));
}

Test(policy, an_empty_match_covers_all_that_follow)
{
    OWNED_ARENA struct arena arena = {0};
    enum { RULES = 10000 };
    struct rule_spec *rules = many_rules(&arena, RULES, "x");
    rules[0].match = (struct match_spec){0};
    struct policy_spec spec = spec_of(rules, RULES);
    struct warnings warnings = {0};
    OWNED(own_policy) struct policy *policy = compile(&spec, &warnings);
    cr_assert_eq(warnings.covered, RULES - 1);
    cr_assert(str_eq(warnings.earlier, rules[0].name));
}

/* None of these can be indexed and none covers another: the search must give up, not hang. */
Test(policy, gives_up_on_rules_that_cannot_be_indexed, .timeout = 60)
{
    OWNED_ARENA struct arena arena = {0};
    enum { RULES = 100000 };
    struct rule_spec *rules = many_rules(&arena, RULES, "value-");
    for (size_t i = 0; i < RULES; i++) {
        struct requirement_spec *need = arena_alloc(&arena, sizeof(*need));
        *need = (struct requirement_spec){STR("app"), OPERATOR_NOT_IN,
                                          rules[i].match.namespaces.items, 1};
        rules[i].match = (struct match_spec){.pod = {need, 1}};
    }
    struct policy_spec spec = spec_of(rules, RULES);
    struct warnings warnings = {0};
    OWNED(own_policy) struct policy *policy = compile(&spec, &warnings);
    cr_assert_leq(warnings.covered, 1);
}

/* A pod may carry as many labels as a request holds; each rule still sees the right one. */
Test(policy, decides_on_a_million_labels, .timeout = 60)
{
    enum { KEYS = 1000000 };
    static char text[KEYS][8];
    static struct label items[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(text[i], sizeof(text[i]), "%07zu", i);
        items[i] = (struct label){.key = {text[i], 7}, .value = {text[i], 7}};
    }
    struct str value = STR("0777777");
    struct requirement_spec need = {value, OPERATOR_IN, &value, 1};
    struct rule_spec rule = {.name = STR("r"), .match = {.pod = {&need, 1}}};
    struct policy_spec spec = spec_of(&rule, 1);
    OWNED(own_policy) struct policy *policy = compile(&spec, NULL);
    struct pod_facts pod = {.namespace = STR("a"), .name = STR("b"), .handler = STR("")};
    struct str twice;
    cr_assert_eq(label_set_make(items, KEYS, &pod.labels, &twice), 0);
    struct decision decision;
    policy_decide(policy, &pod, NULL, &decision);
    cr_assert_eq(decision.verdict.reason, REASON_RULE);
}
