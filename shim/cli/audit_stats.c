/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit stats: what was decided how often. */
#include "audit/segments.h"
#include "base/say.h"
#include "cli/audit.h"
#include "cli/audit_args.h"
#include "cli/audit_note.h"
#include "cli/audit_tally.h"
#include "cli/output.h"

struct stats {
    struct audit_args args;
    struct tally tally;
    size_t not_records; /* lines */
};

static const struct argp_option option_table[] = {
    AUDIT_SINCE_OPTION("decisions", 0), AUDIT_CONFIG_OPTION(0), OUTPUT_OPTION, {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct stats *stats = state->input;
    return audit_args_parse(key, arg, state, &stats->args);
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
    if (scanned && !audit_args_since(&stats->args, &fields.scan))
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
    if (stats->args.format == OUTPUT_JSON)
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
    struct stats stats = {0};
    OWNED(audit_files_free) struct audit_files files = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &stats))
        return CLI_USAGE;
    if (audit_args_files(&stats.args, &files) < 0)
        return CLI_USAGE;
    return run(&stats, &files);
}
