/* SPDX-License-Identifier: Apache-2.0 */
/* The audit file by itself: names of rotated files, which of them go, and what others do to the
 * file between two groups. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/file.h"
#include "audit/rotation.h"

#define LINE                                                                                      \
    RECORD_START "1,\"prev\":\"" RECORD_NO_HASH "\",\"instance\":\"0123456789abcdef0123456789abc" \
                 "def\",\"type\":\"start\",\"time\":\"2020-01-01T00:00:00.000000Z\"}\n"

static const struct timespec now = {.tv_sec = 1795479230, .tv_nsec = 123456789};
static char dir[64], path[128];
static struct audit_options options;
static struct audit_file file;

static void setup(void)
{
    strcpy(dir, "/tmp/crigate-audit-file-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/audit.jsonl", dir);
    options = (struct audit_options){.path = path, .owner = (uid_t)-1, .group = (gid_t)-1};
    file = audit_file_make(&options, path, RECORD_START);
}

static char *at(const char *name)
{
    static char full[NAME_MAX + 80];
    snprintf(full, sizeof(full), "%s/%s", dir, name);
    return full;
}

static void teardown(void)
{
    audit_file_close(&file);
    DIR *directory = opendir(dir);
    const struct dirent *entry;
    while ((entry = readdir(directory)))
        remove(at(entry->d_name));
    closedir(directory);
    rmdir(dir);
}

TestSuite(audit_file, .init = setup, .fini = teardown, .timeout = 60);

static void put(const char *name, const char *text, size_t length)
{
    OWNED_FILE FILE *out = fopen(at(name), "w");
    cr_assert_not_null(out);
    cr_assert_eq(fwrite(text, 1, length, out), length);
}

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(at(name), &st) == 0;
}

static struct audit_file_found write_group(int lines)
{
    struct err err = {0};
    struct audit_file_found found;
    cr_assert_eq(audit_file_begin(&file, &found, &err), 0, "%s", err.text);
    while (lines-- > 0) {
        struct iovec part = {.iov_base = (char *)LINE, .iov_len = strlen(LINE)};
        cr_assert_eq(audit_file_write(&file, &part, 1, &err), 0, "%s", err.text);
    }
    cr_assert_eq(audit_file_commit(&file, &err), 0, "%s", err.text);
    return found;
}

static void rotate(uint64_t seq)
{
    struct err err = {0};
    cr_assert_eq(audit_file_rotate(&file, seq, &now, &err), 0, "%s", err.text);
}

Test(audit_file, a_rotated_file_tells_time_and_seq)
{
    write_group(1);
    rotate(42);
    cr_assert(is_there("audit-20261124T001350.123456Z-42.jsonl"));
    cr_assert_str_eq(write_group(1).previous, "audit-20261124T001350.123456Z-42.jsonl");
}

Test(audit_file, an_ending_of_two_parts_keeps_its_first)
{
    snprintf(path, sizeof(path), "%s/audit.ecs.jsonl", dir);
    write_group(1);
    rotate(1);
    cr_assert(is_there("audit.ecs-20261124T001350.123456Z-1.jsonl"));
}

/* The newest records would be in the file that is deleted first. */
Test(audit_file, a_clock_that_went_back_deletes_no_new_file)
{
    options.keep = 2;
    put("audit-20300101T000000.000000Z-1.jsonl", LINE, strlen(LINE));
    put("audit-20300102T000000.999999Z-2.jsonl", LINE, strlen(LINE));
    write_group(1);
    rotate(3);
    cr_assert(is_there("audit-20300102T000001.000000Z-3.jsonl"));
    cr_assert(is_there("audit-20300102T000000.999999Z-2.jsonl"));
    cr_assert_not(is_there("audit-20300101T000000.000000Z-1.jsonl"));
    cr_assert_str_eq(write_group(0).previous, "audit-20300102T000001.000000Z-3.jsonl");
}

Test(audit_file, one_that_cannot_be_deleted_keeps_no_other)
{
    options.keep = 1;
    cr_assert_eq(mkdir(at("audit-20200101T000000.000000Z-1.jsonl"), 0700), 0);
    put("audit-20200102T000000.000000Z-2.jsonl", LINE, strlen(LINE));
    put("audit-20200103T000000.000000Z-3.jsonl", LINE, strlen(LINE));
    rotation_prune(path, 1);
    cr_assert_not(is_there("audit-20200102T000000.000000Z-2.jsonl"));
    cr_assert(is_there("audit-20200103T000000.000000Z-3.jsonl"));
}

Test(audit_file, compressed_files_are_its_own)
{
    put("audit-20200101T000000.000000Z-1.jsonl.gz", LINE, strlen(LINE));
    put("audit-20200102T000000.000000Z-2.jsonl", LINE, strlen(LINE));
    put("audit-20200103T000000.000000Z-3.jsonl.gz", LINE, strlen(LINE));
    rotation_prune(path, 2);
    cr_assert_not(is_there("audit-20200101T000000.000000Z-1.jsonl.gz"));
    cr_assert(is_there("audit-20200102T000000.000000Z-2.jsonl"));
    char newest[NAME_MAX + 1];
    cr_assert(rotation_newest(path, newest));
    cr_assert_str_eq(newest, "audit-20200103T000000.000000Z-3.jsonl.gz");
}

static const char *open_error(void)
{
    static struct err err;
    err = (struct err){0};
    return audit_file_open(&file, &err) < 0 ? err.text : "";
}

/* As /var/log/syslog, named by mistake. */
Test(audit_file, another_programs_log_is_left_alone)
{
    static const char text[] = "Nov 24 05:14:50 node-1 kernel: it runs\n";
    put("audit.jsonl", text, strlen(text));
    cr_assert(strstr(open_error(), "holds something else"), "%s", open_error());
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_size, (off_t)strlen(text));
}

/* Not even the zeros behind it are cut. */
Test(audit_file, another_programs_hole_is_left_alone)
{
    static const char text[] = "Nov 24 05:14:50 node-1 kernel: it runs\n\0\0\0\0";
    put("audit.jsonl", text, sizeof(text));
    cr_assert(strstr(open_error(), "holds something else"), "%s", open_error());
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_size, (off_t)sizeof(text));
}

/* A power cut can leave zeros where a page was not written, of a record in the middle, too. */
Test(audit_file, a_hole_does_not_make_it_anothers)
{
    static char zeros[sizeof(LINE) + 8192];
    memcpy(zeros, LINE, strlen(LINE));
    zeros[sizeof(zeros) - 1] = '\n';
    put("audit.jsonl", zeros, sizeof(zeros));
    cr_assert_str_eq(open_error(), "");
    audit_file_close(&file);
    memset(zeros, 0, strlen(LINE) + 64);
    memcpy(zeros, LINE, 40);
    put("audit.jsonl", zeros, sizeof(zeros));
    cr_assert_str_eq(open_error(), "");
}

/* As large as all that can wait for the disk. */
Test(audit_file, a_hole_of_a_whole_queue_is_cut)
{
    const off_t hole = 64 * 1024 * 1024;
    put("audit.jsonl", LINE, strlen(LINE));
    cr_assert_eq(truncate(path, (off_t)strlen(LINE) + hole), 0);
    cr_assert_str_eq(open_error(), "");
    cr_assert_eq(file.found.bytes_cut, hole);
}

Test(audit_file, only_its_own_names_are_touched)
{
    static const char *const others[] = {
        "audit-20200101T000000.000000Z-1.jsonl.gz.1",
        "audit-20200101T000000.000000Z-.jsonl",
        "audit-20200101T000000.00000Z-1.jsonl",
        "audit-20200101T000000.000000Z-1x.jsonl",
        "audit.ecs-20200101T000000.000000Z-1.jsonl",
        "xaudit-20200101T000000.000000Z-1.jsonl",
        "audit-notes.jsonl",
    };
    char newest[NAME_MAX + 1];
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        put(others[i], LINE, strlen(LINE));
    cr_assert_not(rotation_newest(path, newest));
    put("audit-20200101T000000.000000Z-1.jsonl", LINE, strlen(LINE));
    put("audit-20200101T000000.000000Z-2.jsonl", LINE, strlen(LINE));
    rotation_prune(path, 0);
    cr_assert(is_there("audit-20200101T000000.000000Z-1.jsonl"));
    rotation_prune(path, 1);
    cr_assert_not(is_there("audit-20200101T000000.000000Z-1.jsonl"));
    cr_assert(is_there("audit-20200101T000000.000000Z-2.jsonl"));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        cr_assert(is_there(others[i]), "%s", others[i]);
}

/* logrotate with `create`, before its signal comes. */
Test(audit_file, what_others_put_in_its_place_is_not_renamed)
{
    write_group(1);
    char moved[sizeof(path) + 2];
    snprintf(moved, sizeof(moved), "%s.1", path);
    cr_assert_eq(rename(path, moved), 0);
    put("audit.jsonl", "", 0);
    rotate(1);
    struct audit_file_found found = write_group(1);
    cr_assert(found.empty);
    cr_assert_str_eq(found.previous, "audit.jsonl.1");
    char newest[NAME_MAX + 1];
    cr_assert_not(rotation_newest(path, newest));
}

/* logrotate with `copytruncate`. */
Test(audit_file, a_truncated_file_is_as_small_and_as_young_as_it_is)
{
    options.max_size = 100;
    options.max_age_s = 86400;
    write_group(3);
    cr_assert(audit_file_is_due(&file, time(NULL)));
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_not(audit_file_is_due(&file, time(NULL)));
    options.max_size = 0;
    put("audit.jsonl", LINE, strlen(LINE));
    audit_file_close(&file);
    write_group(0);
    cr_assert(audit_file_is_due(&file, time(NULL)), "its first line is of 2020");
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert(write_group(1).empty);
    cr_assert_not(audit_file_is_due(&file, time(NULL)));
}

Test(audit_file, a_deleted_file_has_no_name)
{
    put("audit-20200101T000000.000000Z-1.jsonl", LINE, strlen(LINE));
    write_group(1);
    cr_assert_eq(unlink(path), 0);
    audit_file_reopen(&file);
    cr_assert_str_eq(write_group(1).previous, "audit-20200101T000000.000000Z-1.jsonl");
}

Test(audit_file, a_rotation_that_fails_leaves_it_usable)
{
    struct err err;
    char name[256] = {0};
    snprintf(path, sizeof(path), "%s/", dir);
    memset(name, 'a', 230);
    char long_path[320];
    snprintf(long_path, sizeof(long_path), "%s%s.jsonl", path, name);
    file = audit_file_make(&options, long_path, RECORD_START);
    write_group(1);
    cr_assert_lt(audit_file_rotate(&file, 1, &now, &err), 0);
    cr_assert_not_null(strstr(err.text, "too long"));
    cr_assert_not(write_group(1).empty);
    struct stat st;
    cr_assert_eq(stat(long_path, &st), 0);
    cr_assert_eq(st.st_size, (off_t)(2 * strlen(LINE)));
}
