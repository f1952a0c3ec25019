/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit stats: what was decided how often. */
#include <argp.h>

#include "audit/segments.h"
#include "base/say.h"
#include "cli/audit.h"
#include "cli/audit_files.h"
#include "cli/audit_note.h"
#include "cli/audit_tally.h"
#include "cli/output.h"

enum { SINCE_KEY = 0x100, CONFIG_KEY };

struct stats {
    const char *config;
    enum output_format format;
    char since[AUDIT_TIME_SIZE];
    char **names;
    size_t name_count;

    struct tally tally;
    size_t not_records; /* lines */
};

static const struct argp_option option_table[] = {
    {"since", SINCE_KEY, "TIME", 0,
     "decisions from then on: 2026-11-24T02:00:00Z, or 45s, 10m, 2h, 3d, 1w ago", 0},
    {"config", CONFIG_KEY, "FILE", 0,
     "the gate's settings, which name the log; default: " AUDIT_CONFIG, 0},
    OUTPUT_OPTION,
    {0}};

static void set_since(struct argp_state *state, struct stats *stats, const char *arg)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (!audit_time_since(arg, &now, stats->since))
        argp_error(state,
                   "--since is a time such as 2026-11-24T02:00:00Z, or a span such as 45s, 10m, "
                   "2h, 3d or 1w, not \"%s\"",
                   arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct stats *stats = state->input;
    switch (key) {
    case SINCE_KEY:
        set_since(state, stats, arg);
        return 0;
    case CONFIG_KEY:
        stats->config = arg;
        return 0;
    case OUTPUT_KEY:
        if (!output_format_parse(arg, &stats->format))
            argp_error(state, "--output is text or json, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARGS:
        stats->names = state->argv + state->next;
        stats->name_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "Counts the decisions in the audit log by action, rule, runtime, namespace and, of refusals, "
    "by reason. FILE may be a glob, compressed, or \"-\" for standard input; without FILE: the log "
    "of the settings with its rotated files."
    "\vA refusal that was repeated is counted as often as it came. The table shows the 20 largest "
    "of each group; JSON has all names, but no more than 4,096. What is beyond is \"others\".\n\n"
    "Exit status: 0 it was counted, 1 a line is no record or a file could not be read, 2 wrong "
    "usage.";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "[FILE...]", .doc = doc};

/* -1: memory is out. */
static int count_line(struct stats *stats, const struct segment_line *line)
{
    struct audit_fields fields = {.root = NULL};
    bool scanned = !line->too_long && audit_fields_scan(line->text, &fields);
    if (scanned && str_cmp(fields.scan.time, str_of(stats->since)) < 0)
        return 0;
    if (!scanned || !audit_fields_parse(line->text, &fields)) {
        audit_note_no_record(line);
        stats->not_records++;
        return 0;
    }
    int added = tally_add(&stats->tally, &fields);
    json_decref(fields.root);
    return added;
}

static int count_files(struct stats *stats, const struct audit_files *files)
{
    OWNED(own_segments) struct segments *segments = NULL;
    struct segment_line line;
    struct err err;
    int got, status = 0;
    if (segments_open(files->names, files->count, &segments, &err) < 0) {
        audit_note_error(&err);
        return -1;
    }
    while ((got = segments_next(segments, &line, &err)) != 0) {
        if (got < 0) {
            audit_note_error(&err);
            status = -1;
        } else if (count_line(stats, &line) < 0) {
            say_error("memory is out");
            return -1;
        }
    }
    return status;
}

static int print(const struct stats *stats)
{
    struct table_look look = table_look_of_stdout();
    if (stats->format == OUTPUT_JSON)
        return output_json(tally_json(&stats->tally));
    if (tally_print(&stats->tally, &look, stdout) == 0)
        return 0;
    say_error("memory is out");
    return -1;
}

static enum cli_exit run(struct stats *stats, const struct audit_files *files)
{
    if (files->count == 0) {
        audit_note_no_log(files->live);
        return CLI_DOES_NOT_HOLD;
    }
    if (tally_make(&stats->tally) < 0) {
        say_error("memory is out");
        return CLI_DOES_NOT_HOLD;
    }
    int status = count_files(stats, files);
    bool whole = print(stats) == 0 && status == 0 && stats->not_records == 0;
    tally_free(&stats->tally);
    return output_finish(whole ? CLI_HOLDS : CLI_DOES_NOT_HOLD);
}

int cli_audit_stats(int argc, char **argv)
{
    struct stats stats = {.config = AUDIT_CONFIG};
    OWNED(audit_files_free) struct audit_files files = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &stats))
        return CLI_USAGE;
    if (audit_files_find(stats.config, stats.names, stats.name_count, &files) < 0)
        return CLI_USAGE;
    return run(&stats, &files);
}
