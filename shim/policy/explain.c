/* SPDX-License-Identifier: Apache-2.0 */
/* Why one rule does not match a pod, as a sentence for `crigate explain`. */
#include "base/writer.h"
#include "policy/compiled.h"

/* A longer list is cut with the number of what is left out. */
#define LIST_SHOWN_MAX 8

typedef struct str item_fn(const void *list, size_t index);

static struct str value_item(const void *list, size_t index)
{
    return ((const struct label_term *)list)->values[index];
}

static struct str glob_item(const void *list, size_t index)
{
    return ((const struct globs_term *)list)->items[index].pattern;
}

static struct str runtime_item(const void *list, size_t index)
{
    return ((const struct handlers_term *)list)->runtimes[index]->handler;
}

static void write_list(struct writer *writer, const void *list, size_t count, item_fn *item)
{
    size_t shown = count > LIST_SHOWN_MAX ? LIST_SHOWN_MAX : count;
    for (size_t i = 0; i < shown; i++) {
        writer_text(writer, i ? ", " : "");
        writer_quoted(writer, item(list, i));
    }
    if (count > shown) {
        writer_text(writer, " and ");
        writer_number(writer, count - shown);
        writer_text(writer, " more");
    }
}

static void write_flag(struct writer *writer, const struct flag_term *term)
{
    writer_text(writer, ability_name(term->flag));
    writer_text(writer, term->wanted ? " is false, not true" : " is true, not false");
}

static void write_handlers(struct writer *writer, const struct handlers_term *term,
                           const struct question *question)
{
    struct str name = pod_facts_requested(question->pod);
    if (question->unnamed) {
        writer_text(writer, "no handler is named");
    } else {
        writer_text(writer, "handler ");
        writer_quoted(writer, name);
    }
    if (!question->requested) {
        writer_text(writer, " is not declared");
        return;
    }
    if (!str_eq(name, question->requested->handler)) {
        writer_text(writer, ", which means ");
        writer_quoted(writer, question->requested->handler);
    }
    writer_text(writer, ", not one of ");
    write_list(writer, term, term->count, runtime_item);
    if (term->unnamed)
        writer_text(writer, term->count ? ", \"\"" : "\"\" (a request that names none)");
}

static const char *source_name(enum input_source source)
{
    switch (source) {
    case INPUT_POD_LABEL:
        return "pod label ";
    case INPUT_ANNOTATION:
        return "annotation ";
    case INPUT_NODE_LABEL:
        return "node label ";
    }
    return "label ";
}

/* What the term wants instead of what is there. */
static void write_values(struct writer *writer, const struct label_term *term, bool present)
{
    switch (term->op) {
    case OPERATOR_IN:
        writer_text(writer, present ? ", not one of " : ", and must be one of ");
        write_list(writer, term, term->count, value_item);
        break;
    case OPERATOR_NOT_IN:
        writer_text(writer, ", one of ");
        write_list(writer, term, term->count, value_item);
        break;
    case OPERATOR_EXISTS:
        writer_text(writer, ", and must be there");
        break;
    case OPERATOR_DOES_NOT_EXIST:
        writer_text(writer, ", and must not be there");
        break;
    }
}

static void write_label(struct writer *writer, const struct label_term *term,
                        const struct question *question)
{
    const struct label_set *labels = question_labels(question, term->source);
    writer_text(writer, source_name(term->source));
    writer_short(writer, term->key);
    if (!labels) {
        writer_text(writer, " is not known");
        return;
    }
    const struct str *value = label_set_find(labels, term->key, term->hash);
    writer_text(writer, value ? " is " : " is not there");
    if (value)
        writer_quoted(writer, *value);
    write_values(writer, term, value != NULL);
}

static void write_name(struct writer *writer, const char *what, struct str name,
                       const struct globs_term *globs)
{
    writer_text(writer, what);
    writer_quoted(writer, name);
    writer_text(writer, " matches none of ");
    write_list(writer, globs, globs->count, glob_item);
}

/* The sentence for a term that does not match, or is unknown. */
static void write_term(struct writer *writer, const struct term *term,
                       const struct question *question)
{
    switch (term->kind) {
    case TERM_FLAG:
        write_flag(writer, &term->flag);
        break;
    case TERM_HANDLERS:
        write_handlers(writer, &term->handlers, question);
        break;
    case TERM_LABEL:
        write_label(writer, &term->label, question);
        break;
    case TERM_NAMESPACES:
        write_name(writer, "namespace ", question->pod->namespace, &term->globs);
        break;
    case TERM_NAMES:
        write_name(writer, "name ", question->pod->name, &term->globs);
        break;
    case TERM_ANNOTATION_KEYS:
        writer_text(writer, "no annotation key matches any of ");
        write_list(writer, &term->globs, term->globs.count, glob_item);
        break;
    }
}

enum match policy_explain_rule(const struct policy *policy, size_t index,
                               const struct pod_facts *pod, const struct label_set *node, char *buf,
                               size_t size)
{
    const struct rule *rule = &policy->rules[index];
    struct question question = question_make(policy, pod, node);
    struct writer writer = writer_make(buf, size);
    enum match match = rule_match(rule, &question);
    if (match == MATCH_YES)
        return match;
    for (size_t i = 0; i < rule->term_count; i++) {
        if (term_match(&rule->terms[i], &question) == match) {
            write_term(&writer, &rule->terms[i], &question);
            break;
        }
    }
    return match;
}
