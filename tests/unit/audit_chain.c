/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of lines over restarts, rotated files, files that others moved; who owns the files. */
#include <criterion/criterion.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "audit_bed.h"

static struct bed bed;

static void setup(void)
{
    bed_make(&bed);
}

static void teardown(void)
{
    bed_free(&bed);
}

TestSuite(audit_chain, .init = setup, .fini = teardown, .timeout = 60);

static void close_log(void)
{
    audit_close(steal_ptr(&bed.audit));
}

static void record_some(int count)
{
    for (int i = 0; i < count; i++)
        cr_assert_null(bed_record(&bed));
}

/* The rotated files in their order. */
static void find_rotated(glob_t *found)
{
    char pattern[256];
    snprintf(pattern, sizeof(pattern), "%s/audit-*Z-*.jsonl", bed.dir);
    cr_assert_eq(glob(pattern, 0, NULL, found), 0);
}

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text ? text : "";
}

Test(audit_chain, goes_on_over_a_restart)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    for (int run = 0; run < 3; run++) {
        bed_open(&bed);
        record_some(5);
        close_log();
    }
    cr_assert_eq(bed_chain(bed.path, head), 16, "15 records and one segment.open");
}

Test(audit_chain, goes_on_over_rotated_files)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    size_t lines = 0;
    glob_t found;
    bed.options.max_size = 2000;
    bed_open(&bed);
    record_some(40);
    close_log();
    bed_open(&bed);
    record_some(10);
    close_log();
    find_rotated(&found);
    cr_assert_gt(found.gl_pathc, 3);
    for (size_t i = 0; i < found.gl_pathc; i++)
        lines += bed_chain(found.gl_pathv[i], head);
    lines += bed_chain(bed.path, head);
    cr_assert_eq(lines, 50 + found.gl_pathc + 1, "each file begins with segment.open");

    OWNED(own_json) json_t *first = bed_find(bed.path, "segment.open");
    const char *newest = strrchr(found.gl_pathv[found.gl_pathc - 1], '/') + 1;
    cr_assert_str_eq(text_of(first, "previousFile"), newest);
    cr_assert_str_eq(text_of(first, "head"), text_of(first, "prev"));
    globfree(&found);
}

Test(audit_chain, keeps_so_many_files)
{
    glob_t found;
    bed.options.max_size = 400;
    bed.options.keep = 3;
    bed_open(&bed);
    record_some(30);
    find_rotated(&found);
    cr_assert_eq(found.gl_pathc, 3);
    globfree(&found);
}

Test(audit_chain, rotates_what_is_too_old)
{
    glob_t found;
    bed.options.max_age_s = 1;
    bed_open(&bed);
    record_some(1);
    char pattern[256];
    snprintf(pattern, sizeof(pattern), "%s/audit-*", bed.dir);
    while (glob(pattern, 0, NULL, &found) == GLOB_NOMATCH)
        record_some(1);
    cr_assert_eq(found.gl_pathc, 1);
    globfree(&found);
}

/* The daemon died between the two steps of a rotation. */
Test(audit_chain, finds_the_file_before_an_empty_one)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH, moved[256];
    bed_open(&bed);
    record_some(3);
    close_log();
    snprintf(moved, sizeof(moved), "%s/audit-20261124T001350.123456Z-4.jsonl", bed.dir);
    cr_assert_eq(rename(bed.path, moved), 0);
    bed_open(&bed);
    record_some(1);
    bed_chain(moved, head);
    cr_assert_eq(bed_chain(bed.path, head), 2);
}

/* Somebody compressed it meanwhile. */
Test(audit_chain, goes_on_behind_a_compressed_file)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH, command[600], moved[256];
    bed_open(&bed);
    record_some(3);
    close_log();
    snprintf(moved, sizeof(moved), "%s/audit-20261124T001350.123456Z-4.jsonl", bed.dir);
    cr_assert_eq(rename(bed.path, moved), 0);
    bed_chain(moved, head);
    snprintf(command, sizeof(command), "gzip %s", moved);
    cr_assert_eq(system(command), 0);
    bed_open(&bed);
    record_some(1);
    cr_assert_eq(bed_chain(bed.path, head), 2);
}

/* A damaged one is named, and nobody waits until it is mended. */
Test(audit_chain, begins_anew_behind_a_file_that_cannot_be_read)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH, path[256];
    snprintf(path, sizeof(path), "%s/audit-20261124T001350.123456Z-4.jsonl.gz", bed.dir);
    OWNED_FILE FILE *damaged = fopen(path, "we");
    cr_assert_not_null(damaged);
    fputs("\x1f\x8b\x08 and nothing more", damaged);
    fflush(damaged);
    bed_open(&bed);
    record_some(1);
    cr_assert_eq(bed_chain(bed.path, head), 2);
    cr_assert(strstr(bed_said(&bed), "begins anew"), "%s", bed_said(&bed));
}

Test(audit_chain, opens_anew_what_others_renamed)
{
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH, moved[256];
    bed_open(&bed);
    record_some(3);
    snprintf(moved, sizeof(moved), "%s/audit.jsonl.1", bed.dir);
    cr_assert_eq(rename(bed.path, moved), 0);
    record_some(1);
    audit_reopen(bed.audit);
    struct stat st;
    while (stat(bed.path, &st) < 0)
        sched_yield();
    record_some(1);
    bed_chain(moved, head);
    cr_assert_geq(bed_chain(bed.path, head), 2);
    OWNED(own_json) json_t *first = bed_find(bed.path, "segment.open");
    cr_assert_str_eq(text_of(first, "previousFile"), "audit.jsonl.1");
}

Test(audit_chain, begins_a_segment_in_a_truncated_file)
{
    bed_open(&bed);
    record_some(3);
    cr_assert_eq(truncate(bed.path, 0), 0);
    record_some(1);
    OWNED(own_json) json_t *first = bed_find(bed.path, "segment.open");
    cr_assert_not_null(first);
}

Test(audit_chain, tells_what_was_cut)
{
    bed_open(&bed);
    record_some(3);
    close_log();
    struct stat st;
    cr_assert_eq(stat(bed.path, &st), 0);
    cr_assert_eq(truncate(bed.path, st.st_size - 10), 0);
    bed_open(&bed);
    record_some(1);
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    cr_assert_eq(bed_chain(bed.path, head), 5);
    OWNED(own_json) json_t *repaired = bed_find(bed.path, "audit.repaired");
    json_int_t cut =
        json_integer_value(json_object_get(json_object_get(repaired, "audit"), "bytesCut"));
    cr_assert_gt(cut, 100);
}

Test(audit_chain, makes_its_directory_and_owns_it)
{
    if (geteuid() != 0)
        cr_skip_test("only root gives files away");
    struct stat st;
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/made", bed.dir);
    snprintf(bed.path, sizeof(bed.path), "%s/made/audit.jsonl", bed.dir);
    bed.options.owner = 12;
    bed.options.group = 34;
    umask(077);
    bed_open(&bed);
    record_some(1);
    cr_assert_eq(stat(dir, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0750);
    cr_assert(st.st_uid == 12 && st.st_gid == 34);
    cr_assert_eq(stat(bed.path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0640);
    cr_assert(st.st_uid == 12 && st.st_gid == 34);
}

Test(audit_chain, beats)
{
    bed.options.heartbeat_s = 1;
    bed_open(&bed);
    record_some(1);
    json_t *found = NULL;
    while (!(found = bed_find(bed.path, "heartbeat")))
        sched_yield();
    OWNED(own_json) json_t *beat = found;
    cr_assert_str_eq(text_of(beat, "head"), text_of(beat, "prev"));
    cr_assert_eq(strlen(text_of(beat, "head")), 64);
}
