/* SPDX-License-Identifier: Apache-2.0 */
/* The second file: every line that there is room for, converted; the others counted. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "audit/second.h"

#define WAIT_SECONDS 20

struct bed {
    char dir[64], path[128], second_path[128], said_path[128];
    struct audit_options options;
    struct second *second;
    uint64_t seq;
};

static void bed_make(struct bed *bed)
{
    *bed = (struct bed){.dir = "/tmp/crigate-second-XXXXXX"};
    cr_assert_not_null(mkdtemp(bed->dir));
    snprintf(bed->path, sizeof(bed->path), "%s/audit.jsonl", bed->dir);
    snprintf(bed->second_path, sizeof(bed->second_path), "%s/ecs-audit.jsonl", bed->dir);
    snprintf(bed->said_path, sizeof(bed->said_path), "%s/said", bed->dir);
    bed->options =
        (struct audit_options){.path = bed->path, .owner = (uid_t)-1, .group = (gid_t)-1};
    cr_assert_not_null(freopen(bed->said_path, "a", stderr));
}

static void bed_open(struct bed *bed)
{
    struct err err;
    cr_assert_eq(second_open(&bed->options, AUDIT_ECS, &bed->second, &err), 0, "%s", err.text);
}

static void bed_free(struct bed *bed)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", bed->dir);
    cr_expect_eq(system(command), 0);
}

/* How often the file has the text. */
static size_t count_in(const char *path, const char *text)
{
    static char line[CONVERTED_MAX + 1];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        count += strstr(line, text) != NULL;
    if (file)
        fclose(file);
    return count;
}

static struct audit_line *make_line(struct bed *bed, const char *type)
{
    static const struct record_origin origin = {.node = {.data = "n", .len = 1},
                                                .instance = "00112233445566778899aabbccddeeff"};
    struct audit_event event = {.type = type};
    struct err err;
    char head[RECORD_HEAD_MAX];
    struct audit_line *line = audit_line_make(&origin, &event, &err);
    cr_assert_not_null(line);
    size_t length = record_head(++bed->seq, RECORD_NO_HASH, head);
    line->seq = bed->seq;
    line->start = RECORD_HEAD_MAX - length;
    memcpy(line->text + line->start, head, length);
    line->length += length;
    return line;
}

static void give(struct bed *bed, const char *type, size_t count)
{
    struct audit_line *lines = NULL, **last = &lines;
    for (size_t i = 0; i < count; i++) {
        *last = make_line(bed, type);
        last = &(*last)->next;
    }
    second_take(bed->second, lines);
}

/* Waits until the file has so many lines with the text. */
static void wait_for(const char *path, const char *text, size_t count)
{
    struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < WAIT_SECONDS * 100 && count_in(path, text) < count; i++)
        nanosleep(&pause, NULL);
    cr_assert_eq(count_in(path, text), count, "%s", text);
}

Test(second, writes_what_it_is_given_in_order)
{
    struct bed bed;
    static char line[CONVERTED_MAX + 1];
    bed_make(&bed);
    bed_open(&bed);
    give(&bed, "one", 1);
    give(&bed, "many", 200);
    give(&bed, "last", 1);
    second_close(bed.second);
    FILE *file = fopen(bed.second_path, "re");
    cr_assert_not_null(file);
    json_int_t seq = 0;
    while (fgets(line, sizeof(line), file)) {
        json_t *root = json_loads(line, 0, NULL);
        json_t *event = json_object_get(root, "event");
        cr_assert_eq(json_integer_value(json_object_get(event, "sequence")), ++seq);
        json_decref(root);
    }
    fclose(file);
    cr_expect_eq(seq, 202);
    struct stat st;
    cr_assert_eq(stat(bed.second_path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0640);
    cr_expect_eq(count_in(bed.said_path, "second"), 0);
    bed_free(&bed);
}

Test(second, goes_on_behind_a_torn_line)
{
    struct bed bed;
    bed_make(&bed);
    bed_open(&bed);
    give(&bed, "before", 3);
    second_close(bed.second);
    FILE *file = fopen(bed.second_path, "ae");
    fputs("{\"@timestamp\":\"2026-1", file);
    fclose(file);
    bed_open(&bed);
    give(&bed, "after", 2);
    second_close(bed.second);
    cr_expect_eq(count_in(bed.second_path, "\"@timestamp\":\""), 5);
    cr_expect_eq(count_in(bed.second_path, "\"code\":\"after\""), 2);
    bed_free(&bed);
}

Test(second, rotates_with_the_limits_of_the_log)
{
    struct bed bed;
    char pattern[160], found[256];
    bed_make(&bed);
    bed.options.max_size = 1;
    bed.options.keep = 3;
    bed_open(&bed);
    for (size_t i = 0; i < 6; i++) {
        char type[16];
        snprintf(type, sizeof(type), "kind-%zu", i);
        give(&bed, type, 1);
        /* each in a group of its own: the file before it has been renamed */
        struct timespec pause = {.tv_nsec = 10000000};
        bool there = false;
        snprintf(pattern, sizeof(pattern), "ls %s/ecs-audit-*Z-%zu.jsonl 2>/dev/null", bed.dir,
                 i + 1);
        for (int tries = 0; !there && tries < WAIT_SECONDS * 100; tries++) {
            FILE *list = popen(pattern, "re");
            there = fgets(found, sizeof(found), list) != NULL;
            pclose(list);
            nanosleep(&pause, NULL);
        }
        cr_assert(there, "%s", pattern);
    }
    second_close(bed.second);
    snprintf(pattern, sizeof(pattern), "ls %s/ecs-audit-*.jsonl | wc -l", bed.dir);
    FILE *list = popen(pattern, "re");
    cr_assert_not_null(fgets(found, sizeof(found), list));
    pclose(list);
    cr_expect_eq(atoi(found), 3);
    bed_free(&bed);
}

Test(second, opens_its_path_anew)
{
    struct bed bed;
    struct timespec pause = {.tv_nsec = 10000000};
    char moved[160];
    bed_make(&bed);
    bed_open(&bed);
    give(&bed, "before", 1);
    wait_for(bed.second_path, "\"code\":\"before\"", 1);
    snprintf(moved, sizeof(moved), "%s.1", bed.second_path);
    cr_assert_eq(rename(bed.second_path, moved), 0);
    second_reopen(bed.second);
    for (int i = 0; i < WAIT_SECONDS * 100 && !count_in(bed.second_path, "\"code\":\"after\"");
         i++) {
        give(&bed, "after", 1);
        nanosleep(&pause, NULL);
    }
    second_close(bed.second);
    cr_expect_eq(count_in(moved, "\"code\":\"before\""), 1);
    cr_expect_gt(count_in(bed.second_path, "\"code\":\"after\""), 0);
    cr_expect_eq(count_in(bed.second_path, "\"code\":\"") + count_in(moved, "\"code\":\""),
                 bed.seq);
    bed_free(&bed);
}

Test(second, says_once_what_it_leaves_out)
{
    struct bed bed;
    bed_make(&bed);
    cr_assert_eq(mkdir(bed.second_path, 0700), 0); /* in its way */
    bed_open(&bed);
    for (size_t i = 0; i < 10; i++)
        give(&bed, "lost", 10);
    second_close(bed.second);
    cr_expect_eq(count_in(bed.said_path, "records are left out of it"), 1);
    cr_expect_eq(count_in(bed.said_path, "records left out: 100"), 1);
    bed_free(&bed);
}

Test(second, comes_back_when_the_file_can_be_written)
{
    struct bed bed;
    struct timespec pause = {.tv_nsec = 10000000};
    bed_make(&bed);
    cr_assert_eq(mkdir(bed.second_path, 0700), 0);
    bed_open(&bed);
    give(&bed, "lost", 1);
    wait_for(bed.said_path, "records are left out of it", 1);
    cr_assert_eq(rmdir(bed.second_path), 0);
    for (int i = 0; i < WAIT_SECONDS * 100 && !count_in(bed.second_path, "\"code\":\"kept\"");
         i++) {
        give(&bed, "kept", 1);
        nanosleep(&pause, NULL);
    }
    second_close(bed.second);
    cr_expect_gt(count_in(bed.second_path, "\"code\":\"kept\""), 0);
    cr_expect_eq(count_in(bed.said_path, "records left out: "), 1);
    bed_free(&bed);
}

/* One list of more than there is room for, so that the thread cannot make any meanwhile. */
Test(second, bounds_what_waits)
{
    struct bed bed;
    bed_make(&bed);
    bed_open(&bed);
    struct audit_line *one = make_line(&bed, "probe");
    size_t fit = SECOND_MOST / audit_line_size(one);
    free(one);
    bed.seq = 0;
    give(&bed, "probe", fit + 7);
    second_close(bed.second);
    cr_expect_eq(count_in(bed.second_path, "\"code\":\"probe\""), fit);
    cr_expect_eq(count_in(bed.said_path, "cannot keep up"), 1);
    cr_expect_eq(count_in(bed.said_path, "records left out: 7"), 1);
    bed_free(&bed);
}
