/* SPDX-License-Identifier: Apache-2.0 */
/* Takes what the audit commands share off the command line. */
#include "cli/audit_args.h"

static void set_since(struct argp_state *state, struct audit_args *args, const char *arg)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!audit_time_since(arg, &now, args->since))
        argp_error(state,
                   "--since is a time such as 2026-11-24T02:00:00Z, or a span such as 45s, 10m, "
                   "2h, 3d or 1w, not \"%s\"",
                   arg);
}

error_t audit_args_parse(int key, char *arg, struct argp_state *state, struct audit_args *args)
{
    switch (key) {
    case AUDIT_SINCE_KEY:
        set_since(state, args, arg);
        return 0;
    case AUDIT_CONFIG_KEY:
        args->config = arg;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &args->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARGS:
        args->names = state->argv + state->next;
        args->name_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

bool audit_args_since(const struct audit_args *args, const struct record_scan *scan)
{
    return str_cmp(scan->time, str_of(args->since)) >= 0;
}

int audit_args_files(const struct audit_args *args, struct audit_files *files)
{
    return audit_files_find(args->config ? args->config : AUDIT_CONFIG, args->names,
                            args->name_count, files);
}

bool audit_args_is_hex(const char *word, size_t length)
{
    return strlen(word) == length && strspn(word, "0123456789abcdef") == length;
}
