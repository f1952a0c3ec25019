/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit verify: whether the files hold every record of the log, as it was written. */
#include <inttypes.h>

#include "audit/verify.h"
#include "cli/audit.h"
#include "cli/audit_args.h"
#include "cli/audit_note.h"

#define SHOWN_MOST 1000 /* findings; the others are counted */

enum { HEAD_KEY = 'H' };

struct options {
    const char *head;
    struct audit_args args;
};

static const struct argp_option option_table[] = {{"head", HEAD_KEY, "HASH", 0,
                                                   "a hash that the SIEM has kept (the `head` of a "
                                                   "heartbeat, the `prev` of any record): one line "
                                                   "must have it",
                                                   0},
                                                  OUTPUT_OPTION,
                                                  {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case HEAD_KEY:
        if (!audit_args_is_hex(arg, RECORD_HASH_SIZE - 1))
            argp_error(state, "--head is 64 lower-case hex digits, not \"%s\"", arg);
        options->head = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which files?");
        return 0;
    default:
        return audit_args_parse(key, arg, state, &options->args);
    }
}

static const char doc[] =
    "Checks that the files of an audit log are whole: every line links to the one before it by its "
    "SHA-256, and `seq` has no gap. Names each line that was torn or altered, and each place where "
    "lines are missing, by file and line."
    "\vFILE may be a glob, compressed (.gz), or - for standard input; the order in which files are "
    "given does not matter.\n\n"
    "The records that the systemd journal took are checked by themselves: journalctl -t "
    "crigate-audit -o cat | crigate audit verify -\n\n"
    "Lines that were cut off at the end leave no trace in the files: --head tells, with a hash "
    "from "
    "the SIEM's copy. `tail -n 1 FILE | sha256sum` is the head of FILE.\n\n"
    "Exit status: 0 the log is whole, 1 it is not, 2 wrong usage or a file that cannot be read.";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "FILE...", .doc = doc};

/* What was found so far, as it is shown. */
struct report {
    enum output_format format;
    uint64_t faults, shown;
    json_t *findings;
    bool failed; /* memory is out */
};

static json_t *finding_json(enum verify_kind kind, const char *file, uint64_t line,
                            const char *text)
{
    OWNED_JSON json_t *finding = json_object();
    if (output_json_str(finding, "file", str_of(file)) < 0 ||
        json_object_set_new(finding, "line", json_integer((json_int_t)line)) < 0 ||
        json_object_set_new(finding, "kind", json_string(verify_kind_name(kind))) < 0 ||
        json_object_set_new(finding, "message", json_string(text)) < 0)
        return NULL;
    return steal_ptr(&finding);
}

static void show(void *cookie, enum verify_kind kind, const char *file, uint64_t line,
                 const char *text)
{
    struct report *report = cookie;
    report->faults += kind != VERIFY_NOTE;
    if (report->shown++ >= SHOWN_MOST)
        return;
    if (report->format == OUTPUT_JSON) {
        if (json_array_append_new(report->findings, finding_json(kind, file, line, text)) < 0)
            report->failed = true;
        return;
    }
    output_text(str_of(file));
    printf(":%" PRIu64 ": %s%s\n", line, kind == VERIFY_NOTE ? "note: " : "", text);
}

static void print_count(uint64_t count, const char *thing)
{
    printf("%" PRIu64 "%s%s", count, thing, count == 1 ? "" : "s");
}

static void print_text(const struct report *report, const struct verify *verify,
                       const struct options *options)
{
    if (report->shown > SHOWN_MOST)
        printf("... and %" PRIu64 " more\n", report->shown - SHOWN_MOST);
    if (options->head && verify->anchor_line) {
        printf("the head %.12s is line %" PRIu64 " of ", options->head, verify->anchor_line);
        output_text(str_of(verify->anchor_file));
        printf("\n");
    } else if (options->head) {
        printf("no line has the hash %s: lines are missing at the end, or were altered\n",
               options->head);
    }
    if (!verify->records)
        printf("no record was found: there is nothing that could hold\n");
    else if (strcmp(verify->first_prev, RECORD_NO_HASH) != 0)
        printf("the files before these were not given: the first record follows %.12s\n",
               verify->first_prev);
    printf("%s: ", report->faults ? "does not hold" : "holds");
    print_count(verify->records, " record");
    printf(" in ");
    print_count(verify->files, " file");
    printf(", ");
    print_count(verify->starts, " run");
    printf(" of the gate");
    if (verify->records) {
        printf(", ");
        output_text(str_of(verify->first_time));
        printf(" to ");
        output_text(str_of(verify->last_time));
        printf(", head %s", verify->head);
    }
    printf("\n");
}

static int print_json(struct report *report, const struct verify *verify,
                      const struct options *options)
{
    json_t *root =
        json_pack("{sb, sI, sI, sI, ss, ss, sO, sI}", "holds", report->faults == 0, "files",
                  (json_int_t)verify->files, "records", (json_int_t)verify->records, "runs",
                  (json_int_t)verify->starts, "head", verify->head, "follows", verify->first_prev,
                  "findings", report->findings, "findingsTotal", (json_int_t)report->shown);
    if (options->head && verify->anchor_line &&
        (output_json_str(root, "headFile", str_of(verify->anchor_file)) < 0 ||
         json_object_set_new(root, "headLine", json_integer((json_int_t)verify->anchor_line)) < 0))
        report->failed = true;
    return output_json(root);
}

/* -1: a file cannot be read, or memory is out; the message is out. */
static int check(struct segments *segments, struct verify *verify)
{
    struct segment_line line;
    struct err err;
    int result = 0, got;
    while ((got = segments_next(segments, &line, &err)) != 0) {
        if (got > 0 && verify_line(verify, &line, &err) == 0)
            continue;
        audit_note_error(&err);
        result = -1;
        if (got > 0)
            break;
    }
    verify_finish(verify);
    return result;
}

static enum cli_exit run(const struct options *options, struct segments *segments)
{
    struct report report = {.format = options->args.format};
    OWNED_JSON json_t *findings = json_array();
    report.findings = findings;
    OWNED(verify_end) struct verify verify;
    struct err err;
    if (verify_begin(&verify, show, &report, options->head, &err) < 0) {
        audit_note_error(&err);
        return CLI_USAGE;
    }
    int read = check(segments, &verify);
    report.faults += options->head && !verify.anchor_line;
    report.faults += verify.records == 0;
    report.faults += read < 0; /* what was not read does not hold */
    if (options->args.format == OUTPUT_TEXT)
        print_text(&report, &verify, options);
    else if (print_json(&report, &verify, options) < 0)
        return CLI_USAGE;
    if (read < 0 || report.failed || output_finish(CLI_HOLDS) != CLI_HOLDS)
        return CLI_USAGE;
    return report.faults ? CLI_DOES_NOT_HOLD : CLI_HOLDS;
}

int cli_audit_verify(int argc, char **argv)
{
    struct options options = {0};
    struct err err;
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    OWNED(own_segments) struct segments *segments = NULL;
    if (segments_open((const char *const *)options.args.names, options.args.name_count, &segments,
                      &err) < 0) {
        audit_note_error(&err);
        return CLI_USAGE;
    }
    return run(&options, segments);
}
