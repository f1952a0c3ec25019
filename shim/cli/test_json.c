/* SPDX-License-Identifier: Apache-2.0 */
/* The results for a script: all of them in one JSON object. */
#include "cli/explanation.h"
#include "cli/output.h"
#include "cli/test_result.h"

static json_t *json_size(size_t number)
{
    return json_integer((json_int_t)number);
}

/* -1 when memory is out. A sentence that is empty is left out. */
static int add_sentence(json_t *object, const char *key, const char *text)
{
    return text[0] ? output_json_str(object, key, str_of(text)) : 0;
}

static json_t *json_names(const struct verdict *verdicts, size_t count)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(
                list, json_stringn(verdicts[i].rule->name.data, verdicts[i].rule->name.len)) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static int add_difference(json_t *object, const struct file_result *file,
                          const struct case_result *result)
{
    char text[TEST_SENTENCE_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    test_write_expected(file, result, &writer);
    if (add_sentence(object, "expected", text) < 0)
        return -1;
    writer = writer_make(text, sizeof(text));
    test_write_got(file, result, &writer);
    if (add_sentence(object, "got", text) < 0)
        return -1;
    writer = writer_make(text, sizeof(text));
    test_write_why(file, result, &writer);
    return add_sentence(object, "why", text);
}

static json_t *json_case(const struct file_result *file, const struct case_result *result)
{
    const struct decision *decision = &result->decision;
    char message[TEST_SENTENCE_SIZE];
    test_write_message(file->file->policy->policy, result, message);
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "name", result->subject->name) < 0 ||
        json_object_set_new(object, "line", json_size(result->subject->at.line)) < 0 ||
        json_object_set_new(object, "ok", json_boolean(result->holds)) < 0 ||
        json_object_set_new(object, "verdict",
                            explanation_verdict_json(case_result_verdict(result),
                                                     message[0] ? message : NULL)) < 0 ||
        (result->container_refused &&
         output_json_str(object, "container", result->container.facts.name) < 0) ||
        json_object_set_new(object, "observed",
                            json_names(decision->observed, decision->observed_count)) < 0 ||
        (!result->holds && add_difference(object, file, result) < 0))
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_cases(const struct file_result *file)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < file->file->count; i++) {
        if (json_array_append_new(list, json_case(file, &file->cases[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_files(const struct test_results *results)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < results->file_count; i++) {
        const struct file_result *file = &results->files[i];
        OWNED_JSON json_t *object = json_object();
        if (output_json_str(object, "path", str_of(file->file->path)) < 0 ||
            output_json_str(object, "policy", str_of(file->file->policy->path)) < 0 ||
            json_object_set_new(object, "cases", json_cases(file)) < 0 ||
            json_array_append_new(list, steal_ptr(&object)) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_unreached(const struct coverage *coverage)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < coverage->policy->rule_count; i++) {
        const struct policy_rule *rule = policy_rule_at(coverage->policy->policy, i);
        if (coverage->reached[i])
            continue;
        OWNED_JSON json_t *object = json_object();
        if (output_json_str(object, "rule", rule->name) < 0 ||
            json_object_set_new(object, "line", json_size(rule->at.line)) < 0 ||
            json_array_append_new(list, steal_ptr(&object)) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_policies(const struct test_results *results)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < results->policy_count; i++) {
        const struct coverage *coverage = &results->policies[i];
        const struct policy *policy = coverage->policy->policy;
        OWNED_JSON json_t *object = json_object();
        if (output_json_str(object, "path", str_of(coverage->policy->path)) < 0 ||
            output_json_str(object, "name", policy_name(policy)) < 0 ||
            output_json_str(object, "sha256", str_of(policy_sha256(policy))) < 0 ||
            json_object_set_new(object, "unreached", json_unreached(coverage)) < 0 ||
            json_array_append_new(list, steal_ptr(&object)) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

/* NULL when memory is out. */
static json_t *json_results(const struct test_results *results)
{
    OWNED_JSON json_t *root = json_object();
    if (json_object_set_new(root, "passed", json_size(results->passed)) < 0 ||
        json_object_set_new(root, "failed", json_size(results->failed)) < 0 ||
        json_object_set_new(root, "files", json_files(results)) < 0 ||
        json_object_set_new(root, "policies", json_policies(results)) < 0)
        return NULL;
    return steal_ptr(&root);
}

int test_print_json(const struct test_results *results)
{
    return output_json(json_results(results));
}
