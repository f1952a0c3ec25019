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

static void write_runs(struct writer *writer, const struct policy_runtime *runtime)
{
    writer_text(writer, "runs under ");
    writer_str(writer, runtime->handler);
}

static void write_refused(struct writer *writer, struct str container, enum verdict_reason reason)
{
    if (container.len) {
        writer_text(writer, "its container ");
        writer_short(writer, container);
        writer_text(writer, " is ");
    }
    writer_text(writer, "refused");
    if (reason != REASON_NONE) {
        writer_text(writer, " (");
        writer_text(writer, verdict_reason_name(reason));
        writer_text(writer, ")");
    }
}

void test_write_expected(const struct file_result *file, const struct case_result *result,
                         struct writer *writer)
{
    const struct expectation *expect = &result->subject->expect;
    if (expect->runs)
        write_runs(writer, expect->runtime);
    else
        write_refused(writer, expect->container, expect->reason);
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
    const struct verdict *verdict = case_result_verdict(result);
    const struct policy_rule *rule = case_result_rule(result);
    struct str container = result->container_refused ? result->container.facts.name : STR("");
    if (verdict->action == VERDICT_RUN)
        write_runs(writer, verdict->effective);
    else
        write_refused(writer, container, verdict->reason);
    if (rule) {
        writer_text(writer, verdict->reason == REASON_LABELS_UNKNOWN ? " at " : " by ");
        write_rule(writer, file, rule);
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

/* Why the expected rule did not decide; `rule` did. */
static void write_rule_missed(struct writer *writer, const struct file_result *file,
                              const struct case_result *result, const struct policy_rule *rule)
{
    const struct expectation *expect = &result->subject->expect;
    size_t got = 0;
    bool is_rule = case_policy_rule(file->file->policy, rule->name, &got);
    if (is_otherwise(expect->rule)) {
        write_match(writer, file, result, got);
        writer_text(writer, ", so that otherwise is not reached");
    } else if (write_match(writer, file, result, expect->rule_index) == MATCH_YES) {
        bool is_above = is_rule && got < expect->rule_index;
        writer_text(writer, is_above ? ", but a rule above it wins" : ", but only observes");
    }
}

void test_write_why(const struct file_result *file, const struct case_result *result,
                    struct writer *writer)
{
    const struct policy_rule *rule = case_result_rule(result);
    const struct expectation *expect = &result->subject->expect;
    size_t index;
    if (!rule) /* the message says that the handler is not declared */
        return;
    if (case_result_verdict(result)->reason == REASON_LABELS_UNKNOWN &&
        case_policy_rule(file->file->policy, rule->name, &index))
        write_match(writer, file, result, index);
    else if (expect->rule.len && !str_eq(expect->rule, rule->name))
        write_rule_missed(writer, file, result, rule);
}

void test_write_message(const struct policy *policy, const struct case_result *result,
                        char buf[TEST_SENTENCE_SIZE])
{
    const struct pod_facts *pod = &result->subject->pod;
    const struct verdict *verdict = case_result_verdict(result);
    buf[0] = '\0';
    if (result->container_refused)
        (void)verdict_container_message(policy, pod, &result->container.facts, verdict, buf,
                                        TEST_SENTENCE_SIZE);
    else
        (void)verdict_message(policy, pod, verdict, buf, TEST_SENTENCE_SIZE);
}
