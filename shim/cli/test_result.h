/* SPDX-License-Identifier: Apache-2.0 */
/* What came out of the cases of `crigate test`, and how it is printed. */
#ifndef CRIGATE_CLI_TEST_RESULT_H
#define CRIGATE_CLI_TEST_RESULT_H

#include "base/writer.h"
#include "cli/container_verdict.h"
#include "config/cases_file.h"

struct case_result {
    const struct policy_case *subject;
    struct decision decision; /* the pod's */
    bool container_refused;
    struct container_verdict container; /* the first that is refused */
    bool holds;
    double seconds; /* that the decisions took */
};

struct file_result {
    const struct cases_file *file;
    struct case_result *cases; /* one for each of the file */
    size_t failed;
    double seconds;
};

/* Which rules of a policy won a case, or were observed in one. */
struct coverage {
    const struct case_policy *policy;
    bool *reached; /* by index of the rule */
    size_t unreached;
};

struct test_results {
    struct file_result *files;
    struct coverage *policies;
    size_t file_count, policy_count;
    size_t passed, failed;
    struct arena arena; /* owns the above */
};

/* Judges every case. -1 when memory is out. The caller frees with test_results_free(). */
int test_run(const struct cases_file *files, size_t count, const struct case_policies *policies,
             struct test_results *results) MUST_CHECK;
void test_results_free(struct test_results *results);

/* The verdict that ended the matter: the pod's, or that of a container which is refused. */
const struct verdict *case_result_verdict(const struct case_result *result);

/* The rule that decided it: for a container that its runtime cannot have, the pod's. */
const struct policy_rule *case_result_rule(const struct case_result *result);

#define TEST_SENTENCE_SIZE ((size_t)4096)

/* What a case expected, what it got, and why a rule that it names did not decide: sentences
 * without an end, safe for a terminal. The last may have nothing to say. */
void test_write_expected(const struct file_result *file, const struct case_result *result,
                         struct writer *writer);
void test_write_got(const struct file_result *file, const struct case_result *result,
                    struct writer *writer);
void test_write_why(const struct file_result *file, const struct case_result *result,
                    struct writer *writer);

/* The refusal as the kubelet shows it; "" for a pod that runs. */
void test_write_message(const struct policy *policy, const struct case_result *result,
                        char buf[TEST_SENTENCE_SIZE]);

/* Everything, to standard output. The last returns -1, with a message, when memory is out. */
void test_print_text(const struct test_results *results);
void test_print_junit(const struct test_results *results);
int test_print_json(const struct test_results *results) MUST_CHECK;

/* The rules that no case reaches, as warnings. */
void test_print_unreached(const struct test_results *results, FILE *out);

#endif
