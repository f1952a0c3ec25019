/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are followed: replaced, written in place, behind links, gone and back again. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/follow.h"

/* A test that waits for longer has failed. */
#define PATIENCE_MS 20000

static char dir[64], file[128];
static struct follow *followed;
static int told;
static char seen[64]; /* what the file held when it was last told; "(none)": no file */

static const char *at(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    cr_assert_not_null(out, "%s", path);
    fputs(text, out);
    fclose(out);
}

static void note(void *cookie)
{
    FILE *in = fopen(cookie, "re");
    told++;
    strcpy(seen, "(none)");
    if (!in)
        return;
    seen[fread(seen, 1, sizeof(seen) - 1, in)] = '\0';
    fclose(in);
}

/* One round; false when nothing comes for `wait` ms and nothing is due. */
static bool dispatch(int wait)
{
    int timeout = follow_timeout(followed);
    struct pollfd fd = {.fd = follow_fd(followed), .events = POLLIN};
    int got = poll(&fd, 1, timeout < 0 ? wait : timeout);
    follow_dispatch(followed);
    return got > 0 || timeout >= 0;
}

static void drain(void)
{
    while (dispatch(0))
        ;
}

static void expect_seen(const char *text)
{
    for (int rounds = 0; !told || strcmp(seen, text) != 0; rounds++) {
        cr_assert(dispatch(PATIENCE_MS), "never told: %s, but %s", text, seen);
        cr_assert_lt(rounds, 10000, "told of %s, not of %s", seen, text);
    }
    drain();
    cr_assert_str_eq(seen, text);
    told = 0;
}

/* What has happened so far, which the system has queued already, is nothing to tell. */
static void expect_silence(void)
{
    drain();
    cr_assert_eq(told, 0, "told: %s", seen);
}

static void start_at(const char *path)
{
    struct err err;
    snprintf(file, sizeof(file), "%s", path);
    cr_assert_eq(follow_create(&followed, &err), 0, "%s", err.text);
    cr_assert_eq(follow_add(followed, file, note, file, &err), 0, "%s", err.text);
}

static void start(const char *text)
{
    write_text(at("policy"), text);
    start_at(at("policy"));
    expect_seen(text);
}

static void set_up(void)
{
    strcpy(dir, "/tmp/crigate-follow-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void tear_down(void)
{
    follow_destroy(followed);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(follow, .init = set_up, .fini = tear_down, .timeout = 60);

Test(follow, tells_once_at_the_start)
{
    start("a");
    expect_silence();
    cr_assert_eq(follow_timeout(followed), -1);
}

Test(follow, sees_a_rename)
{
    start("a");
    for (char text[] = "b"; text[0] < 'k'; text[0]++) {
        write_text(at("new"), text);
        cr_assert_eq(rename(at("new"), file), 0);
        expect_seen(text);
    }
}

Test(follow, sees_a_write_in_place_when_it_is_closed)
{
    start("a");
    FILE *out = fopen(file, "we");
    fputs("half", out);
    fflush(out);
    expect_silence();
    fputs(" and half", out);
    fclose(out);
    expect_seen("half and half");
}

Test(follow, waits_for_the_writer_of_a_new_file)
{
    start("a");
    unlink(file);
    FILE *out = fopen(file, "we");
    fputs("half", out);
    fflush(out);
    expect_silence();
    write_text(at("other"), "x");
    chmod(file, 0600);
    expect_silence();
    fputs(" and half", out);
    fclose(out);
    expect_seen("half and half");
}

Test(follow, does_not_see_an_editor_s_gap)
{
    start("a");
    cr_assert_eq(rename(file, at("policy~")), 0);
    follow_dispatch(followed);
    cr_assert_eq(told, 0);
    cr_assert_gt(follow_timeout(followed), 0);
    write_text(file, "b");
    unlink(at("policy~"));
    expect_seen("b");
}

Test(follow, sees_a_file_go_and_come)
{
    start("a");
    unlink(file);
    expect_seen("(none)");
    write_text(file, "b");
    expect_seen("b");
    unlink(file);
    write_text(at("new"), "c");
    cr_assert_eq(link(at("new"), file), 0);
    expect_seen("c");
}

Test(follow, sees_a_file_whose_directories_come_late)
{
    start_at(at("x/y/policy"));
    expect_seen("(none)");
    mkdir(at("x"), 0700);
    mkdir(at("x/y"), 0700);
    write_text(file, "a");
    expect_seen("a");
    cr_assert_eq(rename(at("x"), at("z")), 0);
    expect_seen("(none)");
    mkdir(at("x"), 0700);
    cr_assert_eq(rename(at("z/y"), at("x/y")), 0);
    expect_seen("a");
    write_text(file, "b");
    expect_seen("b");
}

Test(follow, ignores_its_neighbours)
{
    start("a");
    for (int i = 0; i < 100; i++) {
        write_text(at("other"), "x");
        cr_assert_eq(rename(at("other"), at("another")), 0);
        unlink(at("another"));
    }
    expect_silence();
}

/* Nothing at all is queued: a thread that waits for it sleeps on. */
static void expect_sleep(const char *busy)
{
    struct pollfd fd = {.fd = follow_fd(followed), .events = POLLIN};
    for (int i = 0; i < 10; i++) {
        write_text(at(busy), "x");
        unlink(at(busy));
    }
    cr_assert_eq(poll(&fd, 1, 0), 0, "woken by %s", busy);
}

Test(follow, sleeps_beside_a_busy_directory_above)
{
    mkdir(at("x"), 0700);
    mkdir(at("x/y"), 0700);
    write_text(at("x/y/policy"), "a");
    start_at(at("x/y/policy"));
    expect_seen("a");
    expect_sleep("busy");
    expect_sleep("x/busy");
    cr_assert_eq(rename(at("x"), at("z")), 0);
    expect_seen("(none)");
    cr_assert_eq(rename(at("z"), at("x")), 0);
    expect_seen("a");
    expect_sleep("busy"); /* the name that was missing is there again */
    write_text(file, "b");
    expect_seen("b");
}

Test(follow, sees_a_directory_replaced)
{
    mkdir(at("x"), 0700);
    mkdir(at("z"), 0700);
    write_text(at("x/policy"), "a");
    write_text(at("z/policy"), "b");
    start_at(at("x/policy"));
    expect_seen("a");
    cr_assert_eq(renameat2(AT_FDCWD, at("x"), AT_FDCWD, at("z"), RENAME_EXCHANGE), 0);
    expect_seen("b");
    cr_assert_eq(renameat2(AT_FDCWD, at("x"), AT_FDCWD, at("z"), RENAME_EXCHANGE), 0);
    expect_seen("a");
    cr_assert_eq(rename(at("x"), at("y")), 0);
    cr_assert_eq(symlink("z", at("x")), 0);
    expect_seen("b");
    unlink(at("x"));
    cr_assert_eq(rename(at("y"), at("x")), 0);
    expect_seen("a");
    write_text(at("x/policy"), "c");
    expect_seen("c");
}

/* As the kubelet's AtomicWriter: a directory named by the time, its link swapped by a rename, the
 * old directory removed. */
static void publish(const char *version, const char *before, const char *text)
{
    char path[256], old[256];
    mkdir(at(version), 0755);
    snprintf(path, sizeof(path), "%s/policy", at(version));
    write_text(path, text);
    cr_assert_eq(symlink(version, at("..data_tmp")), 0);
    cr_assert_eq(rename(at("..data_tmp"), at("..data")), 0);
    if (!before)
        return;
    snprintf(old, sizeof(old), "%s/policy", at(before));
    unlink(old);
    rmdir(at(before));
}

static int count_watches(void)
{
    char path[64], line[256];
    int count = 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", follow_fd(followed));
    FILE *in = fopen(path, "re");
    while (fgets(line, sizeof(line), in))
        count += strncmp(line, "inotify ", 8) == 0;
    fclose(in);
    return count;
}

Test(follow, sees_a_mounted_ConfigMap_change)
{
    char version[64], before[64] = "..2026_11_23_00", text[16];
    publish(before, NULL, "0");
    cr_assert_eq(symlink("..data/policy", at("policy")), 0);
    start_at(at("policy"));
    expect_seen("0");
    int watches = count_watches();
    for (int i = 1; i < 50; i++) {
        snprintf(version, sizeof(version), "..2026_11_23_%02d", i);
        snprintf(text, sizeof(text), "%d", i);
        publish(version, before, text);
        expect_seen(text);
        strcpy(before, version);
    }
    cr_assert_eq(count_watches(), watches, "watches are left over");
}

Test(follow, sees_links_change)
{
    write_text(at("a"), "a");
    write_text(at("b"), "b");
    mkdir(at("real"), 0700);
    cr_assert_eq(symlink(at("a"), at("real/policy")), 0);
    cr_assert_eq(symlink("real", at("link")), 0);
    start_at(at("link/../link/./policy"));
    expect_seen("a");
    write_text(at("a"), "a2");
    expect_seen("a2");
    cr_assert_eq(symlink("../b", at("real/new")), 0);
    cr_assert_eq(rename(at("real/new"), at("real/policy")), 0);
    expect_seen("b");
    unlink(at("real/policy"));
    expect_seen("(none)");
    cr_assert_eq(symlink("../a", at("real/policy")), 0);
    expect_seen("a2");
    unlink(at("real/policy"));
    cr_assert_eq(symlink("policy", at("real/policy")), 0); /* a loop */
    expect_seen("(none)");
}

Test(follow, sees_another_name_of_the_file_written)
{
    start("a");
    mkdir(at("elsewhere"), 0700);
    cr_assert_eq(link(file, at("elsewhere/name")), 0);
    drain();
    told = 0;
    write_text(at("elsewhere/name"), "b");
    expect_seen("b");
}

Test(follow, looks_at_all_when_events_were_lost)
{
    int most = 0;
    FILE *in = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    cr_assert_eq(fscanf(in, "%d", &most), 1);
    fclose(in);
    start("a");
    for (int i = 0; i <= most / 2; i++) {
        close(open(at("one"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        unlink(at("one"));
    }
    write_text(at("new"), "b");
    cr_assert_eq(rename(at("new"), file), 0);
    expect_seen("b");
}

Test(follow, follows_two_files_in_one_directory)
{
    struct err err;
    static char other[256];
    start("a");
    snprintf(other, sizeof(other), "%s/labels", dir);
    cr_assert_eq(follow_add(followed, other, note, other, &err), 0);
    expect_seen("(none)");
    write_text(other, "x");
    expect_seen("x");
    write_text(file, "b");
    expect_seen("b");
}
