/* SPDX-License-Identifier: Apache-2.0 */
/* Reads `rules` and `otherwise`: names, actions and modes. */
#include "config/policy_parse.h"
#include "config/unique.h"

enum { NAME, MATCH, RUN, REFUSE, ALLOW_DOWNGRADE, MODE, RULE_KEY_COUNT };
static const struct str rule_keys[RULE_KEY_COUNT] = {
    {"name", 4}, {"match", 5}, {"run", 3}, {"refuse", 6}, {"allowDowngrade", 14}, {"mode", 4}};

/* Of `otherwise`, which has no name, no match and no mode of its own. */
enum { OTHERWISE_RUN, OTHERWISE_REFUSE, OTHERWISE_ALLOW_DOWNGRADE, OTHERWISE_KEY_COUNT };
static const struct str otherwise_keys[OTHERWISE_KEY_COUNT] = {
    {"run", 3}, {"refuse", 6}, {"allowDowngrade", 14}};

struct rules {
    struct reader *reader;
    const struct declared *declared;
    const struct yaml_node **names;
    size_t name_count;
};

/* The nodes of an action; NULL where a key is not there. */
struct action_nodes {
    const struct yaml_node *parent, *run, *refuse, *allow_downgrade;
};

static void read_run(struct reader *reader, const struct yaml_node *node,
                     const struct declared *declared, struct action_spec *action)
{
    struct str handler;
    action->kind = ACTION_RUN_HANDLER;
    if (!reader_text(reader, node, "run", POLICY_NAME_MAX, &handler))
        return;
    if (str_eq(handler, STR("requested")))
        action->kind = ACTION_RUN_REQUESTED;
    else if (policy_parse_handler(reader, node, "run", handler, declared))
        action->text = handler;
}

static void read_action(struct reader *reader, const struct action_nodes *nodes,
                        const struct declared *declared, struct action_spec *action)
{
    if (nodes->allow_downgrade)
        reader_boolean(reader, nodes->allow_downgrade, "allowDowngrade", &action->allow_downgrade);
    if (!nodes->run && !nodes->refuse) {
        reader_error(reader, nodes->parent,
                     "add `run: HANDLER`, `run: requested` or "
                     "`refuse: MESSAGE`",
                     "no action is given");
        return;
    }
    if (nodes->run && nodes->refuse)
        reader_error(reader, nodes->refuse, "keep one of them",
                     "both run and refuse: an action is exactly one of the two");
    if (nodes->refuse) {
        action->kind = ACTION_REFUSE;
        reader_text(reader, nodes->refuse, "refuse", POLICY_MESSAGE_MAX, &action->text);
    }
    if (nodes->run)
        read_run(reader, nodes->run, declared, action);
    if (action->allow_downgrade && action->kind != ACTION_RUN_HANDLER)
        reader_warning(reader, nodes->allow_downgrade, NULL,
                       "allowDowngrade does nothing here: only `run: HANDLER` moves a pod");
}

void policy_parse_mode(struct reader *reader, const struct yaml_node *node, enum policy_mode *mode)
{
    static const struct str words[] = {{"enforce", 7}, {"observe", 7}};
    size_t index;
    if (reader_word(reader, node, "mode", words, COUNT_OF(words), &index))
        *mode = index == 0 ? POLICY_ENFORCE : POLICY_OBSERVE;
}

static void read_name(struct rules *all, const struct yaml_node *node, struct rule_spec *rule)
{
    if (!reader_text(all->reader, node, "name", POLICY_NAME_MAX, &rule->name))
        return;
    if (str_eq(rule->name, STR("otherwise")))
        reader_error(all->reader, node, NULL,
                     "a rule may not be called \"otherwise\": the audit log gives that name to the "
                     "action at the end");
    all->names[all->name_count++] = node;
}

static void read_rule(struct rules *all, const struct yaml_node *node, struct rule_spec *rule)
{
    struct reader *reader = all->reader;
    const struct yaml_node *values[RULE_KEY_COUNT];
    rule->at = node->at;
    if (!reader_mapping(reader, node, "a rule", rule_keys, RULE_KEY_COUNT, values))
        return;
    if (reader_need(reader, node, values[NAME], "name of the rule", NULL))
        read_name(all, values[NAME], rule);
    if (reader_need(reader, node, values[MATCH], "match of the rule",
                    "`match: {}` matches every pod"))
        policy_parse_match(reader, values[MATCH], all->declared, &rule->match);
    struct action_nodes action = {.parent = node,
                                  .run = values[RUN],
                                  .refuse = values[REFUSE],
                                  .allow_downgrade = values[ALLOW_DOWNGRADE]};
    read_action(reader, &action, all->declared, &rule->action);
    enum policy_mode mode = POLICY_ENFORCE;
    if (values[MODE])
        policy_parse_mode(reader, values[MODE], &mode);
    rule->observe = mode == POLICY_OBSERVE;
}

static void report_twice(void *cookie, const struct yaml_node *node,
                         const struct yaml_node *earlier)
{
    struct rules *all = cookie;
    char hint[READER_HINT_SIZE];
    snprintf(hint, sizeof(hint), "the other one is at line %u", earlier->at.line);
    reader_error(all->reader, node, hint, "two rules are called \"%.*s\"", DIAG_TEXT(node->text));
}

void policy_parse_rules(struct reader *reader, const struct yaml_node *node,
                        const struct declared *declared, struct policy_spec *spec)
{
    if (node->kind != YAML_SEQUENCE) {
        reader_error(reader, node, "`rules: []` is a policy without rules", "rules must be a list");
        return;
    }
    struct rules all = {.reader = reader, .declared = declared};
    all.names = reader_room(reader, node->count, sizeof(struct yaml_node *));
    struct rule_spec *rules = reader_room(reader, node->count, sizeof(*rules));
    if (!all.names || !rules)
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        read_rule(&all, item, &rules[spec->rule_count++]);
    spec->rules = rules;
    unique_check_array(all.names, all.name_count, report_twice, &all);
}

void policy_parse_otherwise(struct reader *reader, const struct yaml_node *node,
                            const struct declared *declared, struct policy_spec *spec)
{
    const struct yaml_node *values[OTHERWISE_KEY_COUNT];
    spec->otherwise_at = node->at;
    if (!reader_mapping(reader, node, "otherwise", otherwise_keys, OTHERWISE_KEY_COUNT, values))
        return;
    struct action_nodes action = {.parent = node,
                                  .run = values[OTHERWISE_RUN],
                                  .refuse = values[OTHERWISE_REFUSE],
                                  .allow_downgrade = values[OTHERWISE_ALLOW_DOWNGRADE]};
    read_action(reader, &action, declared, &spec->otherwise);
}
