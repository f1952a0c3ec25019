/* SPDX-License-Identifier: Apache-2.0 */
/* `crigate audit resend` as a person runs it: which records it takes, and its exit statuses. What
 * it says over TCP is the matter of cli_audit_syslog.c. */
#include <criterion/criterion.h>

#include "resend_bed.h"

static struct resend_bed bed;

static void setup(void)
{
    resend_bed_make(&bed);
}

static void teardown(void)
{
    resend_bed_free(&bed);
}

TestSuite(cli_audit_resend, .init = setup, .fini = teardown, .timeout = 120);

/* The seqs of the records in the output, in their order. */
static const char *seqs(void)
{
    static char list[1024];
    size_t used = 0;
    list[0] = '\0';
    for (const char *at = bed.out; (at = strstr(at, "\"seq\":")); at++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%d", used ? " " : "",
                                 atoi(at + strlen("\"seq\":")));
    return list;
}

static void expect_seqs(const char *wanted, const char *arguments)
{
    int status = resend_bed_run(&bed, "%s", arguments);
    cr_expect_eq(status, 0, "%s: exit %d\n%s", arguments, status, bed.said);
    cr_expect_str_eq(seqs(), wanted, "%s\n%s", arguments, bed.out);
}

static void expect_failure(int status, const char *text, const char *arguments)
{
    int got = resend_bed_run(&bed, "%s", arguments);
    cr_expect_eq(got, status, "%s: exit %d\n%s", arguments, got, bed.said);
    cr_expect(strstr(bed.said, text), "%s: no \"%s\" in\n%s", arguments, text, bed.said);
}

Test(cli_audit_resend, takes_a_range_of_seq)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 6);
    expect_seqs("4 5 6", "--from-seq 4 audit.jsonl");
    expect_seqs("2 3", "--from-seq 2 --to-seq 3 audit.jsonl");
    expect_seqs("1", "--from-seq 1 --to-seq 1 audit.jsonl");
    expect_seqs("5 6", "--since 2026-11-24T02:00:05Z audit.jsonl");
    expect_seqs("6", "--since 2026-11-24T02:00:05Z --from-seq 6 audit.jsonl");
    expect_seqs("6", "--from-seq 6 - <audit.jsonl");
    cr_expect(strstr(bed.said, "1 records sent; the last has seq 6, instance " FIRST_RUN
                               ", time 2026-11-24T02:00:06.000000Z\n"),
              "%s", bed.said);
}

Test(cli_audit_resend, prints_the_bytes_of_the_log)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    cr_expect_eq(resend_bed_run(&bed, "--from-seq 1 audit.jsonl >copy; cmp copy audit.jsonl"), 0,
                 "%s%s", bed.out, bed.said);
}

Test(cli_audit_resend, tells_runs_of_the_gate_apart)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    resend_bed_add(&bed, "audit.jsonl", SECOND_RUN, 1, 4);
    expect_seqs("3 3 4", "--from-seq 3 audit.jsonl");
    expect_seqs("3 4", "--from-seq 3 --instance " SECOND_RUN " audit.jsonl");
    expect_seqs("3", "--from-seq 3 --instance " FIRST_RUN " audit.jsonl");
}

Test(cli_audit_resend, reads_rotated_and_compressed_files_in_their_order)
{
    resend_bed_add(&bed, "audit-20261124T020002Z-1.jsonl", FIRST_RUN, 1, 2);
    resend_bed_add(&bed, "audit-20261124T020004Z-3.jsonl", FIRST_RUN, 3, 4);
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 5, 6);
    resend_bed_shell(&bed, "gzip audit-20261124T020002Z-1.jsonl");
    expect_seqs("2 3 4 5 6", "--from-seq 2 audit.jsonl audit-*.jsonl*");
    expect_seqs("2 3 4 5 6", "--from-seq 2 \"audit*.jsonl*\"");
    resend_bed_configure(&bed);
    expect_seqs("2 3 4 5 6", "--from-seq 2 --config crigate.yaml");
    expect_seqs("1 2", "--since 2026-11-24T02:00:00Z --to-seq 2 --config crigate.yaml");
}

Test(cli_audit_resend, leaves_a_line_alone_that_is_still_being_written)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    resend_bed_shell(&bed, "truncate -s -1 audit.jsonl");
    expect_seqs("1 2", "--from-seq 1 audit.jsonl");
}

Test(cli_audit_resend, names_what_is_no_record_and_sends_the_others)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 1);
    resend_bed_shell(&bed, "printf \"no \\033[31mrecord\\n\" >>audit.jsonl");
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 2, 2);
    expect_failure(1, "audit.jsonl:2: no record", "--from-seq 1 audit.jsonl");
    cr_expect_str_eq(seqs(), "1 2");
    cr_expect_null(strchr(bed.said, '\033'), "%s", bed.said);
}

Test(cli_audit_resend, a_damaged_file_does_not_keep_the_others_back)
{
    resend_bed_add(&bed, "audit-20261124T020003Z-1.jsonl", FIRST_RUN, 1, 3);
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 4, 4);
    resend_bed_shell(&bed, "gzip audit-*.jsonl; truncate -s -9 audit-*.jsonl.gz");
    expect_failure(1, "cannot be read on", "--from-seq 4 \"audit*\"");
    cr_expect_str_eq(seqs(), "4");
}

Test(cli_audit_resend, nothing_to_send_is_told)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    expect_failure(1, "no record was sent", "--from-seq 4 audit.jsonl");
    expect_failure(1, "there is no such file", "--from-seq 4 none.jsonl");
    resend_bed_shell(&bed, "rm audit.jsonl");
    resend_bed_configure(&bed);
    expect_failure(1, "nor is a rotated file of it", "--from-seq 4 --config crigate.yaml");
}

Test(cli_audit_resend, output_that_is_full_is_told)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    expect_failure(1, "No space left", "--from-seq 1 audit.jsonl >/dev/full");
}

Test(cli_audit_resend, wrong_usage)
{
    resend_bed_add(&bed, "audit.jsonl", FIRST_RUN, 1, 3);
    expect_failure(2, "which records? Say --since TIME or --from-seq N", "audit.jsonl");
    expect_failure(2, "is the seq of a record", "--from-seq 0 audit.jsonl");
    expect_failure(2, "is the seq of a record", "--from-seq -1 audit.jsonl");
    expect_failure(2, "is the seq of a record", "--from-seq 18446744073709551616 audit.jsonl");
    expect_failure(2, "is the seq of a record", "--from-seq 1 --to-seq x audit.jsonl");
    expect_failure(2, "--to-seq is less than", "--from-seq 3 --to-seq 2 audit.jsonl");
    expect_failure(2, "--since is a time such as", "--since yesterday audit.jsonl");
    expect_failure(2, "32 hex digits", "--from-seq 1 --instance ABC audit.jsonl");
    expect_failure(2, "--tcp is HOST:PORT", "--from-seq 1 --tcp localhost audit.jsonl");
    expect_failure(2, "--tcp is HOST:PORT", "--from-seq 1 --tcp :514 audit.jsonl");
    expect_failure(2, "--tcp is HOST:PORT", "--from-seq 1 --tcp ::1:514 audit.jsonl");
    expect_failure(2, "--tcp is HOST:PORT", "--from-seq 1 --tcp [::1:514 audit.jsonl");
    expect_failure(2, "none.yaml", "--from-seq 1 --config none.yaml");
}
