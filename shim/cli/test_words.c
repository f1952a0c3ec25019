/* SPDX-License-Identifier: Apache-2.0 */
/* What a case expected, what it got and why, as sentences that every kind of output shares. */
#include "cli/test_result.h"

static void write_place(struct writer *writer, const struct file_result *file,
                        const struct policy_rule *rule)
{
    writer_text(writer, " (");
    writer_str(writer, str_of(file->file->policy->path));
    writer_text(writer, ":");
    writer_number(writer, rule->at.line);
    writer_text(writer, ")");
}

static bool is_otherwise(struct str rule)
{
    return str_eq(rule, STR("otherwise"));
}

static void write_rule(struct writer *writer, const struct file_result *file,
                       const struct policy_rule *rule)
{
    writer_text(writer, is_otherwise(rule->name) ? "" : "rule ");
    writer_str(writer, rule->name);
    write_place(writer, file, rule);
}

/* NULL for "otherwise", whose place only a decision knows. */
static const struct policy_rule *expected_rule(const struct file_result *file,
                                               const struct expectation *expect)
{
    return is_otherwise(expect->rule)
               ? NULL
               : policy_rule_at(file->file->policy->policy, expect->rule_index);
}

static void write_outcome(struct writer *writer, bool runs, const struct policy_runtime *runtime,
                          enum verdict_reason reason)
{
    writer_text(writer, runs ? "runs under " : "refused");
    if (runs) {
        writer_str(writer, runtime->handler);
    } else if (reason != REASON_NONE) {
        writer_text(writer, " (");
        writer_text(writer, verdict_reason_name(reason));
        writer_text(writer, ")");
    }
}

void test_write_expected(const struct file_result *file, const struct case_result *result,
                         struct writer *writer)
{
    const struct expectation *expect = &result->subject->expect;
    write_outcome(writer, expect->runs, expect->runtime, expect->reason);
    if (expect->rule.len) {
        const struct policy_rule *rule = expected_rule(file, expect);
        writer_text(writer, rule ? " by " : " by otherwise");
        if (rule)
            write_rule(writer, file, rule);
    }
    if (expect->message.len) {
        writer_text(writer, ", with the message \"");
        writer_str(writer, expect->message);
        writer_text(writer, "\"");
    }
    if (!expect->says_observed)
        return;
    writer_text(writer, expect->observed_count ? "; observed by " : "; observed by no rule");
    for (size_t i = 0; i < expect->observed_count; i++) {
        writer_text(writer, i ? ", " : "");
        writer_str(writer, expect->observed[i]);
    }
}

void test_write_got(const struct file_result *file, const struct case_result *result,
                    struct writer *writer)
{
    const struct decision *decision = &result->decision;
    const struct verdict *verdict = &decision->verdict;
    write_outcome(writer, verdict->action == VERDICT_RUN, verdict->effective, verdict->reason);
    if (verdict->rule) {
        writer_text(writer, verdict->reason == REASON_LABELS_UNKNOWN ? " at " : " by ");
        write_rule(writer, file, verdict->rule);
    }
    if (!result->subject->expect.says_observed)
        return;
    writer_text(writer, decision->observed_count ? "; observed by " : "; observed by no rule");
    for (size_t i = 0; i < decision->observed_count; i++) {
        writer_text(writer, i ? ", " : "");
        writer_str(writer, decision->observed[i].rule->name);
    }
    if (decision->observed_dropped) {
        writer_text(writer, " and ");
        writer_number(writer, decision->observed_dropped);
        writer_text(writer, " more");
    }
}

/* How the rule at `index` by itself sees the pod. */
static enum match write_match(struct writer *writer, const struct file_result *file,
                              const struct case_result *result, size_t index)
{
    const struct policy *policy = file->file->policy->policy;
    const struct policy_case *subject = result->subject;
    char why[TEST_SENTENCE_SIZE];
    enum match match = policy_explain_rule(policy, index, &subject->pod,
                                           subject->node.is_known ? &subject->node.labels : NULL,
                                           why, sizeof(why));
    writer_text(writer, match == MATCH_UNKNOWN ? "it is not known whether rule " : "rule ");
    writer_str(writer, policy_rule_at(policy, index)->name);
    writer_text(writer, match == MATCH_NO ? " does not match" : " matches");
    if (match != MATCH_YES) {
        writer_text(writer, ": ");
        writer_text(writer, why);
    }
    return match;
}

/* Why the expected rule did not decide. */
static void write_rule_missed(struct writer *writer, const struct file_result *file,
                              const struct case_result *result)
{
    const struct verdict *verdict = &result->decision.verdict;
    const struct expectation *expect = &result->subject->expect;
    size_t got;
    bool is_above = case_policy_rule(file->file->policy, verdict->rule->name, &got) &&
                    (is_otherwise(expect->rule) || got < expect->rule_index);
    if (is_otherwise(expect->rule))
        write_match(writer, file, result, got);
    else if (write_match(writer, file, result, expect->rule_index) == MATCH_YES)
        writer_text(writer, is_above ? ", but a rule above it wins" : ", but only observes");
}

void test_write_why(const struct file_result *file, const struct case_result *result,
                    struct writer *writer)
{
    const struct verdict *verdict = &result->decision.verdict;
    const struct expectation *expect = &result->subject->expect;
    size_t index;
    if (!verdict->rule) /* the message says that the handler is not declared */
        return;
    if (expect->rule.len && !str_eq(expect->rule, verdict->rule->name))
        write_rule_missed(writer, file, result);
    else if (verdict->reason == REASON_LABELS_UNKNOWN &&
             case_policy_rule(file->file->policy, verdict->rule->name, &index))
        write_match(writer, file, result, index);
}

void test_write_message(const struct file_result *file, const struct case_result *result,
                        char buf[TEST_SENTENCE_SIZE])
{
    buf[0] = '\0';
    (void)verdict_message(file->file->policy->policy, &result->subject->pod,
                          &result->decision.verdict, buf, TEST_SENTENCE_SIZE);
}
