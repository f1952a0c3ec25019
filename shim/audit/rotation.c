/* SPDX-License-Identifier: Apache-2.0 */
/* Names rotated files, finds them again by their names, deletes the oldest. */
#include "audit/rotation.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/say.h"
#include "base/str.h"

/* A path taken apart: "/var/log/audit.jsonl" is "/var/log/", "audit" and ".jsonl". */
struct parts {
    struct str directory, stem, ending;
};

static struct parts parts_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        dot = name + strlen(name);
    return (struct parts){
        .directory = {.data = path, .len = (size_t)(name - path)},
        .stem = {.data = name, .len = (size_t)(dot - name)},
        .ending = str_of(dot),
    };
}

static void own_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static DIR *open_directory(const struct parts *parts)
{
    OWNED_MEM char *path =
        parts->directory.len ? strndup(parts->directory.data, parts->directory.len) : strdup(".");
    return path ? opendir(path) : NULL;
}

static bool take(const char **at, const char *end, struct str expected)
{
    if ((size_t)(end - *at) < expected.len || memcmp(*at, expected.data, expected.len) != 0)
        return false;
    *at += expected.len;
    return true;
}

static bool take_digits(const char **at, const char *end, size_t least, size_t most)
{
    size_t count = 0;
    while (*at < end && isdigit((unsigned char)**at) && count < most) {
        ++*at;
        count++;
    }
    return count >= least;
}

bool rotation_is_compressed(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0;
}

/* STEM-20261124T001350.123456Z-42ENDING, and .gz */
static bool is_rotated(const struct parts *parts, const char *name)
{
    const char *at = name, *end = name + strlen(name);
    return take(&at, end, parts->stem) && take(&at, end, STR("-")) && take_digits(&at, end, 8, 8) &&
           take(&at, end, STR("T")) && take_digits(&at, end, 6, 6) && take(&at, end, STR(".")) &&
           take_digits(&at, end, 6, 6) && take(&at, end, STR("Z-")) &&
           take_digits(&at, end, 1, 20) && take(&at, end, parts->ending) &&
           (at == end || strcmp(at, ".gz") == 0);
}

/* The newest of the rotated files by name; how many there are. */
static size_t find_newest(const struct parts *parts, char name[NAME_MAX + 1])
{
    OWNED(own_directory) DIR *directory = open_directory(parts);
    const struct dirent *entry;
    size_t count = 0;
    while (directory && (entry = readdir(directory))) {
        if (!is_rotated(parts, entry->d_name))
            continue;
        if (count++ == 0 || strcmp(entry->d_name, name) > 0)
            snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
    }
    return count;
}

/* The time that the name of a rotated file tells; false when there is no such time. */
static bool time_of(const struct parts *parts, const char *name, struct timespec *when)
{
    char text[24]; /* 20261124T001350.123456Z */
    struct tm utc = {0};
    snprintf(text, sizeof(text), "%s", name + parts->stem.len + 1);
    const char *rest = strptime(text, "%Y%m%dT%H%M%S", &utc);
    if (!rest || *rest != '.')
        return false;
    *when = (struct timespec){.tv_sec = timegm(&utc), .tv_nsec = strtol(rest + 1, NULL, 10) * 1000};
    return true;
}

/* Now, but behind every rotated file: when the clock went back, the file that is rotated now would
 * otherwise pass for the oldest, and be the first to be deleted. */
static struct timespec time_for_name(const struct parts *parts, const struct timespec *now)
{
    char newest[NAME_MAX + 1];
    struct timespec last;
    if (!find_newest(parts, newest) || !time_of(parts, newest, &last) ||
        last.tv_sec < now->tv_sec ||
        (last.tv_sec == now->tv_sec && last.tv_nsec / 1000 < now->tv_nsec / 1000))
        return *now;
    last.tv_nsec += 1000;
    if (last.tv_nsec >= 1000000000)
        last = (struct timespec){.tv_sec = last.tv_sec + 1};
    return last;
}

int rotation_rename(const char *path, uint64_t seq, const struct timespec *now,
                    char name[NAME_MAX + 1], struct err *err)
{
    struct parts parts = parts_of(path);
    struct timespec at = time_for_name(&parts, now);
    char when[32];
    struct tm utc = {0};
    gmtime_r(&at.tv_sec, &utc);
    strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc);
    int length = snprintf(name, NAME_MAX + 1, "%.*s-%s.%06ldZ-%" PRIu64 "%.*s", STR_FMT(parts.stem),
                          when, at.tv_nsec / 1000, seq, STR_FMT(parts.ending));
    if (length > NAME_MAX)
        return err_set(err, "audit log %s: cannot be rotated: its name is too long", path);
    char target[PATH_MAX];
    length = snprintf(target, sizeof(target), "%.*s%s", STR_FMT(parts.directory), name);
    if (length >= (int)sizeof(target))
        return err_set(err, "audit log %s: cannot be rotated: its path is too long", path);
    if (renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE) < 0)
        return err_set_errno(err, errno, "audit log %s: cannot be renamed to %s", path, name);
    return 0;
}

bool rotation_newest(const char *path, char name[NAME_MAX + 1])
{
    struct parts parts = parts_of(path);
    return find_newest(&parts, name) > 0;
}

struct names {
    char **items;
    size_t count, room;
};

static void own_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 16;
        char **items = reallocarray(names->items, room, sizeof(*items));
        if (!items)
            return false;
        names->items = items;
        names->room = room;
    }
    char *copy = strdup(name);
    if (copy)
        names->items[names->count++] = copy;
    return copy != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One look at the directory, however many there are: callers wait for the thread that does it. */
static bool list(DIR *directory, const struct parts *parts, struct names *names)
{
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (is_rotated(parts, entry->d_name) && !names_add(names, entry->d_name))
            return false;
    }
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), by_name);
    return true;
}

void rotation_prune(const char *path, uint32_t keep)
{
    struct parts parts = parts_of(path);
    if (keep == 0)
        return;
    OWNED(own_directory) DIR *directory = open_directory(&parts);
    OWNED(own_names) struct names names = {0};
    if (!directory || !list(directory, &parts, &names)) {
        say_warn("audit log %s: its old files cannot be listed: %s", path, strerror(errno));
        return;
    }
    /* One that stays, whatever the cause, does not keep the others. */
    for (size_t i = 0; i + keep < names.count; i++) {
        if (unlinkat(dirfd(directory), names.items[i], 0) < 0)
            say_warn("audit log %s: the old file %s cannot be deleted: %s", path, names.items[i],
                     strerror(errno));
    }
}
