/* SPDX-License-Identifier: Apache-2.0 */
/* The log when its file fails: the journal, losses and their number, coming back; and refusals that
 * come again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "audit_bed.h"
#include "base/sha256.h"

static struct bed bed;
static char socket_path[100];

static void setup(void)
{
    bed_make(&bed);
    snprintf(socket_path, sizeof(socket_path), "%s/journal", bed.dir);
}

static void teardown(void)
{
    bed_free(&bed);
}

TestSuite(audit_sinks, .init = setup, .fini = teardown, .timeout = 60);

/* Stands in for journald. */
static int bind_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    bed.options.journal = socket_path;
    return fd;
}

/* The record in the next datagram, its hash in `hash`. */
static json_t *receive(int fd, char hash[SHA256_HEX_SIZE])
{
    static const char start[] = "PRIORITY=2\nSYSLOG_IDENTIFIER=crigate-audit\nMESSAGE=";
    static char bytes[16384];
    struct err err;
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    cr_assert_gt(got, (ssize_t)sizeof(start), "no datagram");
    cr_assert_eq(memcmp(bytes, start, sizeof(start) - 1), 0);
    cr_assert_eq(bytes[got - 1], '\n');
    struct str line = {.data = bytes + sizeof(start) - 1, .len = (size_t)got - sizeof(start) + 1};
    cr_assert_eq(sha256_hex(line, hash, &err), 0);
    json_t *root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(root);
    return root;
}

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text ? text : "";
}

static json_int_t number_of(const json_t *record, const char *object, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(record, object), key));
}

static json_t *wait_for_recovery(void)
{
    json_t *recovered;
    while (!(recovered = bed_find(bed.path, "audit.recovered")))
        sched_yield();
    return recovered;
}

Test(audit_sinks, the_journal_takes_what_the_file_does_not)
{
    char hash[SHA256_HEX_SIZE], last[SHA256_HEX_SIZE];
    int journal = bind_journal();
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    cr_assert_null(bed_record(&bed));
    cr_assert_null(bed_record(&bed));

    OWNED(own_json) json_t *degraded = receive(journal, hash);
    cr_assert_str_eq(text_of(degraded, "type"), "audit.degraded");
    cr_assert_not_null(strstr(text_of(degraded, "error"), "Input/output error"));
    OWNED(own_json) json_t *one = receive(journal, last);
    cr_assert_str_eq(text_of(one, "type"), "pod.decision");
    cr_assert_str_eq(text_of(one, "prev"), hash);
    OWNED(own_json) json_t *two = receive(journal, hash);
    cr_assert_str_eq(text_of(two, "prev"), last);

    faults.fdatasync_errno = 0;
    OWNED(own_json) json_t *recovered = wait_for_recovery();
    cr_assert_eq(number_of(recovered, "audit", "inJournal"), 3);
    cr_assert_eq(number_of(recovered, "audit", "lost"), 0);
    cr_assert_str_eq(text_of(json_object_get(recovered, "audit"), "journalHead"), hash);
    cr_assert_null(bed_record(&bed));
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    cr_assert_eq(bed_chain(bed.path, head), 4, "the file's own chain is whole");
    close(journal);
}

/* (instance, seq) names a record, in the journal too. */
Test(audit_sinks, a_start_without_a_file_gives_each_record_its_own_seq)
{
    char hash[SHA256_HEX_SIZE];
    int journal = bind_journal();
    cr_assert_eq(mkdir(bed.path, 0700), 0); /* in its way */
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_null(bed_record(&bed));
    for (json_int_t seq = 1; seq <= 3; seq++) {
        OWNED(own_json) json_t *record = receive(journal, hash);
        cr_assert_eq(json_integer_value(json_object_get(record, "seq")), seq);
    }
    close(journal);
}

Test(audit_sinks, without_any_sink_callers_are_refused_and_counted)
{
    bed.options.journal = socket_path; /* nobody there */
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    for (int i = 0; i < 5; i++)
        cr_assert_not_null(bed_record(&bed));
    faults.fdatasync_errno = 0;
    OWNED(own_json) json_t *recovered = wait_for_recovery();
    cr_assert_eq(number_of(recovered, "audit", "lost"), 5);
    cr_assert_eq(number_of(recovered, "audit", "inJournal"), 0);
    cr_assert_str_eq(text_of(json_object_get(recovered, "audit"), "sink"), "");
    cr_assert_eq(json_integer_value(json_object_get(recovered, "seq")), 8, "5 were used up");
}

Test(audit_sinks, callers_go_on_when_told_to_and_are_counted)
{
    bed.options.continue_on_failure = true;
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    for (int i = 0; i < 5; i++)
        cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = 0;
    OWNED(own_json) json_t *recovered = wait_for_recovery();
    cr_assert_eq(number_of(recovered, "audit", "lost"), 5);
}

Test(audit_sinks, journald_may_come_back)
{
    char hash[SHA256_HEX_SIZE];
    bed.options.journal = socket_path;
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    cr_assert_not_null(bed_record(&bed));
    int journal = bind_journal();
    while (bed_record(&bed))
        sched_yield();
    OWNED(own_json) json_t *record = receive(journal, hash);
    cr_assert_str_eq(text_of(record, "type"), "pod.decision");
    faults.fdatasync_errno = 0;
    close(journal);
}

/* --- refusals that come again -------------------------------------------------------------- */

static enum audit_outcome refuse(const char *pod, const char *stage)
{
    static uint64_t request_id = 6;
    struct pod_facts facts = {.namespace = STR("agents"), .name = str_of(pod), .uid = STR("u-1")};
    request_id += strcmp(stage, "decided") == 0;
    struct audit_event event = {
        .type = "pod.decision",
        .stage = stage,
        .request_id = request_id,
        .pod = &facts,
        .action = AUDIT_REFUSE,
        .reason = REASON_RULE,
        .rule = STR("no-agents"),
    };
    struct err err;
    return audit_record(bed.audit, &event, NULL, NULL, &err);
}

Test(audit_sinks, equal_refusals_are_counted)
{
    bed.options.repeat_window_s = 300;
    bed_open(&bed);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(refuse("build-7", "decided"), i ? AUDIT_COUNTED : AUDIT_QUEUED);
        cr_assert_eq(refuse("build-7", "completed"), i ? AUDIT_COUNTED : AUDIT_QUEUED);
    }
    cr_assert_eq(refuse("build-8", "decided"), AUDIT_QUEUED, "another pod");
    audit_close(steal_ptr(&bed.audit));
    OWNED(own_json) json_t *repeated = bed_find(bed.path, "repeated");
    cr_assert_eq(number_of(repeated, "repeated", "count"), 9);
    cr_assert_str_eq(text_of(json_object_get(repeated, "repeated"), "of"), "pod.decision");
    cr_assert_str_eq(text_of(json_object_get(repeated, "pod"), "name"), "build-7");
    cr_assert_str_eq(text_of(repeated, "requestId"), "r-7");
}

Test(audit_sinks, a_window_ends)
{
    bed.options.repeat_window_s = 1;
    bed_open(&bed);
    refuse("build-7", "decided");
    cr_assert_eq(refuse("build-7", "decided"), AUDIT_COUNTED);
    json_t *found;
    while (!(found = bed_find(bed.path, "repeated")))
        sched_yield();
    json_decref(found);
    cr_assert_eq(refuse("build-7", "decided"), AUDIT_QUEUED, "whole again");
}

Test(audit_sinks, a_refusal_that_was_lost_is_written_whole_again)
{
    bed.options.repeat_window_s = 300;
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    refuse("build-7", "decided");
    cr_assert_not_null(bed_record(&bed), "settles what is before it, too");
    faults.fdatasync_errno = 0;
    cr_assert_eq(refuse("build-7", "decided"), AUDIT_QUEUED);
}

/* Nothing but the records that the file has: not those that the journal got. */
Test(audit_sinks, a_second_file_follows_the_first)
{
    char line[CONVERTED_MAX], second[160];
    size_t lines = 0;
    snprintf(second, sizeof(second), "%s/ocsf-audit.jsonl", bed.dir);
    bed.options.format = AUDIT_OCSF;
    bed_open(&bed);
    for (int i = 0; i < 3; i++)
        cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    cr_assert_not_null(bed_record(&bed));
    faults.fdatasync_errno = 0;
    cr_assert_null(bed_record(&bed));
    audit_close(bed.audit);
    bed.audit = NULL;
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    FILE *file = fopen(second, "re");
    cr_assert_not_null(file);
    for (; fgets(line, sizeof(line), file); lines++)
        cr_assert_not_null(strstr(line, "\"class_uid\":6003"));
    fclose(file);
    cr_assert_eq(lines, bed_chain(bed.path, head), "%zu: %s", lines, bed_said(&bed));
    cr_assert_geq(lines, 6, "segment.open, four records, audit.recovered");
}
