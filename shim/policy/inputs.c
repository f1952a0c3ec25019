/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels and annotations a rule's terms matched on: the evidence in an audit record. */
#include "policy/compiled.h"

static bool same_key(const struct label_term *a, const struct label_term *b)
{
    return a->source == b->source && a->hash == b->hash && str_eq(a->key, b->key);
}

/* Terms of one key stand side by side; `earlier` is the one before, or NULL. */
static const struct label *label_matched(const struct term *term, const struct term *earlier,
                                         const struct question *question)
{
    const struct label_set *labels = question_labels(question, term->label.source);
    if (!labels || term_match(term, question) != MATCH_YES)
        return NULL;
    if (earlier && earlier->kind == TERM_LABEL && same_key(&earlier->label, &term->label) &&
        term_match(earlier, question) == MATCH_YES)
        return NULL;
    return label_set_get(labels, term->label.key, term->label.hash);
}

/* Whether a label term of the rule reports this annotation already. */
static bool is_reported(const struct rule *rule, const struct label *annotation)
{
    for (size_t i = 0; i < rule->term_count; i++) {
        const struct term *term = &rule->terms[i];
        if (term->kind == TERM_LABEL && term->label.source == INPUT_ANNOTATION &&
            term->label.hash == annotation->hash && str_eq(term->label.key, annotation->key))
            return true;
    }
    return false;
}

static void report_annotation_keys(const struct rule *rule, const struct term *term,
                                   const struct label_set *set, policy_input_fn *report,
                                   void *cookie)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct label *annotation = &set->items[i];
        if (globs_match_any(&term->globs, annotation->key) && !is_reported(rule, annotation))
            report(cookie, INPUT_ANNOTATION, annotation);
    }
}

void policy_inputs(const struct policy *policy, const struct policy_rule *rule,
                   const struct pod_facts *pod, const struct label_set *node,
                   policy_input_fn *report, void *cookie)
{
    if (!rule)
        return;
    const struct rule *whole = rule_of(rule);
    struct question question = question_make(policy, pod, node);
    for (size_t i = 0; i < whole->term_count; i++) {
        const struct term *term = &whole->terms[i];
        if (term->kind == TERM_LABEL) {
            const struct label *label = label_matched(term, i ? term - 1 : NULL, &question);
            if (label)
                report(cookie, term->label.source, label);
        } else if (term->kind == TERM_ANNOTATION_KEYS) {
            report_annotation_keys(whole, term, &pod->annotations, report, cookie);
        }
    }
}
