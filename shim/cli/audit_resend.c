/* SPDX-License-Identifier: Apache-2.0 */
/* crigate audit resend: records that a shipper lost, once more, as they are in the log. */
#include <inttypes.h>

#include "audit/segments.h"
#include "base/say.h"
#include "base/writer.h"
#include "cli/audit.h"
#include "cli/audit_args.h"
#include "cli/audit_note.h"
#include "cli/audit_syslog.h"

enum { FROM_KEY = 0x100, TO_KEY, INSTANCE_KEY, TCP_KEY };

struct resend {
    struct audit_args args;
    uint64_t from, to;   /* seq, both included; 0: not asked for */
    struct str instance; /* empty: not asked for */

    const char *tcp; /* NULL: to standard output */
    struct audit_syslog syslog;

    uint64_t sent;
    struct { /* the last one sent */
        uint64_t seq;
        char instance[33], time[AUDIT_TIME_SIZE];
    } last;
    bool trouble; /* something could not be read or sent; the message is out */
};

static const struct argp_option option_table[] = {
    AUDIT_SINCE_OPTION("records", 1),
    {"from-seq", FROM_KEY, "N", 0, "records whose seq is N or more", 1},
    {"to-seq", TO_KEY, "N", 0, "none whose seq is more than N", 1},
    {"instance", INSTANCE_KEY, "ID", 0,
     "only of this run of the daemon; without it, seq is looked at in each run alike", 1},
    {"tcp", TCP_KEY, "HOST:PORT", 0,
     "send them there as syslog messages (RFC 5424, octet-counted), not to standard output", 2},
    AUDIT_CONFIG_OPTION(2),
    {0}};

/* --- the words on the command line --------------------------------------------------------- */

static uint64_t parse_seq(struct argp_state *state, const char *name, const char *arg)
{
    uint64_t seq = 0;
    const char *at = arg;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(seq, 10, &seq) ||
            __builtin_add_overflow(seq, (uint64_t)(*at - '0'), &seq))
            break;
    }
    if (*at || seq == 0)
        argp_error(state, "%s is the seq of a record, 1 or more, not \"%s\"", name, arg);
    return seq;
}

static void set_instance(struct argp_state *state, struct resend *resend, const char *arg)
{
    if (!audit_args_is_hex(arg, 32))
        argp_error(state, "--instance is 32 hex digits, as in the records, not \"%s\"", arg);
    resend->instance = str_of(arg);
}

static void check_range(struct argp_state *state, const struct resend *resend)
{
    if (!resend->args.since[0] && !resend->from)
        argp_error(state, "which records? Say --since TIME or --from-seq N");
    if (resend->to && resend->to < resend->from)
        argp_error(state, "--to-seq is less than --from-seq");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct resend *resend = state->input;
    switch (key) {
    case FROM_KEY:
        resend->from = parse_seq(state, "--from-seq", arg);
        return 0;
    case TO_KEY:
        resend->to = parse_seq(state, "--to-seq", arg);
        return 0;
    case INSTANCE_KEY:
        set_instance(state, resend, arg);
        return 0;
    case TCP_KEY:
        if (!audit_syslog_is_address(arg))
            argp_error(state, "--tcp is HOST:PORT or [ADDRESS]:PORT, not \"%s\"", arg);
        resend->tcp = arg;
        return 0;
    case ARGP_KEY_SUCCESS:
        check_range(state, resend);
        return 0;
    default:
        return audit_args_parse(key, arg, state, &resend->args);
    }
}

static const char doc[] =
    "Sends records of the audit log once more: to standard output, byte for byte, for a shipper's "
    "input, or to a syslog receiver. FILE may be a glob, compressed, or \"-\" for standard input; "
    "without FILE: the log of the settings with its rotated files. What is asked for is ANDed."
    "\vA receiver finds what it lost by the gaps in seq, which grows by one a record within an "
    "instance. Records that it has already do no harm: (instance, seq) names a record.\n\n"
    "--tcp is plain TCP, which others can read and alter: send to a shipper on this node or to "
    "stunnel, which goes on with TLS. Syslog has no receipts: when the connection breaks, the "
    "last records sent may not have arrived, so send again from somewhat before.\n\n"
    "Exit status: 0 all that was asked for was sent, 1 something could not be, or there was "
    "nothing, 2 wrong usage.";

static const struct argp parser = {
    .options = option_table, .parser = parse_option, .args_doc = "[FILE...]", .doc = doc};

/* --- a line -------------------------------------------------------------------------------- */

static bool is_wanted(const struct resend *resend, const struct record_scan *scan)
{
    return scan->seq >= resend->from && (!resend->to || scan->seq <= resend->to) &&
           (!resend->instance.len || str_eq(scan->instance, resend->instance)) &&
           audit_args_since(&resend->args, scan);
}

static int print_line(struct str line)
{
    fwrite(line.data, 1, line.len, stdout);
    putchar('\n');
    return ferror(stdout) ? -1 : 0; /* output_finish() tells of it */
}

static void remember(struct resend *resend, const struct record_scan *scan)
{
    struct writer time = writer_make(resend->last.time, sizeof(resend->last.time));
    writer_str(&time, scan->time);
    memcpy(resend->last.instance, scan->instance.data, scan->instance.len); /* 32, as scanned */
    resend->last.seq = scan->seq;
    resend->sent++;
}

/* -1: nothing more can be sent. */
static int send_record(struct resend *resend, struct str line, const struct record_scan *scan)
{
    struct err err;
    if (!resend->tcp && print_line(line) < 0)
        return -1;
    if (resend->tcp && audit_syslog_send(&resend->syslog, line, scan, &err) < 0) {
        audit_note_error(&err);
        return -1;
    }
    remember(resend, scan);
    return 0;
}

/* A line without its newline is none yet: the gate is writing it, or will cut it off. */
static int take_line(struct resend *resend, const struct segment_line *line)
{
    struct record_scan scan;
    if (line->torn)
        return 0;
    if (line->too_long || line->text.len >= RECORD_MAX || !record_scan(line->text, &scan)) {
        audit_note_no_record(line);
        resend->trouble = true;
        return 0;
    }
    return is_wanted(resend, &scan) ? send_record(resend, line->text, &scan) : 0;
}

/* --- the files ----------------------------------------------------------------------------- */

/* -1: it ended before all was sent; the message is out. */
static int send_lines(struct resend *resend, struct segments *segments)
{
    struct segment_line line;
    struct err err;
    int got;
    while ((got = segments_next(segments, &line, &err)) != 0) {
        if (got < 0) {
            audit_note_error(&err);
            resend->trouble = true;
        } else if (take_line(resend, &line) < 0) {
            return -1;
        }
    }
    return 0;
}

static void tell(const struct resend *resend, bool ended_early)
{
    if (!resend->sent) {
        say_error("no record was sent");
        return;
    }
    say_info("%" PRIu64 " records sent; the last has seq %" PRIu64 ", instance %s, time %s",
             resend->sent, resend->last.seq, resend->last.instance, resend->last.time);
    if (ended_early && resend->tcp)
        say_info("the receiver may lack the last ones: look there for the last seq that it has, "
                 "and go on with --from-seq of it, at most %" PRIu64
                 ", or with --since of its time; a record that it has twice does no harm",
                 resend->last.seq);
}

static int send_to_syslog(struct resend *resend, struct segments *segments)
{
    struct err err;
    if (audit_syslog_open(&resend->syslog, resend->tcp, &err) < 0) {
        audit_note_error(&err);
        return -1;
    }
    int result = send_lines(resend, segments);
    if (result == 0 && audit_syslog_finish(&resend->syslog, &err) < 0) {
        audit_note_error(&err);
        result = -1;
    }
    audit_syslog_close(&resend->syslog);
    return result;
}

static enum cli_exit run(struct resend *resend, const struct audit_files *files)
{
    OWNED(own_segments) struct segments *segments = NULL;
    struct err err;
    if (files->count == 0) {
        audit_note_no_log(files->live);
        return CLI_DOES_NOT_HOLD;
    }
    if (segments_open(files->names, files->count, &segments, &err) < 0) {
        audit_note_error(&err);
        return CLI_DOES_NOT_HOLD;
    }
    int sent = resend->tcp ? send_to_syslog(resend, segments) : send_lines(resend, segments);
    tell(resend, sent < 0);
    bool whole = sent == 0 && resend->sent && !resend->trouble;
    return output_finish(whole ? CLI_HOLDS : CLI_DOES_NOT_HOLD);
}

int cli_audit_resend(int argc, char **argv)
{
    struct resend resend = {.syslog = {.fd = -1}};
    OWNED(audit_files_free) struct audit_files files = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &resend))
        return CLI_USAGE;
    if (audit_args_files(&resend.args, &files) < 0)
        return CLI_USAGE;
    return run(&resend, &files);
}
