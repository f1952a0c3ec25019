/* SPDX-License-Identifier: Apache-2.0 */
/* Judges each case as the gate would, holds it against what was expected, and marks the rules that
 * it reached. */
#include <time.h>

#include "cli/test_result.h"

static const struct label_set *node_of(const struct policy_case *subject)
{
    return subject->node.is_known ? &subject->node.labels : NULL;
}

const struct verdict *case_result_verdict(const struct case_result *result)
{
    return result->container_refused ? &result->container.decision.verdict
                                     : &result->decision.verdict;
}

const struct policy_rule *case_result_rule(const struct case_result *result)
{
    const struct policy_rule *rule = case_result_verdict(result)->rule;
    return rule ? rule : result->decision.verdict.rule;
}

static bool holds_observed(const struct expectation *expect, const struct decision *decision)
{
    if (!expect->says_observed)
        return true;
    if (decision->observed_dropped || decision->observed_count != expect->observed_count)
        return false;
    for (size_t i = 0; i < expect->observed_count; i++) {
        if (!str_eq(expect->observed[i], decision->observed[i].rule->name))
            return false;
    }
    return true;
}

static bool holds_container(const struct case_result *result)
{
    struct str wanted = result->subject->expect.container;
    return wanted.len ? result->container_refused && str_eq(result->container.facts.name, wanted)
                      : !result->container_refused;
}

static bool holds_text(const struct policy *policy, const struct case_result *result)
{
    struct str wanted = result->subject->expect.message;
    char message[TEST_SENTENCE_SIZE];
    if (!wanted.len)
        return true;
    test_write_message(policy, result, message);
    return memmem(message, strlen(message), wanted.data, wanted.len) != NULL;
}

static bool holds(const struct policy *policy, const struct case_result *result)
{
    const struct expectation *expect = &result->subject->expect;
    const struct verdict *verdict = case_result_verdict(result);
    const struct policy_rule *rule = case_result_rule(result);
    if ((verdict->action == VERDICT_RUN) != expect->runs ||
        (expect->runs && verdict->effective != expect->runtime) ||
        (expect->reason != REASON_NONE && verdict->reason != expect->reason) ||
        (expect->rule.len && !(rule && str_eq(rule->name, expect->rule))))
        return false;
    return holds_container(result) && holds_text(policy, result) &&
           holds_observed(expect, &result->decision);
}

static void mark(struct coverage *coverage, size_t index)
{
    coverage->unreached -= !coverage->reached[index];
    coverage->reached[index] = true;
}

static void mark_rule(struct coverage *coverage, const struct policy_rule *rule)
{
    size_t index;
    if (rule && case_policy_rule(coverage->policy, rule->name, &index))
        mark(coverage, index);
}

/* More rules observed than a decision reports: each above the winner that matches did. */
static void mark_dropped(struct coverage *coverage, const struct policy_case *subject,
                         const struct decision *decision)
{
    const struct policy *policy = coverage->policy->policy;
    for (size_t i = 0; i < policy_rule_count(policy); i++) {
        char why[TEST_SENTENCE_SIZE];
        if (policy_rule_at(policy, i) == decision->verdict.rule)
            return;
        if (policy_explain_rule(policy, i, &subject->pod, node_of(subject), why, sizeof(why)) ==
            MATCH_YES)
            mark(coverage, i);
    }
}

static void cover(struct coverage *coverage, const struct policy_case *subject,
                  const struct decision *decision)
{
    if (decision->verdict.reason != REASON_LABELS_UNKNOWN)
        mark_rule(coverage, decision->verdict.rule);
    for (size_t i = 0; i < decision->observed_count; i++)
        mark_rule(coverage, decision->observed[i].rule);
    if (decision->observed_dropped)
        mark_dropped(coverage, subject, decision);
}

static double now(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void judge_containers(const struct policy *policy, struct case_result *result)
{
    const struct policy_case *subject = result->subject;
    for (size_t i = 0; i < subject->containers.count; i++) {
        container_verdict_make(policy, &subject->pod, &result->decision.verdict,
                               &subject->containers.items[i], node_of(subject), &result->container);
        result->container_refused = result->container.decision.verdict.action != VERDICT_RUN;
        if (result->container_refused)
            return;
    }
}

static void run_case(const struct policy *policy, struct case_result *result)
{
    const struct policy_case *subject = result->subject;
    double began = now();
    policy_decide(policy, &subject->pod, node_of(subject), &result->decision);
    if (result->decision.verdict.action == VERDICT_RUN)
        judge_containers(policy, result);
    result->seconds = now() - began;
    result->holds = holds(policy, result);
}

static int run_file(const struct cases_file *file, struct coverage *coverage, struct arena *arena,
                    struct file_result *result)
{
    *result = (struct file_result){.file = file};
    result->cases = arena_array(arena, file->count, sizeof(*result->cases));
    if (!result->cases)
        return -1;
    for (size_t i = 0; i < file->count; i++) {
        struct case_result *one = &result->cases[i];
        one->subject = &file->cases[i];
        run_case(file->policy->policy, one);
        cover(coverage, one->subject, &one->decision);
        if (one->container_refused && case_result_verdict(one)->reason == REASON_RULE)
            mark_rule(coverage, case_result_verdict(one)->rule);
        result->failed += !one->holds;
        result->seconds += one->seconds;
    }
    return 0;
}

static int make_coverage(const struct case_policies *policies, struct test_results *results)
{
    size_t count = 0;
    for (const struct case_policy *item = policies->first; item; item = item->next)
        count++;
    results->policies = arena_array(&results->arena, count, sizeof(*results->policies));
    if (!results->policies)
        return -1;
    for (const struct case_policy *item = policies->first; item; item = item->next) {
        struct coverage *coverage = &results->policies[results->policy_count++];
        coverage->policy = item;
        coverage->unreached = item->rule_count;
        coverage->reached = arena_array(&results->arena, item->rule_count, sizeof(bool));
        if (!coverage->reached)
            return -1;
    }
    return 0;
}

static struct coverage *coverage_of(const struct test_results *results,
                                    const struct case_policy *policy)
{
    struct coverage *coverage = results->policies;
    while (coverage->policy != policy)
        coverage++;
    return coverage;
}

int test_run(const struct cases_file *files, size_t count, const struct case_policies *policies,
             struct test_results *results)
{
    results->files = arena_array(&results->arena, count, sizeof(*results->files));
    if (!results->files || make_coverage(policies, results))
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct file_result *result = &results->files[results->file_count++];
        if (run_file(&files[i], coverage_of(results, files[i].policy), &results->arena, result))
            return -1;
        results->failed += result->failed;
        results->passed += files[i].count - result->failed;
    }
    return 0;
}

void test_results_free(struct test_results *results)
{
    arena_free(&results->arena);
    *results = (struct test_results){0};
}
