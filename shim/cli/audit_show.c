/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit show: the audit log for a person, one line a record. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "audit/segments.h"
#include "base/say.h"
#include "cli/audit.h"
#include "cli/audit_args.h"
#include "cli/audit_filter.h"
#include "cli/audit_note.h"
#include "cli/audit_row.h"
#include "cli/audit_tail.h"
#include "cli/output.h"

enum {
    POD_KEY = 0x100,
    NAMESPACE_KEY,
    ACTION_KEY,
    RULE_KEY,
    TYPE_KEY,
    ALL_KEY = 'a',
    FOLLOW_KEY = 'f',
};

struct show {
    struct audit_args args;
    struct audit_filter filter;
    bool follow;

    struct table_look look;
    bool titled; /* the columns have their titles */
    bool memory_out;
    size_t not_records; /* lines */
};

static const struct argp_option option_table[] = {
    {"pod", POD_KEY, "GLOB", 0, "records of pods with such a name", 1},
    {"namespace", NAMESPACE_KEY, "GLOB", 0, "records of pods in such a namespace", 1},
    {"action", ACTION_KEY, "ACTION", 0, "allow, modify, refuse, wouldModify or wouldRefuse", 1},
    {"rule", RULE_KEY, "NAME", 0, "what this rule of the policy decided", 1},
    {"type", TYPE_KEY, "GLOB", 0, "records of such a type, in full or as it is shown", 1},
    AUDIT_SINCE_OPTION("records", 1),
    {"all", ALL_KEY, NULL, 0, "also calls that ended well, heartbeats, and where files begin", 2},
    {"follow", FOLLOW_KEY, NULL, 0, "go on as the last FILE grows, until Ctrl-C", 2},
    AUDIT_CONFIG_OPTION(2),
    OUTPUT_OPTION,
    {0}};

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
    struct show *show = state->input;
    switch (key) {
    case POD_KEY:
        show->filter.pod = arg;
        return 0;
    case NAMESPACE_KEY:
        show->filter.namespace = arg;
        return 0;
    case ACTION_KEY:
        if (!audit_action_is_known(arg))
            argp_error(state,
                       "--action is allow, modify, refuse, wouldModify or wouldRefuse, not \"%s\"",
                       arg);
        show->filter.action = arg;
        return 0;
    case RULE_KEY:
        show->filter.rule = arg;
        return 0;
    case TYPE_KEY:
        show->filter.type = arg;
        return 0;
    default:
        return audit_args_parse(key, arg, state, &show->args);
    }
}

static void check_followed(struct argp_state *state, const struct show *show)
{
    const char *last = show->args.name_count ? show->args.names[show->args.name_count - 1] : "";
    size_t len = strlen(last);
    if (strcmp(last, "-") == 0)
        argp_error(state, "standard input cannot be followed; without -f it is read to its end");
    if (len > 3 && strcmp(last + len - 3, ".gz") == 0)
        argp_error(state, "a compressed file does not grow: name the live file last");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct show *show = state->input;
    switch (key) {
    case ALL_KEY:
        show->filter.all = true;
        return 0;
    case FOLLOW_KEY:
        show->follow = true;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (show->follow)
            check_followed(state, show);
        return 0;
    default:
        return parse_filter(key, arg, state);
    }
}

static const char doc[] =
    "Shows the audit log, one line a decision. FILE may be a glob, compressed, or \"-\" for "
    "standard input; without FILE: the log of the settings with its rotated files."
    "\vA call is shown when it is decided; that it ended, only if it went on and failed. With "
    "--output json the lines of the log that match are printed as they are, both stages of a "
    "call and everything else too.\n\n"
    "Exit status: 0 it was shown, 1 a line is no record or a file could not be read, 2 wrong "
    "usage.";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "[FILE...]", .doc = doc};

/* --- a line -------------------------------------------------------------------------------- */

static int print_row(struct show *show, const struct audit_fields *fields)
{
    if (!show->titled && audit_row_print_titles(&show->look, stdout) < 0)
        return -1;
    show->titled = true;
    return audit_row_print(fields, &show->look, stdout);
}

static void show_record(struct show *show, const struct segment_line *line,
                        struct audit_fields *fields)
{
    if (!audit_filter_takes_body(&show->filter, fields))
        return;
    if (show->args.format == OUTPUT_TEXT) {
        show->memory_out = print_row(show, fields) < 0 || show->memory_out;
        return;
    }
    fwrite(line->text.data, 1, line->text.len, stdout);
    putchar('\n');
}

static void show_line(void *cookie, const struct segment_line *line)
{
    struct show *show = cookie;
    struct audit_fields fields = {.root = NULL};
    if (line->too_long || !audit_fields_scan(line->text, &fields)) {
        audit_note_no_record(line);
        show->not_records++;
        return;
    }
    if (!audit_args_since(&show->args, &fields.scan) ||
        !audit_filter_takes_head(&show->filter, &fields))
        return;
    OWNED_JSON json_t *root = NULL;
    if (!audit_fields_parse(line->text, &fields)) {
        audit_note_no_record(line);
        show->not_records++;
        return;
    }
    root = fields.root;
    show_record(show, line, &fields);
}

/* --- the files ----------------------------------------------------------------------------- */

static bool can_go_on(const struct show *show)
{
    if (!show->memory_out && !ferror(stdout))
        return true;
    if (show->memory_out)
        say_error("memory is out");
    return false;
}

/* `tail` reads the file that it is at, and what comes after that, itself. */
static bool is_tails(const struct audit_tail *tail, const struct segment_line *line)
{
    struct stat info;
    return tail && stat(line->file, &info) == 0 && audit_tail_is_at(tail, &info);
}

static int show_files(struct show *show, const struct audit_files *files,
                      const struct audit_tail *tail)
{
    OWNED(own_segments) struct segments *segments = NULL;
    struct segment_line line;
    struct err err;
    int got, status = 0;
    if (segments_open(files->names, files->count, &segments, &err) < 0) {
        audit_note_error(&err);
        return -1;
    }
    while ((got = segments_next(segments, &line, &err)) != 0 && can_go_on(show)) {
        if (got < 0) {
            audit_note_error(&err);
            status = -1;
        } else if (line.number == 1 && is_tails(tail, &line)) {
            return status;
        } else {
            show_line(show, &line);
        }
    }
    return status;
}

static int stop_signals(struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    return fd < 0 ? err_set_errno(err, errno, "signalfd") : fd;
}

/* Flushes after each batch, so that whoever reads the output has all that is in the log. */
static int show_growth(struct show *show, struct audit_tail *tail)
{
    struct err err;
    OWNED_FD int stop = stop_signals(&err);
    int status = stop < 0 ? -1 : 1;
    while (status > 0) {
        while ((status = audit_tail_read(tail, show_line, show, &err)) > 0 && can_go_on(show) &&
               fflush(stdout) == 0)
            continue;
        if (fflush(stdout) != 0 || !can_go_on(show))
            return 0; /* output_finish() tells of it */
        if (status == 0)
            status = audit_tail_wait(tail, stop, &err);
    }
    if (status < 0)
        audit_note_error(&err);
    return status;
}

static int follow_files(struct show *show, struct audit_files *files)
{
    OWNED(own_audit_tail) struct audit_tail *tail = NULL;
    struct err err;
    int status = 0;
    if (audit_tail_open(files->live, &tail, &err) < 0) {
        audit_note_error(&err);
        return -1;
    }
    if (!audit_tail_has_file(tail)) {
        audit_note_missing(files->live);
        if (show->args.name_count)
            files->count--; /* it is the last, and not there to be read */
    }
    if (files->count)
        status = show_files(show, files, tail);
    return status < 0 ? status : show_growth(show, tail);
}

static int show_all(struct show *show, struct audit_files *files)
{
    if (show->follow)
        return follow_files(show, files);
    if (files->count)
        return show_files(show, files, NULL);
    audit_note_no_log(files->live);
    return -1;
}

int cli_audit_show(int argc, char **argv)
{
    struct show show = {0};
    OWNED(audit_files_free) struct audit_files files = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &show))
        return CLI_USAGE;
    if (audit_args_files(&show.args, &files) < 0)
        return CLI_USAGE;
    show.look = table_look_of_stdout();
    show.filter.all = show.filter.all || show.args.format == OUTPUT_JSON;
    int status = show_all(&show, &files);
    bool whole = status == 0 && !show.memory_out && show.not_records == 0;
    return output_finish(whole ? CLI_HOLDS : CLI_DOES_NOT_HOLD);
}
