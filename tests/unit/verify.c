/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log, read in order; every kind of damage is found, and nothing else is. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zlib.h>

#include "audit/verify.h"
#include "audit_bed.h"
#include "base/sha256.h"

static struct bed bed;
static char said[8192]; /* what the last check found, one finding a line */
static struct verify result;

static void setup(void)
{
    bed_make(&bed);
}

static void teardown(void)
{
    bed_free(&bed);
}

TestSuite(verify, .init = setup, .fini = teardown, .timeout = 60);

static void note(void *cookie, enum verify_kind kind, const char *file, uint64_t line,
                 const char *text)
{
    (void)cookie;
    size_t used = strlen(said);
    snprintf(said + used, sizeof(said) - used, "%s %s:%d %s\n", verify_kind_name(kind),
             strrchr(file, '/') + 1, (int)line, text);
}

/* What is found in the files of the pattern, in the bed's directory. */
static const char *found_in(const char *pattern, const char *anchor)
{
    char path[256];
    const char *patterns[] = {path};
    struct segments *segments;
    struct segment_line line;
    struct err err;
    said[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", bed.dir, pattern);
    cr_assert_eq(segments_open(patterns, 1, &segments, &err), 0, "%s", err.text);
    cr_assert_eq(verify_begin(&result, note, NULL, anchor, &err), 0);
    int got;
    while ((got = segments_next(segments, &line, &err)) != 0) {
        if (got < 0)
            snprintf(said + strlen(said), sizeof(said) - strlen(said), "unreadable %s\n", err.text);
        else
            cr_assert_eq(verify_line(&result, &line, &err), 0);
    }
    verify_finish(&result);
    segments_close(segments);
    verify_end(&result);
    return said;
}

/* `count` records in as many files as max_size makes of them. */
static void write_log(int count, uint64_t max_size)
{
    bed.options.max_size = max_size;
    bed_open(&bed);
    for (int i = 0; i < count; i++)
        cr_assert_null(bed_record(&bed));
    audit_close(steal_ptr(&bed.audit));
}

/* The lines of the live file; the caller changes them and writes them back. */
static char *lines[64];
static size_t line_count;

static void load(void)
{
    OWNED_FILE FILE *file = fopen(bed.path, "re");
    size_t room = 0;
    line_count = 0;
    while (getline(&lines[line_count], &room, file) > 0) {
        line_count++;
        lines[line_count] = NULL;
        room = 0;
    }
    free(steal_ptr(&lines[line_count])); /* what getline() had ready for another one */
}

static void store(void)
{
    OWNED_FILE FILE *file = fopen(bed.path, "we");
    for (size_t i = 0; i < line_count; i++)
        fputs(lines[i], file);
}

Test(verify, a_whole_log_holds)
{
    write_log(20, 0);
    write_log(20, 0);
    cr_assert_str_eq(found_in("audit.jsonl", NULL), "");
    cr_assert(result.records == 41 && result.files == 1 && result.starts == 2);
}

Test(verify, rotated_files_hold_in_any_order)
{
    write_log(40, 2000);
    cr_assert_str_eq(found_in("audit*.jsonl", NULL), "");
    cr_assert_gt(result.files, 3);
    cr_assert_str_eq(result.first_prev, RECORD_NO_HASH);
}

/* How many findings there are, all of them at one of two lines of audit.jsonl. */
static size_t count_at(const char *found, int one, int other)
{
    size_t count = 0;
    for (const char *at = found; *at; at = strchr(at, '\n') + 1) {
        int line = 0;
        cr_assert_eq(sscanf(at, "%*s audit.jsonl:%d ", &line), 1, "%s", found);
        cr_assert(line == one || line == other, "line %d in %s", line, found);
        count++;
    }
    return count;
}

Test(verify, an_altered_byte_is_one_finding)
{
    write_log(10, 0);
    load();
    for (size_t at = 0; at + 1 < strlen(lines[4]); at++) {
        char was = lines[4][at];
        lines[4][at] = was == 'x' ? 'y' : 'x';
        store();
        const char *found = found_in("audit.jsonl", NULL);
        cr_assert_eq(count_at(found, 5, 6), 1, "byte %zu: %s", at, found);
        lines[4][at] = was;
    }
    store();
    cr_assert_str_eq(found_in("audit.jsonl", NULL), "");
}

/* Digits that leave the line a record: its number, its link, its instance. */
Test(verify, an_altered_digit_is_found_where_it_is)
{
    write_log(10, 0);
    load();
    size_t end = (size_t)(strstr(lines[4], "\"type\"") - lines[4]);
    for (size_t at = strlen(RECORD_START); at < end; at++) {
        char was = lines[4][at];
        if (was < '0' || was > '9')
            continue;
        lines[4][at] = was == '9' ? '8' : '9';
        store();
        const char *found = found_in("audit.jsonl", NULL);
        cr_assert_geq(count_at(found, 5, 6), 1, "byte %zu: %s", at, found);
        lines[4][at] = was;
    }
}

Test(verify, an_altered_first_line_is_one_finding)
{
    write_log(10, 0);
    load();
    lines[0][0] = 'x';
    store();
    cr_assert_eq(count_at(found_in("audit.jsonl", NULL), 1, 1), 1, "%s", said);
}

Test(verify, a_missing_line_is_named_with_its_number)
{
    write_log(10, 0);
    load();
    lines[4][0] = '\0';
    store();
    const char *found = found_in("audit.jsonl", NULL);
    cr_assert_not_null(strstr(found, "brokenLink audit.jsonl:5 "), "%s", found);
    cr_assert_not_null(strstr(found, "gap audit.jsonl:5 1 record is missing before seq 6"), "%s",
                       found);
}

Test(verify, a_line_out_of_place_is_named)
{
    write_log(10, 0);
    load();
    char *moved = lines[4];
    lines[4] = lines[5];
    lines[5] = moved;
    store();
    cr_assert_not_null(strstr(found_in("audit.jsonl", NULL), "out of place"));
}

/* Puts a line behind the one with this index. */
static void put_in(size_t behind, const char *line)
{
    for (size_t i = line_count; i > behind + 1; i--)
        lines[i] = lines[i - 1];
    lines[behind + 1] = strdup(line);
    line_count++;
    store();
}

Test(verify, a_line_put_in_is_named)
{
    write_log(10, 0);
    load();
    put_in(4, "{\"v\":1,\"seq\":5}\n");
    found_in("audit.jsonl", NULL);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "notARecord audit.jsonl:6 no record: altered, or it was never one of this log\n"
             "brokenLink audit.jsonl:7 follows %s:5; %s:6 between the two was put in, or is out of "
             "place\n",
             bed.path, bed.path);
    cr_assert_str_eq(said, expected);
}

Test(verify, a_line_that_is_there_twice_is_named)
{
    write_log(10, 0);
    load();
    put_in(4, lines[4]);
    found_in("audit.jsonl", NULL);
    cr_assert_not_null(strstr(said, "brokenLink audit.jsonl:6 follows "), "%s", said);
    cr_assert_not_null(strstr(said, "gap audit.jsonl:6 seq 5 where 6 is expected: out of place\n"),
                       "%s", said);
    cr_assert_eq(count_at(said, 6, 6), 2, "%s", said);
}

Test(verify, an_altered_line_hides_no_missing_one)
{
    write_log(10, 0);
    load();
    lines[4][0] = 'x';
    lines[5][0] = '\0';
    store();
    found_in("audit.jsonl", NULL);
    cr_assert_not_null(strstr(said, "notARecord audit.jsonl:5 "), "%s", said);
    cr_assert_not_null(strstr(said, "brokenLink audit.jsonl:6 "), "%s", said);
    cr_assert_not_null(strstr(said, "gap audit.jsonl:6 1 record is missing before seq 7\n"), "%s",
                       said);
}

Test(verify, a_torn_line_is_named)
{
    write_log(10, 0);
    load();
    lines[10][60] = '\0';
    store();
    cr_assert_not_null(strstr(found_in("audit.jsonl", NULL), "torn audit.jsonl:11 "));
}

Test(verify, lines_cut_off_at_the_end_are_found_by_the_anchor)
{
    write_log(10, 0);
    char head[RECORD_HASH_SIZE] = RECORD_NO_HASH;
    bed_chain(bed.path, head);
    found_in("audit.jsonl", head);
    cr_assert_eq(result.anchor_line, 11);
    load();
    line_count -= 2;
    store();
    cr_assert_str_eq(found_in("audit.jsonl", head), "", "the chain itself tells nothing");
    cr_assert_eq(result.anchor_line, 0);
}

Test(verify, a_missing_file_is_found)
{
    write_log(40, 2000);
    char command[256];
    char missing[256] = "";
    snprintf(command, sizeof(command),
             "cd %s; f=$(ls audit-* | sort -t- -k3 -n | sed -n 2p); rm \"$f\"; echo \"$f\"",
             bed.dir);
    FILE *out = popen(command, "r");
    cr_assert_not_null(fgets(missing, sizeof(missing), out));
    cr_assert_eq(pclose(out), 0);
    missing[strcspn(missing, "\n")] = '\0';
    const char *found = found_in("audit*.jsonl", NULL);
    char expected[512];
    snprintf(expected, sizeof(expected), ":1 follows the file %s, not ", missing);
    cr_assert_not_null(strstr(found, expected), "no \"%s\" in %s", expected, found);
    cr_assert_not_null(strstr(found, "gap"), "%s", found);
}

Test(verify, losses_are_told_as_the_log_tells_them)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    for (int i = 0; i < 3; i++)
        cr_assert_not_null(bed_record(&bed));
    faults.fdatasync_errno = 0;
    cr_assert_null(bed_record(&bed));
    audit_close(steal_ptr(&bed.audit));
    cr_assert_str_eq(found_in("audit.jsonl", NULL),
                     "lost audit.jsonl:3 3 records were lost here\n");
}

/* segment.open comes before what explains the gap. */
Test(verify, losses_before_a_new_file_are_explained)
{
    bed_open(&bed);
    cr_assert_null(bed_record(&bed));
    faults.fdatasync_errno = EIO;
    cr_assert_not_null(bed_record(&bed));
    char moved[256];
    snprintf(moved, sizeof(moved), "%s/audit-20261124T001350.123456Z-2.jsonl", bed.dir);
    cr_assert_eq(rename(bed.path, moved), 0);
    cr_assert_not_null(bed_record(&bed));
    faults.fdatasync_errno = 0;
    cr_assert_null(bed_record(&bed));
    audit_close(steal_ptr(&bed.audit));
    cr_assert_str_eq(found_in("audit*.jsonl", NULL),
                     "lost audit.jsonl:2 2 records were lost here\n");
}

/* What journald took, twice: each piece follows a line that only the file has. */
Test(verify, pieces_of_the_journal_hold_by_themselves)
{
    static const char origin[] = "\"instance\":\"00112233445566778899aabbccddeeff\"";
    static const char when[] = "\"time\":\"2026-11-24T02:00:00.000000Z\"}";
    static const uint64_t seqs[] = {5, 6, 20, 21};
    char head[RECORD_HASH_SIZE];
    struct err err;
    OWNED_FILE FILE *file = fopen(bed.path, "we");
    for (size_t i = 0; i < 4; i++) {
        char line[512], start[RECORD_HEAD_MAX];
        if (i % 2 == 0)
            memset(head, i ? 'b' : 'a', sizeof(head) - 1);
        head[sizeof(head) - 1] = '\0';
        record_head(seqs[i], head, start);
        int len = snprintf(line, sizeof(line), "%s%s,\"type\":\"%s\",%s\n", start, origin,
                           i % 2 ? "heartbeat" : "audit.degraded", when);
        fputs(line, file);
        cr_assert_eq(sha256_hex((struct str){.data = line, .len = (size_t)len}, head, &err), 0);
    }
    fflush(file);
    found_in("audit.jsonl", NULL);
    cr_assert_eq(count_at(said, 1, 3), 2, "%s", said);
    cr_assert_null(strstr(said, "brokenLink"), "%s", said);
    cr_assert_null(strstr(said, "gap"), "%s", said);
}

Test(verify, a_log_begins_with_its_first_record)
{
    write_log(10, 0);
    load();
    OWNED_MEM char *old = lines[0];
    lines[0] = NULL;
    cr_assert_gt(asprintf(&lines[0], RECORD_START "3%s", strchr(old + strlen(RECORD_START), ',')),
                 0);
    line_count = 1;
    store();
    cr_assert_str_eq(found_in("audit.jsonl", NULL),
                     "gap audit.jsonl:1 2 records are missing before seq 3\n");
}

Test(verify, compressed_files_are_read)
{
    char path[256];
    write_log(10, 0);
    load();
    snprintf(path, sizeof(path), "%s.gz", bed.path);
    gzFile out = gzopen(path, "w");
    for (size_t i = 0; i < line_count; i++)
        gzputs(out, lines[i]);
    gzclose(out);
    cr_assert_str_eq(found_in("audit.jsonl.gz", NULL), "");
    cr_assert_eq(result.records, 11);

    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(truncate(path, st.st_size / 2), 0);
    cr_assert_not_null(strstr(found_in("audit.jsonl.gz", NULL), "unreadable"), "%s", said);
    cr_assert_gt(result.records, 0, "what is whole comes first");
}

Test(verify, a_line_longer_than_the_buffer_is_one_line)
{
    OWNED_FILE FILE *file = fopen(bed.path, "we");
    for (int i = 0; i < 600000; i++)
        fputc('x', file);
    fputs("\n{}\n", file);
    fflush(file);
    cr_assert_str_eq(found_in("audit.jsonl", NULL),
                     "notARecord audit.jsonl:1 no record: longer than 8000 bytes\n"
                     "notARecord audit.jsonl:2 no record: altered, or it was never one of this "
                     "log\n");
}
