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

static void print_finding(const struct diag *diag)
{
    printf("{\"level\":\"%s\",\"line\":%u,\"column\":%u,\"message\":",
           diag->level == DIAG_ERROR ? "error" : "warning", diag->at.line, diag->at.column);
    output_json_str(stdout, str_of(diag->message));
    if (diag->hint) {
        fputs(",\"hint\":", stdout);
        output_json_str(stdout, str_of(diag->hint));
    }
    putchar('}');
}

static void print_json(const char *path, const struct policy *policy, const struct diags *diags)
{
    fputs("{\"path\":", stdout);
    output_json_str(stdout, str_of(path));
    printf(",\"ok\":%s", policy ? "true" : "false");
    if (policy) {
        fputs(",\"name\":", stdout);
        output_json_str(stdout, policy_name(policy));
        printf(",\"sha256\":\"%s\",\"rules\":%zu", policy_sha256(policy),
               policy_rule_count(policy));
    }
    printf(",\"errors\":%zu,\"warnings\":%zu,\"findings\":[",
           diags->errors + (diags->memory_out ? 1 : 0), diags->warnings);
    for (size_t i = 0; i < diags->count; i++) {
        if (i)
            putchar(',');
        print_finding(&diags->items[i]);
    }
    fputs("]}\n", stdout);
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
    if (options.format == OUTPUT_JSON)
        print_json(options.path, policy, &diags);
    else
        print_text(options.path, policy, &diags);
    return output_finish(rc ? CLI_DOES_NOT_HOLD : CLI_HOLDS);
}
