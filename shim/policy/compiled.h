/* SPDX-License-Identifier: Apache-2.0 */
/* A policy as the module's own files see it. Nobody outside policy/ includes this. */
#ifndef CRIGATE_POLICY_COMPILED_H
#define CRIGATE_POLICY_COMPILED_H

#include <stdatomic.h>

#include "base/arena.h"
#include "policy/glob.h"
#include "policy/policy.h"

enum term_kind {
    TERM_FLAG,
    TERM_HANDLERS,
    TERM_LABEL,
    TERM_NAMESPACES,
    TERM_NAMES,
    TERM_ANNOTATION_KEYS,
};

/* hostNetwork, hostPID, hostIPC or privileged: the policy's words are those of the abilities. */
struct flag_term {
    enum ability flag;
    bool wanted;
};

struct handlers_term {
    const struct policy_runtime *const *runtimes;
    size_t count;
    bool unnamed; /* a request that names no handler matches too */
};

/* One requirement of a selector. */
struct label_term {
    enum input_source source;
    enum selector_op op;
    uint32_t hash; /* label_hash(key) */
    struct str key;
    const struct str *values; /* in str_cmp() order, each once */
    size_t count;
};

struct globs_term {
    const struct glob *items;
    size_t count;
};

struct term {
    enum term_kind kind;
    union {
        struct flag_term flag;
        struct handlers_term handlers;
        struct label_term label;
        struct globs_term globs;
    };
};

struct action {
    enum action_kind kind;
    const struct policy_runtime *runtime; /* ACTION_RUN_HANDLER */
    struct str message;                   /* ACTION_REFUSE */
    bool allow_downgrade;
};

struct rule {
    struct policy_rule public; /* the first member: rule_of() */
    struct action action;
    bool observe;
    bool refuses_by_annotation; /* and so is asked about a pod's containers too */
    const struct term *terms;   /* ANDed; kinds in the order of enum term_kind, label terms by
                                   (source, hash, key). None that always holds. */
    size_t term_count;
    size_t weight; /* what comparing it costs: its terms and the items in their lists */
};

struct filter; /* filter.h */

struct policy {
    atomic_uint references;
    struct arena arena; /* everything below lives in it */
    struct str name;
    char sha256[65];
    enum policy_mode mode;
    struct policy_runtime *runtimes;
    size_t runtime_count;
    const struct policy_runtime *default_runtime;
    struct policy_handler *names; /* handlers and aliases, in the order of the file */
    size_t name_count;
    struct globs_term *devices; /* one a runtime: what it can have in spite of ABILITY_DEVICES */
    struct rule *rules;
    struct filter *filters; /* one a rule */
    size_t rule_count;
    size_t annotation_end; /* no rule from here on refuses by annotation */
    struct rule otherwise;
};

static inline const struct rule *rule_of(const struct policy_rule *rule)
{
    return (const struct rule *)rule;
}

/* Turns `spec` into the terms of `rule` and their filter. -1: an undeclared handler, or memory. */
int terms_compile(struct policy *policy, const struct match_spec *spec, struct rule *rule,
                  struct filter *filter, struct err *err) MUST_CHECK;

/* One pod as the rules are asked about it. */
struct question {
    const struct policy *policy;
    const struct pod_facts *pod;
    const struct label_set *node;           /* NULL: not known */
    const struct policy_runtime *requested; /* NULL: not declared */
    bool unnamed;                           /* the request names no handler */
    unsigned demands;                       /* ability bits that the pod needs */
};

struct question question_make(const struct policy *policy, const struct pod_facts *pod,
                              const struct label_set *node);

/* The same pod when its sandbox runs already, under `handler`, which is `runtime`'s: that stands
 * for what the pod asks for. */
struct question question_of_sandbox(const struct policy *policy,
                                    const struct policy_runtime *runtime, struct str handler,
                                    const struct pod_facts *pod, const struct label_set *node);

/* By themselves, without a filter. */
enum match term_match(const struct term *term, const struct question *question);
enum match rule_match(const struct rule *rule, const struct question *question);

/* The labels that a label term's source names; NULL for the node's while they are not known. */
const struct label_set *question_labels(const struct question *question, enum input_source source);

bool globs_match_any(const struct globs_term *globs, struct str text);

/* Whether `container` needs what `runtime` cannot do; then `verdict` refuses and says what. */
bool container_lacks(const struct policy *policy, const struct policy_runtime *runtime,
                     const struct container_facts *container, struct verdict *verdict);

/* Reports what a rule of mode observe would have done. */
void decision_observe(struct decision *decision, const struct verdict *verdict);

/* True only when whatever `narrow` matches is surely matched by `wide`, and whatever it might
 * match while labels are unknown, `wide` might. */
bool rule_covers(const struct policy *policy, const struct rule *wide, const struct rule *narrow);

/* Reports each covered rule and each downgrade that can never pass, in the order of the rules.
 * -1: memory is out. */
int cover_report(const struct policy *policy, policy_warn_fn *warn, void *cookie,
                 struct err *err) MUST_CHECK;

#endif
