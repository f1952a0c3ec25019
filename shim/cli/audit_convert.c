/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit convert: the records of the log in the words of a SIEM. */
#include <inttypes.h>

#include "audit/convert.h"
#include "audit/segments.h"
#include "cli/audit.h"
#include "cli/audit_args.h"
#include "cli/audit_note.h"

enum { TO_KEY = 0x100 };

struct options {
    enum audit_format format; /* AUDIT_NATIVE: not given */
    struct audit_args args;
};

static const struct argp_option option_table[] = {
    {"to", TO_KEY, "FORMAT", 0,
     "ecs (Elastic Common Schema 8.11) or ocsf (OCSF 1.4.0, API Activity)", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case TO_KEY:
        if (!audit_format_parse(str_of(arg), &options->format) || options->format == AUDIT_NATIVE)
            argp_error(state, "--to is ecs or ocsf, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (options->format == AUDIT_NATIVE)
            argp_error(state, "to which format? Say --to ecs or --to ocsf");
        return 0;
    default:
        return audit_args_parse(key, arg, state, &options->args);
    }
}

static const char doc[] =
    "Prints the records of an audit log as one JSON object a line in the format of a SIEM. FILE "
    "may "
    "be a glob, compressed (.gz), or - for standard input, which is read without FILE too."
    "\vThe native record proves that nothing is missing; a converted one carries its seq, instance "
    "and prev, but is no part of the chain.\n\n"
    "Exit status: 0 every line was converted, 1 a line is no record or a file cannot be read (the "
    "others are converted), 2 wrong usage.";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "[FILE...]", .doc = doc};

/* Names the line; the file's name is foreign. */
static void tell(const struct segment_line *line, struct err *err)
{
    err_wrap(err, "%s:%" PRIu64, line->file, line->number);
    audit_note_error(err);
}

/* -1: it is no record; the message is out. A last line without a newline may be a whole one. */
static int convert_line(enum audit_format format, const struct segment_line *line)
{
    OWNED_MEM char *text = NULL;
    size_t length;
    struct err err;
    int result = line->too_long ? err_set(&err, "no record: longer than one can be")
                                : audit_convert(format, line->text, &text, &length, &err);
    if (result < 0) {
        tell(line, &err);
        return -1;
    }
    fwrite(text, 1, length, stdout); /* output_finish() tells of a failure */
    return 0;
}

static enum cli_exit run(const struct options *options, struct segments *segments)
{
    struct segment_line line;
    struct err err;
    enum cli_exit status = CLI_HOLDS;
    int got;
    while (!ferror(stdout) && (got = segments_next(segments, &line, &err)) != 0) {
        if (got < 0)
            audit_note_error(&err);
        if (got < 0 || convert_line(options->format, &line) < 0)
            status = CLI_DOES_NOT_HOLD;
    }
    return output_finish(status);
}

int cli_audit_convert(int argc, char **argv)
{
    static const char *const standard_input[] = {"-"};
    struct options options = {0};
    struct err err;
    if (argp_parse(&parser, argc, argv, 0, NULL, &options))
        return CLI_USAGE;
    const char *const *names =
        options.args.name_count ? (const char *const *)options.args.names : standard_input;
    size_t count = options.args.name_count ? options.args.name_count : 1;
    OWNED(own_segments) struct segments *segments = NULL;
    if (segments_open(names, count, &segments, &err) < 0) {
        audit_note_error(&err);
        return CLI_DOES_NOT_HOLD;
    }
    return run(&options, segments);
}
