/* SPDX-License-Identifier: Apache-2.0 */
/* The results for a person: ticks in colour on a terminal, lines to grep in a pipe. */
#include "cli/output.h"
#include "cli/test_result.h"

#define UNREACHED_SHOWN_MAX 20

struct style {
    bool is_terminal;
    const char *good, *bad, *dim, *reset;
};

static struct style style_of_output(void)
{
    struct style style = {
        .is_terminal = isatty(STDOUT_FILENO), .good = "", .bad = "", .dim = "", .reset = ""};
    if (style.is_terminal && !getenv("NO_COLOR"))
        style = (struct style){true, "\033[32m", "\033[1;31m", "\033[2m", "\033[0m"};
    return style;
}

static void print_name(const struct style *style, const struct file_result *file,
                       const struct case_result *result)
{
    const struct policy_case *subject = result->subject;
    if (style->is_terminal) {
        printf("  %s%s%s ", result->holds ? style->good : style->bad, result->holds ? "✓" : "✗",
               style->reset);
        output_text(subject->name);
        if (!result->holds)
            printf("  %s%s:%u%s", style->dim, file->file->path, subject->at.line, style->reset);
    } else {
        printf("%s %s:%u: ", result->holds ? "ok     " : "FAILED ", file->file->path,
               subject->at.line);
        output_text(subject->name);
    }
    putchar('\n');
}

typedef void write_fn(const struct file_result *file, const struct case_result *result,
                      struct writer *writer);

static void print_line(const struct style *style, const char *head, const char *text)
{
    if (text[0])
        printf("      %s%-9s%s %s\n", style->dim, head, style->reset, text);
}

static void print_difference(const struct style *style, const struct file_result *file,
                             const struct case_result *result)
{
    static const struct {
        const char *head;
        write_fn *write;
    } lines[] = {
        {"expected", test_write_expected}, {"got", test_write_got}, {"why", test_write_why}};
    char text[TEST_SENTENCE_SIZE];
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct writer writer = writer_make(text, sizeof(text));
        lines[i].write(file, result, &writer);
        print_line(style, lines[i].head, text);
    }
    test_write_message(file->file->policy->policy, result, text);
    print_line(style, "message", text);
}

static void print_file(const struct style *style, const struct file_result *file)
{
    const struct case_policy *policy = file->file->policy;
    if (style->is_terminal) {
        printf("%s  %spolicy ", file->file->path, style->dim);
        output_text(policy_name(policy->policy));
        printf(", %s%s\n", policy->path, style->reset);
    }
    for (size_t i = 0; i < file->file->count; i++) {
        const struct case_result *result = &file->cases[i];
        print_name(style, file, result);
        if (!result->holds)
            print_difference(style, file, result);
    }
    if (style->is_terminal)
        putchar('\n');
}

static void print_unreached(const struct coverage *coverage, FILE *out)
{
    const struct case_policy *policy = coverage->policy;
    size_t shown = 0;
    for (size_t i = 0; i < policy->rule_count && shown < UNREACHED_SHOWN_MAX; i++) {
        const struct policy_rule *rule = policy_rule_at(policy->policy, i);
        if (coverage->reached[i])
            continue;
        fprintf(out, "%s:%u:%u: warning: no case reaches rule \"%.*s\"\n", policy->path,
                rule->at.line, rule->at.column, STR_FMT(rule->name));
        shown++;
    }
    if (coverage->unreached > shown)
        fprintf(out, "%s: warning: and %zu rules more; --output json names them all\n",
                policy->path, coverage->unreached - shown);
}

void test_print_unreached(const struct test_results *results, FILE *out)
{
    for (size_t i = 0; i < results->policy_count; i++)
        print_unreached(&results->policies[i], out);
}

void test_print_text(const struct test_results *results)
{
    struct style style = style_of_output();
    for (size_t i = 0; i < results->file_count; i++)
        print_file(&style, &results->files[i]);
    test_print_unreached(results, stdout);
    printf("%s%zu passed, %zu failed%s\n", results->failed ? style.bad : style.good,
           results->passed, results->failed, style.reset);
}
