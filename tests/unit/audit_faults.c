/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log when the file cannot be written: every cause is told, nothing torn stays, and it
 * works again once the cause is gone. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

TestSuite(audit_faults, .init = setup, .fini = teardown, .timeout = 60);

static void fails_with(const char *why)
{
    char want[256];
    snprintf(want, sizeof(want), "audit log %s: %s", bed.path, why);
    const char *cause = bed_record(&bed);
    cr_assert_not_null(cause, "written all the same");
    cr_assert_str_eq(cause, want);
}

static size_t said_times(const char *what)
{
    size_t times = 0;
    for (const char *at = bed_said(&bed); (at = strstr(at, what)); at++)
        times++;
    return times;
}

static off_t file_size(void)
{
    struct stat st;
    cr_assert_eq(stat(bed.path, &st), 0);
    return st.st_size;
}

Test(audit_faults, a_missing_directory_comes_back)
{
    snprintf(bed.path, sizeof(bed.path), "%s/deep/er/audit.jsonl", bed.dir);
    bed_open(&bed);
    fails_with("No such file or directory");
    fails_with("No such file or directory");
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/deep", bed.dir);
    cr_assert_eq(mkdir(dir, 0700), 0);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 1);
    cr_assert_eq(seqs[0], 5, "two lost records, segment.open, audit.recovered");
    cr_assert_eq(said_times("No such file"), 1);
    cr_assert_eq(said_times("records lost: 2\n"), 1);
}

Test(audit_faults, a_deleted_file_is_made_anew)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(unlink(bed.path), 0);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 1);
    cr_assert_eq(seqs[0], 4, "behind two segment.open and the record that is gone");
}

/* While a group is open: what comes next must not follow it into the file that is gone. */
Test(audit_faults, a_file_deleted_under_an_open_group_keeps_nothing)
{
    struct audit_event event = {.type = "start"};
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    off_t before = file_size();
    cr_assert_eq(audit_record(bed.audit, &event, NULL, NULL, NULL), AUDIT_QUEUED);
    while (file_size() == before)
        sched_yield();
    cr_assert_eq(unlink(bed.path), 0);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2, "the open group's and the next");
}

/* The limit ends in the middle of a line: the kernel writes part of it, then refuses. */
Test(audit_faults, a_short_write_leaves_nothing)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    off_t before = file_size();
    struct rlimit was, tight;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    tight.rlim_cur = (rlim_t)before + 100;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    fails_with("File too large");
    cr_assert_eq(file_size(), before);
    fails_with("File too large");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert(seqs[0] == 2 && seqs[1] == 6, "two lost records, audit.recovered");
}

/* Whole lines of a group that fails go too: all its records were told that they are lost. */
Test(audit_faults, a_group_fails_as_one)
{
    static struct outcome outcomes[700];
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    off_t before = file_size();
    faults.hold = true;
    bed_send(&bed, &outcomes[0]);
    sem_wait(&faults.held);
    for (size_t i = 1; i < 700; i++)
        bed_send(&bed, &outcomes[i]);
    struct rlimit was, tight;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    tight.rlim_cur = (rlim_t)before * 325; /* two records */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    faults.hold = false;
    sem_post(&faults.go);
    for (size_t i = 0; i < 700; i++) {
        bed_wait(&outcomes[i]);
        cr_assert_eq(outcomes[i].failed, i > 0, "record %zu", i);
    }
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(said_times("records lost: 699\n"), 1);
}

Test(audit_faults, a_full_disk_gets_room_again)
{
    bed_mount(&bed, "64k");
    char other[128];
    snprintf(other, sizeof(other), "%s/other", bed.dir);
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char zeros[1024];
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    close(fd);

    long written = 1;
    while (!bed_record(&bed))
        cr_assert_lt(++written, 1000);
    fails_with("No space left on device");
    cr_assert_eq(bed_read(&bed, seqs), written);
    cr_assert_eq(unlink(other), 0);
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), written + 1);
    cr_assert_eq(seqs[written], written + 5);
    cr_assert_eq(said_times("records lost: 2\n"), 1);
}

Test(audit_faults, a_read_only_mount_becomes_writable)
{
    bed_mount(&bed, "64k");
    cr_assert_eq(mount(NULL, bed.dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    bed_open(&bed);
    fails_with("Read-only file system");
    cr_assert_eq(mount(NULL, bed.dir, NULL, MS_REMOUNT, NULL), 0);
    cr_assert_null(bed_record(&bed));
}

Test(audit_faults, a_failed_sync_fails_the_record)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    fails_with("Input/output error");
    cr_assert_eq(bed_read(&bed, seqs), 1);
    faults.fdatasync_errno = 0;
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert(seqs[0] == 2 && seqs[1] == 5);
}

Test(audit_faults, a_group_that_cannot_be_cut_is_cut_later)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = faults.ftruncate_errno = EIO;
    fails_with("Input/output error");
    cr_assert_eq(bed_read(&bed, seqs), 2);
    faults.fdatasync_errno = 0;
    fails_with("Input/output error");
    faults.ftruncate_errno = 0;
    cr_assert_null(bed_record(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 2);
    cr_assert(seqs[0] == 2 && seqs[1] == 6);
}

Test(audit_faults, losses_without_a_waiter_are_said_once)
{
    struct audit_event event = {.type = "start"};
    struct err err;
    bed_open(&bed);
    faults.fdatasync_errno = ENOSPC;
    for (int i = 0; i < 50; i++)
        cr_assert_eq(audit_record(bed.audit, &event, NULL, NULL, &err), AUDIT_QUEUED);
    audit_close(steal_ptr(&bed.audit));
    cr_assert_eq(said_times("No space left on device"), 1, "%s", bed_said(&bed));
    cr_assert_eq(said_times("records lost: 50\n"), 1, "%s", bed_said(&bed));
    cr_assert_eq(bed_read(&bed, seqs), 0);
}
