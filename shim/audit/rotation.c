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

/* STEM-20261124T001350.123456Z-42ENDING */
static bool is_rotated(const struct parts *parts, const char *name)
{
    const char *at = name, *end = name + strlen(name);
    return take(&at, end, parts->stem) && take(&at, end, STR("-")) && take_digits(&at, end, 8, 8) &&
           take(&at, end, STR("T")) && take_digits(&at, end, 6, 6) && take(&at, end, STR(".")) &&
           take_digits(&at, end, 6, 6) && take(&at, end, STR("Z-")) &&
           take_digits(&at, end, 1, 20) && take(&at, end, parts->ending) && at == end;
}

int rotation_rename(const char *path, uint64_t seq, const struct timespec *now,
                    char name[NAME_MAX + 1], struct err *err)
{
    struct parts parts = parts_of(path);
    char when[32];
    struct tm utc = {0};
    gmtime_r(&now->tv_sec, &utc);
    strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc);
    int length = snprintf(name, NAME_MAX + 1, "%.*s-%s.%06ldZ-%" PRIu64 "%.*s", STR_FMT(parts.stem),
                          when, now->tv_nsec / 1000, seq, STR_FMT(parts.ending));
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

/* The first or last of the rotated files by name, and how many there are. */
static size_t find(const struct parts *parts, bool newest, char name[NAME_MAX + 1])
{
    OWNED(own_directory) DIR *directory = open_directory(parts);
    const struct dirent *entry;
    size_t count = 0;
    while (directory && (entry = readdir(directory))) {
        if (!is_rotated(parts, entry->d_name))
            continue;
        int order = count ? strcmp(entry->d_name, name) : 0;
        if (count++ == 0 || (newest ? order > 0 : order < 0))
            snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
    }
    return count;
}

bool rotation_newest(const char *path, char name[NAME_MAX + 1])
{
    struct parts parts = parts_of(path);
    return find(&parts, true, name) > 0;
}

void rotation_prune(const char *path, uint32_t keep)
{
    struct parts parts = parts_of(path);
    char name[NAME_MAX + 1], target[PATH_MAX];
    while (keep > 0 && find(&parts, false, name) > keep) {
        int length = snprintf(target, sizeof(target), "%.*s%s", STR_FMT(parts.directory), name);
        if (length >= (int)sizeof(target) || unlink(target) < 0) {
            say_warn("audit log %s: the old file %s cannot be deleted: %s", path, name,
                     strerror(errno));
            return;
        }
    }
}
