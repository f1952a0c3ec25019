/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a label selector as Kubernetes writes it: matchLabels and matchExpressions. */
#include "base/label_syntax.h"
#include "config/policy_parse.h"

enum { LABELS, EXPRESSIONS, SELECTOR_KEY_COUNT };
static const struct str selector_keys[SELECTOR_KEY_COUNT] = {{"matchLabels", 11},
                                                             {"matchExpressions", 16}};

enum { KEY, OPERATOR, VALUES, EXPRESSION_KEY_COUNT };
static const struct str expression_keys[EXPRESSION_KEY_COUNT] = {
    {"key", 3}, {"operator", 8}, {"values", 6}};

static const struct str operators[] = {
    [OPERATOR_IN] = {"In", 2},
    [OPERATOR_NOT_IN] = {"NotIn", 5},
    [OPERATOR_EXISTS] = {"Exists", 6},
    [OPERATOR_DOES_NOT_EXIST] = {"DoesNotExist", 12},
};

struct selector {
    struct reader *reader;
    bool of_annotations; /* whose values may be any text */
    struct requirement_spec *items;
    size_t count;
};

static bool check_key(struct selector *selector, const struct yaml_node *node)
{
    const char *fault =
        selector->of_annotations ? annotation_key_fault(node->text) : label_key_fault(node->text);
    if (fault)
        reader_error(selector->reader, node, NULL, "the key \"%.*s\" %s", DIAG_TEXT(node->text),
                     fault);
    return !fault;
}

static bool read_value(struct selector *selector, const struct yaml_node *node, struct str *value)
{
    if (!reader_string(selector->reader, node, "a value", value))
        return false;
    const char *fault = selector->of_annotations ? NULL : label_value_fault(*value);
    if (fault)
        reader_error(selector->reader, node, NULL, "the value \"%.*s\" %s", DIAG_TEXT(*value),
                     fault);
    return !fault;
}

static void read_labels(struct selector *selector, const struct yaml_node *node)
{
    if (!reader_collection(selector->reader, node, YAML_MAPPING, "matchLabels"))
        return;
    struct str *values = reader_room(selector->reader, node->count, sizeof(*values));
    if (!values)
        return;
    for (const struct yaml_node *key = node->first; key; key = key->next) {
        bool is_key = check_key(selector, key);
        if (!read_value(selector, key->value, values) || !is_key)
            continue;
        selector->items[selector->count++] = (struct requirement_spec){
            .key = key->text, .op = OPERATOR_IN, .values = values++, .value_count = 1};
    }
}

static bool read_values(struct selector *selector, const struct yaml_node *node,
                        struct requirement_spec *item)
{
    if (!reader_collection(selector->reader, node, YAML_SEQUENCE, "values"))
        return false;
    struct str *values = reader_room(selector->reader, node->count, sizeof(*values));
    if (!values)
        return false;
    size_t good = 0;
    for (const struct yaml_node *value = node->first; value; value = value->next)
        good += read_value(selector, value, &values[good]);
    item->values = values;
    item->value_count = good;
    return good == node->count;
}

/* The values that the operator needs, or none. */
static bool read_operands(struct selector *selector, const struct yaml_node *node,
                          const struct yaml_node *values, struct requirement_spec *item)
{
    struct str name = operators[item->op];
    bool needs_values = item->op == OPERATOR_IN || item->op == OPERATOR_NOT_IN;
    if (!needs_values && values) {
        reader_error(selector->reader, values, "leave values out, or use In or NotIn",
                     "operator %.*s takes no values", STR_FMT(name));
        return false;
    }
    if (needs_values && !values) {
        reader_error(selector->reader, node, NULL, "operator %.*s needs values", STR_FMT(name));
        return false;
    }
    return !needs_values || read_values(selector, values, item);
}

static void read_expression(struct selector *selector, const struct yaml_node *node)
{
    struct reader *reader = selector->reader;
    const struct yaml_node *values[EXPRESSION_KEY_COUNT];
    if (!reader_mapping(reader, node, "an expression", expression_keys, EXPRESSION_KEY_COUNT,
                        values))
        return;
    struct requirement_spec item = {0};
    bool good = reader_need(reader, node, values[KEY], "key of the expression", NULL) &&
                reader_string(reader, values[KEY], "key", &item.key) &&
                check_key(selector, values[KEY]);
    size_t op;
    if (!reader_need(reader, node, values[OPERATOR], "operator of the expression",
                     "In, NotIn, Exists or DoesNotExist") ||
        !reader_word(reader, values[OPERATOR], "operator", operators, COUNT_OF(operators), &op))
        return;
    item.op = (enum selector_op)op;
    if (read_operands(selector, node, values[VALUES], &item) && good)
        selector->items[selector->count++] = item;
}

static void read_expressions(struct selector *selector, const struct yaml_node *node)
{
    if (!reader_collection(selector->reader, node, YAML_SEQUENCE, "matchExpressions"))
        return;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        read_expression(selector, item);
}

void policy_parse_selector(struct reader *reader, const struct yaml_node *node, const char *what,
                           bool of_annotations, struct selector_spec *selector)
{
    const struct yaml_node *values[SELECTOR_KEY_COUNT];
    if (!reader_collection(reader, node, YAML_MAPPING, what) ||
        !reader_mapping(reader, node, what, selector_keys, SELECTOR_KEY_COUNT, values))
        return;
    size_t room = (values[LABELS] ? values[LABELS]->count : 0) +
                  (values[EXPRESSIONS] ? values[EXPRESSIONS]->count : 0);
    struct selector parsed = {.reader = reader, .of_annotations = of_annotations};
    parsed.items = reader_room(reader, room, sizeof(*parsed.items));
    if (!parsed.items)
        return;
    if (values[LABELS])
        read_labels(&parsed, values[LABELS]);
    if (values[EXPRESSIONS])
        read_expressions(&parsed, values[EXPRESSIONS]);
    *selector = (struct selector_spec){.items = parsed.items, .count = parsed.count};
}
