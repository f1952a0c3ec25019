/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log at work: order, group commit, a full queue, closing, other people's files. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "audit_bed.h"

static struct bed bed;
static long seqs[4096];

static void setup(void)
{
    bed_make(&bed);
}

static void teardown(void)
{
    bed_free(&bed);
}

TestSuite(audit, .init = setup, .fini = teardown, .timeout = 60);

static void put_file(const char *text)
{
    OWNED_FILE FILE *file = fopen(bed.path, "we");
    cr_assert(file && fputs(text, file) >= 0);
}

Test(audit, keeps_records_in_order)
{
    static struct outcome outcomes[1000];
    bed_open(&bed);
    for (size_t i = 0; i < 1000; i++)
        bed_send(&bed, &outcomes[i]);
    for (size_t i = 0; i < 1000; i++) {
        bed_wait(&outcomes[i]);
        cr_assert_not(outcomes[i].failed);
    }
    cr_assert_eq(bed_read(&bed, seqs), 1000);
    for (size_t i = 0; i < 1000; i++)
        cr_assert_eq(seqs[i], i + 2, "behind segment.open");
    struct stat st;
    cr_assert_eq(stat(bed.path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0640);
    cr_assert_str_eq(bed_said(&bed), "");
}

static void send_unawaited(void)
{
    struct audit_event event = {.type = "stop"};
    cr_assert_eq(audit_record(bed.audit, &event, NULL, NULL, NULL), AUDIT_QUEUED);
}

Test(audit, syncs_by_itself_what_nobody_waits_for)
{
    bed_open(&bed);
    send_unawaited();
    while (faults.syncs == 0)
        sched_yield();
    cr_assert_eq(bed_read(&bed, seqs), 1);
}

Test(audit, syncs_what_nobody_waits_for_with_what_is_waited_for)
{
    enum { ROUNDS = 50 };
    time_t start = time(NULL);
    bed_open(&bed);
    for (int i = 0; i < ROUNDS; i++) {
        cr_assert_null(bed_record(&bed));
        send_unawaited();
    }
    time_t seconds = time(NULL) - start + 1;
    cr_assert_leq(faults.syncs, ROUNDS + 1 + seconds, "%u syncs", faults.syncs);
}

Test(audit, syncs_a_group_at_once)
{
    static struct outcome outcomes[600];
    bed_open(&bed);
    faults.hold = true;
    bed_send(&bed, &outcomes[0]);
    sem_wait(&faults.held);
    for (size_t i = 1; i < 600; i++)
        bed_send(&bed, &outcomes[i]);
    int told;
    sem_getvalue(&outcomes[0].told, &told);
    cr_assert_eq(told, 0, "told before it was durable");
    faults.hold = false;
    sem_post(&faults.go);
    for (size_t i = 0; i < 600; i++)
        bed_wait(&outcomes[i]);
    cr_assert_eq(faults.syncs, 2);
    cr_assert_eq(bed_read(&bed, seqs), 600);
}

Test(audit, writes_what_is_queued_before_it_closes)
{
    struct audit_event event = {.type = "stop"};
    static struct outcome outcomes[100];
    struct err err;
    bed_open(&bed);
    for (size_t i = 0; i < 100; i++) {
        bed_send(&bed, &outcomes[i]);
        cr_assert_eq(audit_record(bed.audit, &event, NULL, NULL, &err), AUDIT_QUEUED);
    }
    audit_close(steal_ptr(&bed.audit));
    for (size_t i = 0; i < 100; i++)
        cr_assert(outcomes[i].times == 1 && !outcomes[i].failed);
    cr_assert_eq(bed_read(&bed, seqs), 200);
    audit_close(NULL);
}

static sem_t settled;

static void count_settled(void *cookie, const struct err *error)
{
    (void)cookie;
    (void)error;
    sem_post(&settled);
}

Test(audit, refuses_records_while_its_queue_is_full)
{
    static char message[7000];
    memset(message, 'm', sizeof(message));
    struct audit_event event = {.type = "start", .message = {message, sizeof(message)}};
    struct outcome first;
    struct err err = {0};
    sem_init(&settled, 0, 0);
    bed_open(&bed);
    faults.hold = true;
    bed_send(&bed, &first);
    sem_wait(&faults.held);
    size_t taken = 0;
    while (audit_record(bed.audit, &event, count_settled, NULL, &err) == AUDIT_QUEUED)
        cr_assert_lt(++taken, 10000);
    cr_assert_gt(taken, 1000);
    cr_assert_not_null(strstr(err.text, "is full"), "%s", err.text);

    faults.hold = false;
    sem_post(&faults.go);
    bed_wait(&first);
    for (size_t i = 0; i < taken; i++)
        sem_wait(&settled);
    cr_assert_eq(audit_record(bed.audit, &event, count_settled, NULL, &err), AUDIT_QUEUED, "%s",
                 err.text);
    sem_wait(&settled);
    cr_assert_eq(bed_read(&bed, seqs), taken + 2);
    cr_assert_eq(seqs[taken], taken + 4);
    cr_assert_eq(seqs[taken + 1], taken + 5, "the refused one is a gap, then the log tells of it");
    cr_assert_not_null(strstr(bed_said(&bed), "records lost: 1\n"), "%s", bed_said(&bed));
}

Test(audit, gives_each_run_its_name_and_counts_from_one)
{
    for (int run = 0; run < 2; run++) {
        bed_open(&bed);
        cr_assert_null(bed_record(&bed));
        audit_close(steal_ptr(&bed.audit));
    }
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert(seqs[0] == 2 && seqs[1] == 1);

    char text[4096] = "";
    OWNED_FD int fd = open(bed.path, O_RDONLY | O_CLOEXEC);
    cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
    static const char key[] = "\"instance\":\"";
    const char *one = strstr(text, key) + strlen(key);
    const char *two = strstr(strstr(one, key) + strlen(key), key) + strlen(key);
    cr_assert_eq(strspn(one, "0123456789abcdef"), 32);
    cr_assert_eq(strspn(two, "0123456789abcdef"), 32);
    cr_assert_neq(memcmp(one, two, 32), 0);
}

Test(audit, cuts_a_torn_last_line)
{
    put_file("{\"v\":1,\"seq\":7}\n{\"v\":1,\"seq");
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert(seqs[0] == 7 && seqs[1] == 2);
    cr_assert_not_null(strstr(bed_said(&bed), "cut 11 bytes of a torn last line"));
}

Test(audit, cuts_a_file_that_is_one_torn_line)
{
    put_file("{\"v");
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 1);
}

/* After a power failure a file can be longer than what reached the disk. */
Test(audit, cuts_a_hole_at_the_end)
{
    static const char line[] = "{\"v\":1,\"seq\":7}\n";
    put_file(line);
    cr_assert_eq(truncate(bed.path, 300000), 0);
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
}

static void leaves_alone(const char *text, off_t size)
{
    put_file(text);
    cr_assert_eq(truncate(bed.path, size), 0);
    bed_open(&bed);
    const char *cause = bed_record(&bed);
    cr_assert(cause && strstr(cause, "holds something else"), "%s", cause);
    struct stat st;
    cr_assert_eq(stat(bed.path, &st), 0);
    cr_assert_eq(st.st_size, size);
}

Test(audit, leaves_alone_a_file_without_lines)
{
    leaves_alone("{\"v\":1", 80 << 20); /* more than can wait for the disk */
}

Test(audit, leaves_alone_what_is_no_record)
{
    leaves_alone("[1, 2]\n[3, 4]", 13);
}

static void refuses_path(const char *path, const char *why)
{
    snprintf(bed.path, sizeof(bed.path), "%s", path);
    bed_open(&bed);
    const char *cause = bed_record(&bed);
    cr_assert(cause && strstr(cause, why), "%s", cause);
    cr_assert(strstr(cause, bed.path), "%s", cause);
    cr_assert_not_null(strstr(bed_said(&bed), why));
}

Test(audit, refuses_a_directory)
{
    refuses_path(bed.dir, "Is a directory");
}

Test(audit, refuses_a_device)
{
    refuses_path("/dev/full", "not a regular file");
}

Test(audit, refuses_a_fifo_without_waiting)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/fifo", bed.dir);
    cr_assert_eq(mkfifo(path, 0600), 0);
    refuses_path(path, "not a regular file");
}

Test(audit, refuses_a_symbolic_link)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/link", bed.dir);
    put_file("");
    cr_assert_eq(symlink(bed.path, path), 0);
    refuses_path(path, "symbolic link");
}

Test(audit, shares_its_file_with_nobody)
{
    struct audit *second = NULL;
    struct err err;
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(audit_open(
                     &(struct audit_options){
                         .path = bed.path, .node = STR("node-1"), .owner = -1, .group = -1},
                     &second, &err),
                 0);
    struct audit *first = bed.audit;
    bed.audit = second;
    const char *cause = bed_record(&bed);
    cr_assert(cause && strstr(cause, "another process"), "%s", cause);
    audit_close(first);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
}
