/* SPDX-License-Identifier: Apache-2.0 */
/* `crigate audit resend --tcp`: what arrives, and what is told of a receiver that does not take
 * it. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/audit_syslog.h"
#include "resend_bed.h"

#define MANY 20000 /* records of 250 bytes: more than any two socket buffers hold */

static struct resend_bed bed;
static struct receiver receiver;

/* In place of the C library's, for the calls in this process alone: a minute's patience is a
 * second's. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    static const struct timeval second = {.tv_sec = 1};
    if (level == SOL_SOCKET && (name == SO_SNDTIMEO || name == SO_RCVTIMEO)) {
        cr_assert_eq(((const struct timeval *)value)->tv_sec, SYSLOG_PATIENCE_S);
        value = &second;
    }
    return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

static void setup(void)
{
    resend_bed_make(&bed);
}

static void teardown(void)
{
    receiver_free(&receiver);
    resend_bed_free(&bed);
}

TestSuite(cli_audit_syslog, .init = setup, .fini = teardown, .timeout = 120);

/* Sends the whole of audit.jsonl with the command. */
static int send_all(enum manners manners)
{
    receiver_start(&receiver, manners);
    int status = resend_bed_run(&bed, "--from-seq 1 --tcp 127.0.0.1:%d audit.jsonl", receiver.port);
    receiver_stop(&receiver);
    return status;
}

static void expect_said(const char *text)
{
    cr_expect(strstr(bed.said, text), "no \"%s\" in\n%s", text, bed.said);
}

/* One message at `*at`: its length, the header as RFC 5424 has it, the record as it is in the
 * log. */
static void expect_message(const char **at, const char *instance, unsigned seq)
{
    char record[512], host[256], wanted[1024];
    resend_bed_record(record, sizeof(record), instance, seq);
    cr_assert_eq(gethostname(host, sizeof(host)), 0);
    int length = snprintf(wanted, sizeof(wanted),
                          "<109>1 2026-11-24T02:%02u:%02u.000000Z %s crigate - pod.decision - %s",
                          seq / 60 % 60, seq % 60, host, record);
    char *end;
    cr_assert_eq(strtol(*at, &end, 10), length, "%.300s", *at);
    cr_assert_eq(*end, ' ');
    cr_assert_eq(strncmp(end + 1, wanted, (size_t)length), 0, "%.400s\n%s", end, wanted);
    *at = end + 1 + length;
}

Test(cli_audit_syslog, sends_each_record_with_its_length)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    resend_bed_add(&bed, "audit.jsonl", SECOND_RUN, 1, 2);
    cr_expect_eq(send_all(READS_ALL), 0, "%s", bed.said);
    const char *at = receiver.text;
    for (unsigned seq = 1; seq <= 3; seq++)
        expect_message(&at, FIRST_RUN, seq);
    for (unsigned seq = 1; seq <= 2; seq++)
        expect_message(&at, SECOND_RUN, seq);
    cr_expect_eq(at, receiver.text + receiver.len);
    cr_expect_str_empty(bed.out);
    expect_said("5 records sent; the last has seq 2, instance " SECOND_RUN);
    cr_expect_null(strstr(bed.said, "may lack"), "%s", bed.said);
}

Test(cli_audit_syslog, sends_more_than_the_buffers_hold)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, MANY);
    cr_expect_eq(send_all(READS_ALL), 0, "%s", bed.said);
    const char *at = receiver.text;
    for (unsigned seq = 1; seq <= MANY; seq++)
        expect_message(&at, FIRST_RUN, seq);
    cr_expect_eq(at, receiver.text + receiver.len);
}

/* The place of an altered line's NUL and spaces must not move what is behind it. */
Test(cli_audit_syslog, an_altered_line_keeps_its_length)
{
    resend_bed_shell(
        &bed,
        "printf \"{\\\"v\\\":1,\\\"seq\\\":1,\\\"prev\\\":\\\"%064d\\\",\\\"instance\\\":"
        "\\\"" FIRST_RUN "\\\",\\\"type\\\":\\\"a b\\\",\\\"time\\\":\\\"then ]\\\"\\0}\\n\" 0"
        " >audit.jsonl");
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 2, 2);
    cr_expect_eq(send_all(READS_ALL), 0, "%s", bed.said);
    char *end;
    long length = strtol(receiver.text, &end, 10);
    cr_assert(length > 0 && (size_t)length < receiver.len);
    cr_expect_eq(strncmp(end, " <109>1 - ", strlen(" <109>1 - ")), 0, "%s", receiver.text);
    cr_expect_not_null(strstr(end, " crigate - - - {\"v\":1,"), "%s", receiver.text);
    const char *at = end + 1 + length;
    expect_message(&at, FIRST_RUN, 2);
}

/* Each is told of as lost, with the seq from which to go on. */
static void expect_broken_off(enum manners manners, const char *cause)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, MANY);
    cr_expect_eq(send_all(manners), 1, "%s", bed.said);
    expect_said("crigate: error: 127.0.0.1:");
    expect_said(cause);
    expect_said(" records sent; the last has seq ");
    const char *bound = strstr(bed.said, "go on with --from-seq of it, at most ");
    cr_assert_not_null(bound, "%s", bed.said);
    long seq = strtol(strpbrk(bound, "0123456789"), NULL, 10);
    cr_expect(seq >= 1 && seq < MANY, "%s", bed.said);
}

Test(cli_audit_syslog, a_reset_in_the_middle_is_told)
{
    expect_broken_off(RESETS_AFTER_ONE, " does not take the records: ");
}

Test(cli_audit_syslog, a_close_in_the_middle_is_told)
{
    expect_broken_off(CLOSES_UNREAD, " does not take the records: ");
}

/* All fits into the buffers, so that only the end of the connection can tell. */
Test(cli_audit_syslog, a_close_behind_the_last_send_is_told)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 1);
    cr_expect_eq(send_all(CLOSES_UNREAD), 1, "%s", bed.said);
    expect_said("the last records may be lost");
    expect_said("go on with --from-seq of it, at most 1,");
}

Test(cli_audit_syslog, a_refused_connection_is_told)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    receiver_start(&receiver, READS_ALL);
    shutdown(receiver.listener, SHUT_RDWR); /* the port stays taken, and nobody listens */
    int status = resend_bed_run(&bed, "--from-seq 1 --tcp 127.0.0.1:%d audit.jsonl", receiver.port);
    receiver_stop(&receiver);
    cr_expect_eq(status, 1, "%s", bed.said);
    expect_said(" does not take a connection; a receiver of syslog over TCP has to listen there: "
                "Connection refused\n");
    expect_said("no record was sent");
    cr_expect_null(strstr(bed.said, "may lack"), "%s", bed.said);
}

Test(cli_audit_syslog, an_unknown_address_is_told)
{
    static const char *const addresses[] = {"256.0.0.1.invalid:514", "127.0.0.1:no-such-service",
                                            "[127.0.0.1.invalid]:1"};
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        cr_expect_eq(resend_bed_run(&bed, "--from-seq 1 --tcp %s audit.jsonl", addresses[i]), 1,
                     "%s", bed.said);
        expect_said(" is not known: ");
        expect_said("no record was sent");
    }
}

/* --- patience ------------------------------------------------------------------------------ */

static struct audit_syslog syslog_;

static void open_syslog(enum manners manners)
{
    static char address[64];
    struct err err;
    receiver_start(&receiver, manners);
    snprintf(address, sizeof(address), "127.0.0.1:%d", receiver.port);
    cr_assert_eq(audit_syslog_open(&syslog_, address, &err), 0, "%s", err.text);
}

static int send_one(struct err *err)
{
    char line[512];
    struct record_scan scan;
    resend_bed_record(line, sizeof(line), FIRST_RUN, 1);
    cr_assert(record_scan(str_of(line), &scan));
    return audit_syslog_send(&syslog_, str_of(line), &scan, err);
}

Test(cli_audit_syslog, a_receiver_that_never_reads_is_given_up)
{
    struct err err;
    open_syslog(NEVER_READS);
    unsigned sent = 0;
    while (sent < 10 * MANY && send_one(&err) == 0)
        sent++;
    cr_assert_lt(sent, 10 * MANY);
    cr_expect(strstr(err.text, "does not take the records: Connection timed out"), "%s", err.text);
    audit_syslog_close(&syslog_);
    audit_syslog_close(&syslog_);
    receiver_stop(&receiver);
}

Test(cli_audit_syslog, a_receiver_that_never_closes_is_given_up)
{
    struct err err;
    open_syslog(READS_AND_STAYS);
    cr_assert_eq(send_one(&err), 0, "%s", err.text);
    cr_expect_lt(audit_syslog_finish(&syslog_, &err), 0);
    cr_expect(strstr(err.text, "may be lost: Connection timed out"), "%s", err.text);
    cr_expect_eq(syslog_.fd, -1);
    receiver_stop(&receiver);
}

/* Its end came before ours, and what it had not read by then is not read. */
Test(cli_audit_syslog, an_end_before_ours_is_no_receipt)
{
    struct err err;
    open_syslog(ENDS_AT_ONCE);
    int sent = 0;
    while (sent < 100 && send_one(&err) == 0) /* more than its receive buffer takes */
        sent++;
    cr_assert_eq(sent, 100, "%s", err.text);
    cr_expect_lt(audit_syslog_finish(&syslog_, &err), 0);
    cr_expect(strstr(err.text, "the last records may be lost"), "%s", err.text);
    receiver_stop(&receiver);
}
