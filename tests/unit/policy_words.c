/* SPDX-License-Identifier: Apache-2.0 */
/* What people read: explanations, messages, inputs, words; and that nothing can be forged in it. */
#include <criterion/criterion.h>

#include "policy/policy.h"

static const struct str gvisor[] = {{"gvisor", 6}};
static const struct runtime_spec runtimes[] = {
    {.handler = {"runc", 4}, .is_default = true},
    {.handler = {"runsc", 5},
     .aliases = gvisor,
     .alias_count = 1,
     .isolation = ISOLATION_SANDBOX,
     .cannot = ABILITY_HOST_NETWORK},
};

static struct policy *compile_rule(const struct match_spec *match, const struct action_spec *action)
{
    struct rule_spec rule = {.name = STR("a-rule"), .match = *match, .action = *action};
    struct policy_spec spec = {.name = STR("agent-node"),
                               .sha256 = "3f9a1c2b00000000",
                               .runtimes = runtimes,
                               .runtime_count = 2,
                               .rules = &rule,
                               .rule_count = 1,
                               .otherwise = {.kind = ACTION_RUN_REQUESTED}};
    struct policy *policy = NULL;
    struct err err = {""};
    cr_assert_eq(policy_compile(&spec, NULL, NULL, &policy, &err), 0, "%s", err.text);
    return policy;
}

static const struct action_spec refuse = {ACTION_REFUSE, {"no", 2}, false};

static struct pod_facts some_pod(void)
{
    return (struct pod_facts){
        .namespace = STR("agents"), .name = STR("build-7"), .handler = STR("gvisor")};
}

static void expect_why(const struct match_spec *match, const struct pod_facts *pod,
                       const struct label_set *node, const char *why)
{
    char text[512];
    OWNED(own_policy) struct policy *policy = compile_rule(match, &refuse);
    policy_explain_rule(policy, 0, pod, node, text, sizeof(text));
    cr_assert_str_eq(text, why);
}

Test(words, abilities_and_back)
{
    for (unsigned bit = 0; bit < 9; bit++) {
        const char *name = ability_name((enum ability)(1u << bit));
        cr_assert_eq(ability_of(str_of(name)), 1u << bit, "%s", name);
    }
    cr_assert_eq(ability_of(STR("hostnetwork")), 0);
    cr_assert_eq(ability_of(STR("")), 0);
    cr_assert_str_eq(verdict_reason_name(REASON_UNKNOWN_RUNTIME), "unknownRuntime");
}

Test(words, why_a_label_term_fails)
{
    struct str values[] = {STR("web"), STR("db")};
    struct requirement_spec need = {STR("app"), OPERATOR_IN, values, 2};
    struct match_spec match = {.pod = {&need, 1}};
    struct pod_facts pod = some_pod();
    expect_why(&match, &pod, NULL,
               "pod label app is not there, and must be one of \"db\", \"web\"");
    struct label label = {.key = STR("app"), .value = STR("x\"y\n")};
    struct str twice;
    cr_assert_eq(label_set_make(&label, 1, &pod.labels, &twice), 0);
    expect_why(&match, &pod, NULL, "pod label app is \"x\\\"y\\x0a\", not one of \"db\", \"web\"");
    need.op = OPERATOR_DOES_NOT_EXIST;
    expect_why(&match, &pod, NULL, "pod label app is \"x\\\"y\\x0a\", and must not be there");
    need.op = OPERATOR_NOT_IN;
    values[0] = STR("x\"y\n");
    expect_why(&match, &pod, NULL,
               "pod label app is \"x\\\"y\\x0a\", one of \"db\", \"x\\\"y\\x0a\"");
    match = (struct match_spec){.annotations = {&need, 1}};
    need.op = OPERATOR_EXISTS;
    expect_why(&match, &pod, NULL, "annotation app is not there, and must be there");
    match = (struct match_spec){.node = {&need, 1}};
    expect_why(&match, &pod, NULL, "node label app is not known");
}

Test(words, why_other_terms_fail)
{
    struct str names[] = {STR("web-*"), STR("db")};
    struct pod_facts pod = some_pod();
    struct match_spec match = {.namespaces = {names, 2}};
    expect_why(&match, &pod, NULL, "namespace \"agents\" matches none of \"web-*\", \"db\"");
    match = (struct match_spec){.names = {names, 1}};
    expect_why(&match, &pod, NULL, "name \"build-7\" matches none of \"web-*\"");
    match = (struct match_spec){.annotation_keys = {names, 1}};
    expect_why(&match, &pod, NULL, "no annotation key matches any of \"web-*\"");
    match = (struct match_spec){.host_pid = TRISTATE_TRUE};
    expect_why(&match, &pod, NULL, "hostPID is false, not true");
    names[0] = STR("runc");
    match = (struct match_spec){.handlers = {names, 1}};
    expect_why(&match, &pod, NULL,
               "handler \"gvisor\", which means \"runsc\", not one of \"runc\"");
    pod.handler = STR("runsc");
    expect_why(&match, &pod, NULL, "handler \"runsc\", not one of \"runc\"");
    names[0] = STR("gvisor");
    pod.handler = STR("");
    expect_why(&match, &pod, NULL,
               "no handler is named, which means \"runc\", not one of \"runsc\"");
    names[0] = STR("");
    pod.handler = STR("runc");
    expect_why(&match, &pod, NULL, "handler \"runc\", not one of \"\" (a request that names none)");
    pod.handler = STR("kata");
    expect_why(&match, &pod, NULL, "handler \"kata\" is not declared");
    match = (struct match_spec){0};
    expect_why(&match, &pod, NULL, "");
}

Test(words, a_long_list_is_cut)
{
    struct str values[12];
    for (size_t i = 0; i < 12; i++)
        values[i] = (struct str){"abcdefghijkl" + i, 1};
    struct match_spec match = {.names = {values, 12}};
    struct pod_facts pod = some_pod();
    expect_why(&match, &pod, NULL,
               "name \"build-7\" matches none of \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", "
               "\"h\" and 4 more");
}

Test(words, a_message_is_cut_but_keeps_its_source)
{
    static char long_text[4000];
    memset(long_text, 'm', sizeof(long_text));
    struct action_spec action = {ACTION_REFUSE, {long_text, sizeof(long_text)}, false};
    struct match_spec match = {0};
    OWNED(own_policy) struct policy *policy = compile_rule(&match, &action);
    struct pod_facts pod = some_pod();
    struct decision decision;
    policy_decide(policy, &pod, NULL, &decision);
    char text[200];
    size_t len = verdict_message(policy, &pod, &decision.verdict, text, sizeof(text));
    const char *source = " (rule a-rule, policy agent-node 3f9a1c2b)";
    cr_assert_eq(len, strlen(text));
    cr_assert_eq(len, sizeof(text) - 1);
    cr_assert_str_eq(text + len - strlen(source), source);
}

/* Whatever the room, the text ends in it and is a beginning of the whole. */
Test(words, every_size_of_buffer_is_safe)
{
    struct match_spec match = {0};
    struct pod_facts pod = some_pod();
    struct decision decision;
    char whole[1024], text[1024];
    OWNED(own_policy) struct policy *policy = compile_rule(&match, &refuse);
    pod.handler = STR("runscc\xc3\xa9\x01");
    policy_decide(policy, &pod, NULL, &decision);
    verdict_explain(policy, &pod, &decision.verdict, whole, sizeof(whole));
    for (size_t size = 0; size < sizeof(text); size++) {
        memset(text, '#', sizeof(text));
        size_t len = verdict_explain(policy, &pod, &decision.verdict, text, size);
        cr_assert(size == 0 ? text[0] == '#' : (len < size && text[len] == '\0'));
        cr_assert_eq(memcmp(text, whole, len), 0);
        cr_assert_eq(text[size], '#');
        len = verdict_message(policy, &pod, &decision.verdict, text, size);
        cr_assert(size == 0 ? text[0] == '#' : (len < size && text[len] == '\0'));
        cr_assert_eq(text[size], '#');
    }
}

Test(words, a_verdict_that_runs_says_nothing)
{
    struct match_spec match = {.host_pid = TRISTATE_TRUE};
    struct pod_facts pod = some_pod();
    struct decision decision;
    char text[64] = "x";
    OWNED(own_policy) struct policy *policy = compile_rule(&match, &refuse);
    policy_decide(policy, &pod, NULL, &decision);
    cr_assert_eq(decision.verdict.action, VERDICT_RUN);
    cr_assert_eq(verdict_message(policy, &pod, &decision.verdict, text, sizeof(text)), 0);
    cr_assert_str_eq(text, "");
}

Test(words, foreign_bytes_cannot_forge_a_line)
{
    struct match_spec match = {0};
    struct pod_facts pod = some_pod();
    struct decision decision;
    char text[512];
    OWNED(own_policy) struct policy *policy = compile_rule(&match, &refuse);
    policy_decide(policy, &pod, NULL, &decision);
    pod.namespace = STR("a\r\n\x1b[1m\x7f\0b");
    pod.name = STR("\xc2\x85\xe2\x80\xa8\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xc3\xa9\xe2");
    verdict_message(policy, &pod, &decision.verdict, text, sizeof(text));
    cr_assert_str_eq(text, "crigate: pod a\\x0d\\x0a\\x1b[1m\\x7f\\x00b/"
                           "\\xc2\\x85\\xe2\\x80\\xa8\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80"
                           "\\x80\xc3\xa9\\xe2 refused: no (rule a-rule, policy agent-node "
                           "3f9a1c2b)");
    pod.namespace = STR("soft\xc2\xadhyphen");
    pod.name = STR("word\xe2\x81\xa0joiner\xf3\xa0\x81\x81tag");
    verdict_message(policy, &pod, &decision.verdict, text, sizeof(text));
    cr_assert_str_eq(text, "crigate: pod soft\\xc2\\xadhyphen/word\\xe2\\x81\\xa0joiner"
                           "\\xf3\\xa0\\x81\\x81tag refused: no (rule a-rule, policy agent-node "
                           "3f9a1c2b)");
}

struct seen {
    size_t count;
    char text[256];
};

static void note_input(void *cookie, enum input_source source, const struct label *label)
{
    struct seen *seen = cookie;
    size_t used = strlen(seen->text);
    seen->count++;
    snprintf(seen->text + used, sizeof(seen->text) - used, "%d:%.*s=%.*s ", (int)source,
             STR_FMT(label->key), STR_FMT(label->value));
}

Test(words, inputs_are_what_matched_each_once)
{
    struct str web = STR("web"), db = STR("db"), keys[] = {STR("dev.*"), STR("*.flag")};
    struct requirement_spec pod_needs[] = {{STR("app"), OPERATOR_IN, &web, 1},
                                           {STR("app"), OPERATOR_NOT_IN, &db, 1},
                                           {STR("app"), OPERATOR_EXISTS, NULL, 0},
                                           {STR("gone"), OPERATOR_DOES_NOT_EXIST, NULL, 0},
                                           {STR("tier"), OPERATOR_NOT_IN, &db, 1}};
    struct requirement_spec note_need = {STR("dev.a"), OPERATOR_EXISTS, NULL, 0};
    struct requirement_spec node_need = {STR("zone"), OPERATOR_EXISTS, NULL, 0};
    struct match_spec match = {.pod = {pod_needs, 5},
                               .annotations = {&note_need, 1},
                               .node = {&node_need, 1},
                               .annotation_keys = {keys, 2}};
    OWNED(own_policy) struct policy *policy = compile_rule(&match, &refuse);
    struct label labels[] = {{.key = STR("app"), .value = STR("web")},
                             {.key = STR("other"), .value = STR("1")}};
    struct label notes[] = {{.key = STR("dev.a"), .value = STR("2")},
                            {.key = STR("dev.flag"), .value = STR("3")},
                            {.key = STR("x"), .value = STR("4")}};
    struct label zone = {.key = STR("zone"), .value = STR("5")};
    struct label_set node;
    struct str twice;
    struct pod_facts pod = some_pod();
    cr_assert_eq(label_set_make(labels, 2, &pod.labels, &twice), 0);
    cr_assert_eq(label_set_make(notes, 3, &pod.annotations, &twice), 0);
    cr_assert_eq(label_set_make(&zone, 1, &node, &twice), 0);

    struct seen seen = {0};
    policy_inputs(policy, policy_rule_at(policy, 0), &pod, &node, note_input, &seen);
    cr_assert_str_eq(seen.text, "0:app=web 1:dev.a=2 2:zone=5 1:dev.flag=3 ");
    seen = (struct seen){0};
    policy_inputs(policy, policy_rule_at(policy, 0), &pod, NULL, note_input, &seen);
    cr_assert_str_eq(seen.text, "0:app=web 1:dev.a=2 1:dev.flag=3 ");
    seen = (struct seen){0};
    policy_inputs(policy, NULL, &pod, &node, note_input, &seen);
    cr_assert_eq(seen.count, 0);
}
