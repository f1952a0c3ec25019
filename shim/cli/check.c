/* SPDX-License-Identifier: Apache-2.0 */
/* crigate check: reads a policy and says everything that is wrong with it. */
#include <argp.h>

#include "cli/output.h"
#include "config/policy_file.h"

struct options {
    const char *path;
    enum output_format format;
};

static const struct argp_option option_table[] = {OUTPUT_OPTION, {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &options->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (options->path)
            argp_error(state, "one policy at a time: \"%s\" is one too many", arg);
        options->path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!options->path)
            argp_error(state, "which policy? Name its file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Reads a policy file and reports every error and warning with its line and column."
    "\vFindings go to standard error, as a compiler prints them; with --output json they go to "
    "standard output, in one object.\n\nExit status: 0 the policy is good (warnings allowed), 1 it "
    "has errors, 2 wrong usage.\n\nExample: crigate check /etc/crigate/policy.yaml";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "POLICY", .doc = doc};

static json_t *json_finding(const struct diag *diag)
{
    return json_pack("{s:s, s:I, s:I, s:s, s:s*}", "level",
                     diag->level == DIAG_ERROR ? "error" : "warning", "line",
                     (json_int_t)diag->at.line, "column", (json_int_t)diag->at.column, "message",
                     diag->message, "hint", diag->hint);
}

static json_t *json_findings(const struct diags *diags)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < diags->count; i++) {
        if (json_array_append_new(list, json_finding(&diags->items[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

/* -1 when memory is out. */
static int add_policy(json_t *root, const struct policy *policy)
{
    if (output_json_str(root, "name", policy_name(policy)) < 0 ||
        output_json_str(root, "sha256", str_of(policy_sha256(policy))) < 0)
        return -1;
    return json_object_set_new(root, "rules", json_integer((json_int_t)policy_rule_count(policy)));
}

/* NULL when memory is out. */
static json_t *json_report(const char *path, const struct policy *policy, const struct diags *diags)
{
    size_t errors = diags->errors + (diags->memory_out ? 1 : 0);
    OWNED_JSON json_t *root = json_object();
    if (output_json_str(root, "path", str_of(path)) < 0 ||
        json_object_set_new(root, "ok", json_boolean(policy)) < 0 ||
        (policy && add_policy(root, policy) < 0) ||
        json_object_set_new(root, "errors", json_integer((json_int_t)errors)) < 0 ||
        json_object_set_new(root, "warnings", json_integer((json_int_t)diags->warnings)) < 0 ||
        json_object_set_new(root, "findings", json_findings(diags)) < 0)
        return NULL;
    return steal_ptr(&root);
}

static void print_text(const char *path, const struct policy *policy, const struct diags *diags)
{
    diags_print(diags, stderr);
    if (!policy)
        return;
    size_t rules = policy_rule_count(policy);
    printf("%s: ok (%zu rule%s, %zu warning%s)\n", path, rules, rules == 1 ? "" : "s",
           diags->warnings, diags->warnings == 1 ? "" : "s");
}

int cli_check(int argc, char **argv)
{
    struct options options = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED_DIAGS struct diags diags = {0};
    OWNED(own_policy) struct policy *policy = NULL;
    int rc = policy_file_load(options.path, &diags, &policy);
    if (options.format == OUTPUT_TEXT)
        print_text(options.path, policy, &diags);
    else if (output_json(json_report(options.path, policy, &diags)) < 0)
        return CLI_DOES_NOT_HOLD;
    return output_finish(rc ? CLI_DOES_NOT_HOLD : CLI_HOLDS);
}
