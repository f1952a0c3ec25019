/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's test bed. */
#include "audit_bed.h"
#include "audit/record_scan.h"
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

struct faults faults;

int fdatasync(int fd)
{
    faults.syncs++;
    if (faults.hold) {
        sem_post(&faults.held);
        sem_wait(&faults.go);
    }
    if (faults.fdatasync_errno) {
        errno = faults.fdatasync_errno;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t length)
{
    if (faults.ftruncate_errno) {
        errno = faults.ftruncate_errno;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, length);
}

void bed_make(struct bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    bed->options = (struct audit_options){.node = STR("node-1"), .owner = -1, .group = -1};
    sem_init(&faults.held, 0, 0);
    sem_init(&faults.go, 0, 0);
    snprintf(bed->dir, sizeof(bed->dir), "/tmp/crigate-audit-XXXXXX");
    cr_assert_not_null(mkdtemp(bed->dir));
    snprintf(bed->path, sizeof(bed->path), "%s/audit.jsonl", bed->dir);
    char log[128];
    snprintf(log, sizeof(log), "%s/said", bed->dir);
    bed->said = open(log, O_RDWR | O_CREAT | O_APPEND, 0600);
    cr_assert_geq(bed->said, 0);
    unlink(log);
    cr_assert_geq(dup2(bed->said, STDERR_FILENO), 0);
}

void bed_open(struct bed *bed)
{
    struct err err;
    bed->options.path = bed->path;
    cr_assert_eq(audit_open(&bed->options, &bed->audit, &err), 0, "%s", err.text);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void bed_free(struct bed *bed)
{
    audit_close(bed->audit);
    umount2(bed->dir, MNT_DETACH);
    nftw(bed->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    close(bed->said);
}

void bed_mount(struct bed *bed, const char *size)
{
    char options[64];
    snprintf(options, sizeof(options), "size=%s", size);
    if (geteuid() == 0)
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
    else
        cr_assert_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    cr_assert_eq(mount("tmpfs", bed->dir, "tmpfs", 0, options), 0);
}

static void note(void *cookie, const struct err *error)
{
    struct outcome *outcome = cookie;
    outcome->times++;
    outcome->failed = error != NULL;
    if (error)
        outcome->err = *error;
    sem_post(&outcome->told);
}

void bed_send(struct bed *bed, struct outcome *outcome)
{
    struct audit_event event = {.type = "pod.decision", .message = STR("a record of a test")};
    struct err err;
    memset(outcome, 0, sizeof(*outcome));
    sem_init(&outcome->told, 0, 0);
    cr_assert_eq(audit_record(bed->audit, &event, note, outcome, &err), AUDIT_QUEUED, "%s",
                 err.text);
}

static void wait_for(sem_t *sem)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    int got;
    while ((got = sem_timedwait(sem, &until)) < 0 && errno == EINTR)
        ;
    cr_assert_eq(got, 0, "waited 20 s in vain");
}

void bed_wait(struct outcome *outcome)
{
    wait_for(&outcome->told);
}

const char *bed_record(struct bed *bed)
{
    static struct outcome outcome;
    bed_send(bed, &outcome);
    bed_wait(&outcome);
    return outcome.failed ? outcome.err.text : NULL;
}

size_t bed_read(const struct bed *bed, long *seqs)
{
    OWNED_FILE FILE *file = fopen(bed->path, "re");
    OWNED_MEM char *line = NULL;
    size_t room = 0, count = 0;
    ssize_t len;
    while (file && (len = getline(&line, &room, file)) > 0) {
        cr_assert_eq(line[len - 1], '\n', "a torn line: %s", line);
        json_t *root = json_loadb(line, (size_t)len - 1, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(root, "not a record: %s", line);
        const char *type = json_string_value(json_object_get(root, "type"));
        cr_assert_lt(count, 4096);
        if (!type || (strcmp(type, "segment.open") != 0 && strncmp(type, "audit.", 6) != 0))
            seqs[count++] = (long)json_integer_value(json_object_get(root, "seq"));
        json_decref(root);
    }
    return count;
}

size_t bed_chain(const char *path, char head[RECORD_HASH_SIZE])
{
    OWNED_FILE FILE *file = fopen(path, "re");
    OWNED_MEM char *line = NULL;
    size_t room = 0, count = 0;
    ssize_t length;
    cr_assert_not_null(file, "%s", path);
    while ((length = getline(&line, &room, file)) > 0) {
        struct record_scan scan;
        struct err err;
        cr_assert(record_scan((struct str){.data = line, .len = (size_t)length - 1}, &scan), "%s",
                  line);
        cr_assert(str_eq(scan.prev, str_of(head)), "line %zu of %s: %s", count + 1, path, line);
        cr_assert_eq(sha256_hex((struct str){.data = line, .len = (size_t)length}, head, &err), 0);
        count++;
    }
    return count;
}

json_t *bed_find(const char *path, const char *type)
{
    OWNED_FILE FILE *file = fopen(path, "re");
    json_t *root;
    while (file && (root = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
        if (strcmp(json_string_value(json_object_get(root, "type")), type) == 0)
            return root;
        json_decref(root);
    }
    return NULL;
}

const char *bed_said(struct bed *bed)
{
    ssize_t len = pread(bed->said, bed->text, sizeof(bed->text) - 1, 0);
    cr_assert_geq(len, 0);
    bed->text[len] = '\0';
    return bed->text;
}
