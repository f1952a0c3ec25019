/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a case expects, and holds each name in it against the policy. */
#include "config/cases_parse.h"

enum { RUN, REFUSE, CONTAINER, RULE, MESSAGE, OBSERVED, EXPECT_KEY_COUNT };
static const struct str expect_keys[EXPECT_KEY_COUNT] = {
    {"run", 3}, {"refuse", 6}, {"container", 9}, {"rule", 4}, {"message", 7}, {"observed", 8}};

/* Those that a policy gives; the others come from requests, peers and disks. */
static const enum verdict_reason reasons[] = {
    REASON_RULE,           REASON_OTHERWISE, REASON_UNKNOWN_RUNTIME,
    REASON_LABELS_UNKNOWN, REASON_DOWNGRADE, REASON_INCOMPATIBLE};

#define MESSAGE_MAX ((size_t)1024)
#define RUNTIME_NAMES_MAX ((size_t)100) /* that a wrong one is compared with */

static const char *suggest_runtime(const struct policy *policy, struct str name,
                                   char buf[READER_HINT_SIZE])
{
    struct str names[RUNTIME_NAMES_MAX];
    size_t count = 0, all = policy_handler_count(policy);
    for (size_t i = 0; i < all && count < RUNTIME_NAMES_MAX; i++) {
        struct str word = policy_handler_at(policy, i).name;
        if (word.len)
            names[count++] = word;
    }
    return reader_suggest(name, names, count, buf);
}

static void read_run(struct cases_context *context, const struct yaml_node *node,
                     struct expectation *expect)
{
    struct str name;
    char hint[READER_HINT_SIZE];
    expect->runs = true;
    if (!reader_text(&context->reader, node, "run", MESSAGE_MAX, &name) || !context->policy)
        return;
    const struct policy *policy = context->policy->policy;
    expect->runtime = policy_resolve(policy, name);
    if (!expect->runtime)
        reader_error(&context->reader, node, suggest_runtime(policy, name, hint),
                     "run: \"%.*s\" is not a runtime that the policy declares", DIAG_TEXT(name));
}

/* `true`, or one of the reasons. */
static void read_refuse(struct reader *reader, const struct yaml_node *node,
                        struct expectation *expect)
{
    struct str words[COUNT_OF(reasons)];
    size_t index;
    if (node->kind == YAML_SCALAR && str_eq(node->text, STR("true")) && node->type == YAML_BOOLEAN)
        return;
    if (node->kind == YAML_SCALAR && node->type == YAML_BOOLEAN) {
        reader_error(reader, node, "write true, or a reason; or `run: HANDLER`",
                     "refuse may not be %.*s", DIAG_TEXT(node->text));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        words[i] = str_of(verdict_reason_name(reasons[i]));
    if (reader_word(reader, node, "refuse", words, COUNT_OF(words), &index))
        expect->reason = reasons[index];
}

static bool read_rule(struct cases_context *context, const struct yaml_node *node, const char *what,
                      struct str *name, size_t *index)
{
    struct case_policy *policy = context->policy;
    char hint[READER_HINT_SIZE];
    if (!reader_text(&context->reader, node, what, MESSAGE_MAX, name))
        return false;
    if (!policy || case_policy_rule(policy, *name, index))
        return true;
    reader_error(&context->reader, node, case_policy_suggest(policy, *name, hint),
                 "%s: the policy has no rule \"%.*s\"", what, DIAG_TEXT(*name));
    return false;
}

static void read_observed(struct cases_context *context, const struct yaml_node *node,
                          struct expectation *expect)
{
    struct reader *reader = &context->reader;
    if (node->kind != YAML_SEQUENCE) {
        reader_error(reader, node, "`observed: []`: no rule of mode observe matches",
                     "observed must be a list of rules");
        return;
    }
    if (node->count > DECISION_OBSERVED_MAX) {
        reader_error(reader, node, NULL, "observed: at most %d rules are reported for a pod",
                     DECISION_OBSERVED_MAX);
        return;
    }
    struct str *names = reader_room(reader, node->count, sizeof(*names));
    size_t count = 0, index;
    if (!names)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        count += read_rule(context, item, "observed", &names[count], &index);
    expect->says_observed = true;
    expect->observed = names;
    expect->observed_count = count;
}

static void read_outcome(struct cases_context *context, const struct yaml_node *node,
                         const struct yaml_node *const *values, struct expectation *expect)
{
    struct reader *reader = &context->reader;
    if (!values[RUN] && !values[REFUSE])
        reader_error(reader, node, "add `run: HANDLER`, `refuse: REASON` or `refuse: true`",
                     "expect says neither run nor refuse");
    if (values[RUN] && values[REFUSE])
        reader_error(reader, values[REFUSE], "keep one of them",
                     "both run and refuse: a pod has one of the two");
    if (values[RUN])
        read_run(context, values[RUN], expect);
    else if (values[REFUSE])
        read_refuse(reader, values[REFUSE], expect);
}

/* What only a refusal has. */
static void read_refusal(struct reader *reader, const struct yaml_node *const *values,
                         struct case_draft *draft)
{
    static const int only[] = {CONTAINER, MESSAGE};
    struct expectation *expect = &draft->out->expect;
    for (size_t i = 0; i < COUNT_OF(only); i++) {
        if (values[only[i]] && values[RUN])
            reader_error(reader, values[only[i]], "leave it out, or expect `refuse`",
                         "%.*s: only a refusal has one", STR_FMT(expect_keys[only[i]]));
    }
    if (values[MESSAGE])
        (void)reader_text(reader, values[MESSAGE], "message", MESSAGE_MAX, &expect->message);
    if (values[CONTAINER] &&
        reader_text(reader, values[CONTAINER], "container", MESSAGE_MAX, &expect->container))
        draft->container = values[CONTAINER];
}

void cases_parse_expect(struct cases_context *context, const struct yaml_node *node,
                        struct case_draft *draft)
{
    struct reader *reader = &context->reader;
    struct expectation *expect = &draft->out->expect;
    const struct yaml_node *values[EXPECT_KEY_COUNT];
    if (!reader_mapping(reader, node, "expect", expect_keys, EXPECT_KEY_COUNT, values))
        return;
    read_outcome(context, node, values, expect);
    const struct yaml_node *rule = values[RULE];
    if (rule && rule->kind == YAML_SCALAR && str_eq(rule->text, STR("otherwise")))
        expect->rule = rule->text;
    else if (rule)
        (void)read_rule(context, rule, "rule", &expect->rule, &expect->rule_index);
    read_refusal(reader, values, draft);
    if (values[OBSERVED])
        read_observed(context, values[OBSERVED], expect);
}
