/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the files of a log, puts them in order, and cuts them into lines. */
#include "audit/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <zlib.h>

#include "audit/record.h"
#include "audit/record_scan.h"

#define BUFFER_SIZE ((size_t)256 * 1024)

struct segment {
    char *path;
    char first_time[40]; /* of its first record; empty: not known */
    dev_t dev;
    ino_t ino;
};

struct segments {
    struct segment *files;
    size_t count, next; /* files; the one to be opened next */

    gzFile file; /* open now, or NULL */
    uint64_t number;
    size_t start, end; /* what of the buffer is not told yet */
    bool is_over;      /* nothing is left to be read */
    char buffer[BUFFER_SIZE];
};

/* --- the files ----------------------------------------------------------------------------- */

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static gzFile open_file(const char *path, struct err *err)
{
    OWNED_FD int fd = is_stdin(path) ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set_errno(err, errno, "%s", path);
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        err_set_errno(err, EISDIR, "%s", path);
        return NULL;
    }
    gzFile file = gzdopen(fd, "r");
    if (!file) {
        err_set(err, "%s: out of memory", path);
        return NULL;
    }
    steal_fd(&fd);
    gzbuffer(file, (unsigned)BUFFER_SIZE);
    return file;
}

static void own_gz(gzFile *file)
{
    if (*file)
        gzclose(*file);
}

static int note_first_time(struct segment *segment, struct err *err)
{
    OWNED(own_gz) gzFile file = open_file(segment->path, err);
    if (!file)
        return -1;
    char line[RECORD_MAX];
    int got = gzread(file, line, sizeof(line));
    const char *newline = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
    struct record_scan scan;
    if (newline && record_scan((struct str){.data = line, .len = (size_t)(newline - line)}, &scan))
        snprintf(segment->first_time, sizeof(segment->first_time), "%.*s", STR_FMT(scan.time));
    return 0;
}

static bool is_there(const struct segments *segments, const struct stat *st)
{
    for (size_t i = 0; i < segments->count; i++) {
        if (segments->files[i].dev == st->st_dev && segments->files[i].ino == st->st_ino)
            return true;
    }
    return false;
}

static int add_file(struct segments *segments, const char *path, struct err *err)
{
    struct stat st;
    if ((is_stdin(path) ? fstat(STDIN_FILENO, &st) : stat(path, &st)) < 0)
        return err_set_errno(err, errno, "%s", path);
    if (is_there(segments, &st))
        return 0;
    struct segment *files =
        reallocarray(segments->files, segments->count + 1, sizeof(*segments->files));
    if (!files)
        return err_set(err, "%s: out of memory", path);
    segments->files = files;
    struct segment *segment = &files[segments->count];
    *segment = (struct segment){.path = strdup(path), .dev = st.st_dev, .ino = st.st_ino};
    if (!segment->path)
        return err_set(err, "%s: out of memory", path);
    segments->count++;
    /* What a pipe has told, it does not tell again. */
    return is_stdin(path) || !S_ISREG(st.st_mode) ? 0 : note_first_time(segment, err);
}

/* A name that is there is that file, whatever characters it is made of. */
static int add_pattern(struct segments *segments, const char *pattern, struct err *err)
{
    struct stat st;
    if (is_stdin(pattern) || stat(pattern, &st) == 0)
        return add_file(segments, pattern, err);
    OWNED(globfree) glob_t found = {0};
    int failed = glob(pattern, 0, NULL, &found);
    if (failed == GLOB_NOMATCH)
        return err_set(err, "%s: there is no such file", pattern);
    if (failed)
        return err_set(err, "%s: cannot be searched for", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (add_file(segments, found.gl_pathv[i], err) < 0)
            return -1;
    }
    return 0;
}

/* By insertion, which leaves a file without a time behind the one that it was given behind. */
static void sort_files(struct segments *segments)
{
    for (size_t i = 1; i < segments->count; i++) {
        struct segment moved = segments->files[i];
        size_t at = i;
        while (at > 0 && moved.first_time[0] && segments->files[at - 1].first_time[0] &&
               strcmp(segments->files[at - 1].first_time, moved.first_time) > 0) {
            segments->files[at] = segments->files[at - 1];
            at--;
        }
        segments->files[at] = moved;
    }
}

int segments_open(const char *const *patterns, size_t count, struct segments **segments,
                  struct err *err)
{
    OWNED(own_segments) struct segments *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "out of memory");
    for (size_t i = 0; i < count; i++) {
        if (add_pattern(made, patterns[i], err) < 0)
            return -1;
    }
    sort_files(made);
    *segments = steal_ptr(&made);
    return 0;
}

void segments_close(struct segments *segments)
{
    if (!segments)
        return;
    for (size_t i = 0; i < segments->count; i++)
        free(segments->files[i].path);
    own_gz(&segments->file);
    free(segments->files);
    free(segments);
}

/* --- the lines ----------------------------------------------------------------------------- */

static const char *path_now(const struct segments *segments)
{
    return segments->files[segments->next - 1].path;
}

static void leave_file(struct segments *segments)
{
    own_gz(&segments->file);
    segments->file = NULL;
    segments->start = segments->end = 0;
    segments->number = 0;
    segments->is_over = false;
}

static int fail_file(struct segments *segments, const char *why, struct err *err)
{
    err_set(err, "%s:%llu: cannot be read on: %s", path_now(segments),
            (unsigned long long)segments->number + 1, why);
    leave_file(segments);
    return -1;
}

/* Reads behind what is there, which is moved to the front first. */
static int fill(struct segments *segments, struct err *err)
{
    if (segments->start > 0) {
        segments->end -= segments->start;
        memmove(segments->buffer, segments->buffer + segments->start, segments->end);
        segments->start = 0;
    }
    int got = gzread(segments->file, segments->buffer + segments->end,
                     (unsigned)(BUFFER_SIZE - segments->end));
    int failed = Z_OK;
    const char *why = gzerror(segments->file, &failed);
    /* Of a .gz that is cut off, what is there comes first. */
    if (got < 0 || (got == 0 && failed == Z_BUF_ERROR))
        return fail_file(segments, failed == Z_ERRNO ? strerror(errno) : why, err);
    segments->end += (size_t)got;
    segments->is_over = got == 0;
    return 0;
}

static void tell(struct segments *segments, size_t length, struct segment_line *line)
{
    size_t most = RECORD_MAX - 1;
    *line = (struct segment_line){
        .text = {.data = segments->buffer + segments->start, .len = length < most ? length : most},
        .file = path_now(segments),
        .number = ++segments->number,
        .too_long = length > most,
    };
}

/* Passes over the rest of a line that does not fit the buffer. */
static int skip_rest(struct segments *segments, struct err *err)
{
    char *newline = NULL;
    while (!newline && !segments->is_over) {
        segments->start = segments->end = 0;
        if (fill(segments, err) < 0)
            return -1;
        newline = memchr(segments->buffer, '\n', segments->end);
    }
    segments->start = newline ? (size_t)(newline - segments->buffer) + 1 : segments->end;
    return 0;
}

/* 1 and the next line of the open file, 0 at its end, -1. */
static int next_of_file(struct segments *segments, struct segment_line *line, struct err *err)
{
    size_t looked = 0; /* bytes without a newline */
    for (;;) {
        char *from = segments->buffer + segments->start;
        size_t left = segments->end - segments->start;
        char *newline = left > looked ? memchr(from + looked, '\n', left - looked) : NULL;
        if (newline) {
            tell(segments, (size_t)(newline - from), line);
            segments->start += (size_t)(newline - from) + 1;
            return 1;
        }
        looked = left;
        if (segments->is_over || looked == BUFFER_SIZE)
            break;
        if (fill(segments, err) < 0)
            return -1;
    }
    if (looked == 0)
        return 0;
    if (looked == BUFFER_SIZE) {
        static const char shown[] = "(too long)";
        tell(segments, looked, line);
        line->text = (struct str){.data = shown, .len = sizeof(shown) - 1};
        return skip_rest(segments, err) < 0 ? -1 : 1;
    }
    tell(segments, looked, line);
    line->torn = true;
    segments->start = segments->end;
    return 1;
}

int segments_next(struct segments *segments, struct segment_line *line, struct err *err)
{
    for (;;) {
        if (!segments->file) {
            if (segments->next == segments->count)
                return 0;
            segments->file = open_file(segments->files[segments->next++].path, err);
            if (!segments->file)
                return -1;
        }
        int got = next_of_file(segments, line, err);
        if (got != 0)
            return got;
        leave_file(segments);
    }
}
