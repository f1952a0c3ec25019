/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether one rule surely covers another: each term of the wide rule must follow from one term of
 * the narrow rule. That is a proof, never a guess: two terms that imply a third only together are
 * not seen. It holds while node labels are unknown too, as a term follows only from one of the
 * same source.
 */
#include "policy/compiled.h"

static bool runtime_in(const struct handlers_term *term, const struct policy_runtime *runtime)
{
    for (size_t i = 0; i < term->count; i++) {
        if (term->runtimes[i] == runtime)
            return true;
    }
    return false;
}

static bool handlers_imply(const struct policy *policy, const struct handlers_term *narrow,
                           const struct handlers_term *wide)
{
    for (size_t i = 0; i < narrow->count; i++) {
        if (!runtime_in(wide, narrow->runtimes[i]))
            return false;
    }
    return !narrow->unnamed || wide->unnamed || runtime_in(wide, policy->default_runtime);
}

/* How many values stand in both; both lists are sorted. */
static size_t shared_values(const struct label_term *a, const struct label_term *b)
{
    size_t shared = 0;
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        int order = str_cmp(a->values[i], b->values[j]);
        shared += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return shared;
}

static bool label_implies(const struct label_term *narrow, const struct label_term *wide)
{
    if (narrow->source != wide->source || narrow->hash != wide->hash ||
        !str_eq(narrow->key, wide->key))
        return false;
    enum selector_op has = narrow->op;
    switch (wide->op) {
    case OPERATOR_EXISTS:
        return has == OPERATOR_EXISTS || has == OPERATOR_IN;
    case OPERATOR_DOES_NOT_EXIST:
        return has == OPERATOR_DOES_NOT_EXIST;
    case OPERATOR_IN:
        return has == OPERATOR_IN && shared_values(narrow, wide) == narrow->count;
    case OPERATOR_NOT_IN:
        return has == OPERATOR_DOES_NOT_EXIST ||
               (has == OPERATOR_NOT_IN && shared_values(narrow, wide) == wide->count) ||
               (has == OPERATOR_IN && shared_values(narrow, wide) == 0);
    }
    return false;
}

static bool globs_imply(const struct globs_term *narrow, const struct globs_term *wide)
{
    for (size_t i = 0; i < narrow->count; i++) {
        bool covered = false;
        for (size_t j = 0; j < wide->count && !covered; j++)
            covered = glob_covers(&wide->items[j], &narrow->items[i]);
        if (!covered)
            return false;
    }
    return true;
}

/* A selector that needs an annotation to be there gives annotationKeys a key to match. */
static bool needs_annotation(const struct label_term *narrow, const struct globs_term *wide)
{
    return narrow->source == INPUT_ANNOTATION &&
           (narrow->op == OPERATOR_IN || narrow->op == OPERATOR_EXISTS) &&
           globs_match_any(wide, narrow->key);
}

static bool term_implies(const struct policy *policy, const struct term *narrow,
                         const struct term *wide)
{
    if (wide->kind == TERM_ANNOTATION_KEYS && narrow->kind == TERM_LABEL)
        return needs_annotation(&narrow->label, &wide->globs);
    if (narrow->kind != wide->kind)
        return false;
    switch (wide->kind) {
    case TERM_FLAG:
        return narrow->flag.flag == wide->flag.flag && narrow->flag.wanted == wide->flag.wanted;
    case TERM_HANDLERS:
        return handlers_imply(policy, &narrow->handlers, &wide->handlers);
    case TERM_LABEL:
        return label_implies(&narrow->label, &wide->label);
    case TERM_NAMESPACES:
    case TERM_NAMES:
    case TERM_ANNOTATION_KEYS:
        return globs_imply(&narrow->globs, &wide->globs);
    }
    return false;
}

bool rule_covers(const struct policy *policy, const struct rule *wide, const struct rule *narrow)
{
    for (size_t i = 0; i < wide->term_count; i++) {
        bool follows = false;
        for (size_t j = 0; j < narrow->term_count && !follows; j++)
            follows = term_implies(policy, &narrow->terms[j], &wide->terms[i]);
        if (!follows)
            return false;
    }
    return true;
}
