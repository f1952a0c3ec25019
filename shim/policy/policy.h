/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled policy and its verdicts: facts + node labels + policy -> decision. Pure: no I/O, no
 * clock, no gRPC, no YAML. A policy is immutable and shared between threads behind a reference
 * count; policy_decide() allocates nothing.
 */
#ifndef CRIGATE_POLICY_POLICY_H
#define CRIGATE_POLICY_POLICY_H

#include "base/err.h"
#include "policy/facts.h"
#include "policy/spec.h"

struct policy;

struct policy_runtime {
    struct str handler;
    enum isolation isolation;
    unsigned cannot;
};

struct policy_rule {
    struct str name; /* "otherwise" for the action at the end */
    struct place at;
};

enum policy_warning_kind {
    WARNING_RULE_COVERED,    /* an earlier, enforced rule matches whatever this one does */
    WARNING_DOWNGRADE_NEVER, /* each pod that matches would be moved from a sandbox to the host's
                                kernel, and the rule lacks allowDowngrade */
};

/* Called by policy_compile() once for each finding, in the order of the rules. `earlier` is the
 * covering rule, or NULL. */
typedef void policy_warn_fn(void *cookie, enum policy_warning_kind kind,
                            const struct policy_rule *rule, const struct policy_rule *earlier);

/*
 * Compiles `spec` into `*policy` (one reference, the caller's). `warn` may be NULL.
 * Fails only when memory is out or the spec breaks its contract. At most 100 ms for 10,000 rules.
 */
int policy_compile(const struct policy_spec *spec, policy_warn_fn *warn, void *cookie,
                   struct policy **policy, struct err *err) MUST_CHECK;

/* Both from any thread. The last unref frees. */
struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy);
DEFINE_OWNED(own_policy, struct policy, policy_unref)

struct str policy_name(const struct policy *policy);
const char *policy_sha256(const struct policy *policy);
enum policy_mode policy_mode(const struct policy *policy);
size_t policy_rule_count(const struct policy *policy);

/* Zero refuses: a verdict that was never filled lets nothing through. */
/* Whether some rule asks for the node's labels: while they are not known, it is not known either.
 */
bool policy_asks_node_labels(const struct policy *policy);

enum verdict_action { VERDICT_REFUSE, VERDICT_RUN };

enum verdict_reason {
    REASON_NONE,
    REASON_RULE,
    REASON_OTHERWISE,
    REASON_UNKNOWN_RUNTIME,
    REASON_LABELS_UNKNOWN,
    REASON_DOWNGRADE,
    REASON_INCOMPATIBLE,
    REASON_MALFORMED,
    REASON_AUDIT_UNAVAILABLE,
    REASON_SERVICE_NOT_ALLOWED,
    REASON_PEER_NOT_ALLOWED,
    REASON_SANDBOX_UNKNOWN, /* containerd did not tell the runtime of a container's sandbox */
};

/* The word of the audit log, such as "unknownRuntime". */
const char *verdict_reason_name(enum verdict_reason reason);

struct verdict {
    enum verdict_action action;
    enum verdict_reason reason;
    const struct policy_runtime *requested;  /* NULL: no declared runtime has that name */
    const struct policy_runtime *effective;  /* where it runs; for a refusal by a guard, where the
                                                rule would have had it run; else NULL */
    const struct policy_rule *rule;          /* that won, or was unknown; NULL before any rule */
    enum ability lacking;                    /* REASON_INCOMPATIBLE: the first ability missing */
    const struct container_facts *container; /* that needs it; NULL: the pod itself */
    struct str device;                       /* ABILITY_DEVICES: the first that it cannot have */
    struct str handler; /* policy_decide_container(): the sandbox's, for the message */
    bool modifies; /* VERDICT_RUN: the effective handler's name is not the one in the request */
};

/* At most this many matching observe rules are reported a decision. */
#define DECISION_OBSERVED_MAX 4

struct decision {
    struct verdict verdict; /* what enforce does; in a policy of mode observe: would do */
    struct verdict observed[DECISION_OBSERVED_MAX]; /* rules of mode observe that matched, in
                                                       order: what each would have done */
    size_t observed_count, observed_dropped;        /* reported; matched beyond them */
};

/*
 * Judges one pod. `node` is NULL while the node's labels are not known. The verdicts borrow from
 * `policy`. The order: resolve the requested name; first matching rule, else otherwise; the
 * guards, whatever the rule says: downgrade, then cannot.
 */
void policy_decide(const struct policy *policy, const struct pod_facts *pod,
                   const struct label_set *node, struct decision *decision);

/*
 * Judges one container of a sandbox that containerd runs under `handler`, a handler's own name; ""
 * is a sandbox from before the gate, which asked for none, and counts as the default. Its `pod`, as
 * CreateContainer tells it, is asked about too: annotations can change after the sandbox has
 * started, so a rule that refuses because of an annotation refuses here as well. The order: the
 * runtime is declared; such a rule; what the runtime cannot do. `effective` is the sandbox's
 * runtime. `node` as in policy_decide(). A container that runs has REASON_NONE and no rule;
 * observed are the rules that would refuse it because of an annotation. The verdicts borrow from
 * `policy`, `handler` and `container`. What `pod` says of a handler is not read.
 */
void policy_decide_container(const struct policy *policy, struct str handler,
                             const struct pod_facts *pod, const struct container_facts *container,
                             const struct label_set *node, struct decision *decision);

/* One name that a kubelet may ask by, and the runtime that it means. */
struct policy_handler {
    struct str name;
    const struct policy_runtime *runtime;
};

/* Handlers and aliases, in the order of the file, and then "", which means the default. */
size_t policy_handler_count(const struct policy *policy);
struct policy_handler policy_handler_at(const struct policy *policy, size_t index);

/* The declared runtime that a handler, an alias or "" means; NULL when there is none. */
const struct policy_runtime *policy_resolve(const struct policy *policy, struct str name);

/*
 * Writes what a person should read about a refusal, without the pod and the policy, such as
 * "agent sandboxes run only on ..."; returns the bytes written, cut at `size` - 1, terminated.
 * For a verdict that runs, writes "".
 */
size_t verdict_explain(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size);

/* The whole refusal as the kubelet shows it:
 * "crigate: pod NS/NAME refused: MESSAGE (rule RULE, policy NAME SHA8)". Same return. */
size_t verdict_message(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size);

/* The same for a container, "crigate: container NS/POD/NAME refused: MESSAGE (...)". */
size_t verdict_container_message(const struct policy *policy, const struct pod_facts *pod,
                                 const struct container_facts *container,
                                 const struct verdict *verdict, char *buf, size_t size);

enum input_source { INPUT_POD_LABEL, INPUT_ANNOTATION, INPUT_NODE_LABEL };

/* Called once for each label or annotation that a term of the verdict's rule matched on. */
typedef void policy_input_fn(void *cookie, enum input_source source, const struct label *label);

/* Reports the inputs of `rule` (NULL: none), each once. */
void policy_inputs(const struct policy *policy, const struct policy_rule *rule,
                   const struct pod_facts *pod, const struct label_set *node,
                   policy_input_fn *report, void *cookie);

enum match { MATCH_NO, MATCH_UNKNOWN, MATCH_YES };

/*
 * How one rule by itself sees the pod, for `crigate explain`: whether it matches, and where not,
 * which term failed, as a sentence such as `pod label app is "web", not one of "db"`. `index`
 * counts from 0 in the order of the file, below policy_rule_count().
 */
enum match policy_explain_rule(const struct policy *policy, size_t index,
                               const struct pod_facts *pod, const struct label_set *node, char *buf,
                               size_t size);
const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index);

#endif
