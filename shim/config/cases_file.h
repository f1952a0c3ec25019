/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of a policy, as a person writes them: pods, nodes, and what the gate should do. The
 * file's form is told in `crigate test --help`. Strict like the policy itself.
 */
#ifndef CRIGATE_CONFIG_CASES_FILE_H
#define CRIGATE_CONFIG_CASES_FILE_H

#include "config/cases_policy.h"
#include "config/pod_containers.h"

/* A file of cases is at most this long. */
#define CASES_FILE_MAX ((size_t)16 * 1024 * 1024)

/* What one case expects of its verdict; an empty or zeroed part was not said and always holds. */
struct expectation {
    bool runs;
    const struct policy_runtime *runtime; /* runs: under this one */
    enum verdict_reason reason;           /* refused: for this; REASON_NONE: for any */
    struct str container;                 /* refused: this one of the pod, which itself runs */
    struct str rule;                      /* that decides, or "otherwise" */
    size_t rule_index;                    /* unless it is "otherwise" */
    struct str message;                   /* the refusal contains this */
    bool says_observed;
    const struct str *observed; /* the rules of mode observe that match, in order */
    size_t observed_count;
};

/* What is known of the node. */
struct case_node {
    bool is_known;
    struct label_set labels;
};

struct policy_case {
    struct str name; /* one line, not empty; no two in a file are the same */
    struct place at;
    struct pod_facts pod;
    struct pod_containers containers;
    struct case_node node;
    struct expectation expect;
};

struct cases_file {
    const char *path;
    const struct case_policy *policy;
    const struct policy_case *cases;
    size_t count;
    struct arena arena; /* owns the above, except the policy */
};

/*
 * Loads `path`, and its policy into `policies`, which outlives `file`. The findings go to `diags`,
 * except those of the policy, which are with it. -1 when a finding is an error; then `file` holds
 * nothing. Otherwise the caller frees it with cases_file_free().
 */
int cases_file_load(const char *path, struct case_policies *policies, struct diags *diags,
                    struct cases_file *file) MUST_CHECK;

/* The same from bytes in memory; `path` names them, and is where relative paths begin. */
int cases_file_parse(const char *path, struct str text, struct case_policies *policies,
                     struct diags *diags, struct cases_file *file) MUST_CHECK;

void cases_file_free(struct cases_file *file);

#endif
