/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a verification needs before the first call, and keeps a second one away. */
#include "cli/verify_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "base/file.h"
#include "cli/known_labels.h"
#include "config/policy_file.h"

#define PROC_MAX ((size_t)4096)

void verify_bed_free(struct verify_bed *bed)
{
    own_fd(&bed->lock);
    if (bed->labels)
        node_labels_unref(bed->labels);
    if (bed->policy)
        policy_unref(bed->policy);
    settings_free(&bed->settings);
    arena_free(&bed->arena);
}

/* Two at a time would remove each other's pods. The settings' file is there and is nobody else's to
 * lock. */
static int lock_out_others(struct verify_bed *bed, struct err *err)
{
    const char *path = bed->config;
    bed->lock = open(path, O_RDONLY | O_CLOEXEC);
    if (bed->lock < 0)
        return err_set_errno(err, errno, "%s", path);
    if (flock(bed->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(err, "another `crigate verify` is at work with %s: wait for its end", path);
    return err_set_errno(err, errno, "%s cannot be locked", path);
}

/* The one line of a file in /proc. */
static int read_proc(const char *path, struct arena *arena, struct str *line, struct err *err)
{
    if (file_read(path, PROC_MAX, arena, line, err) < 0)
        return err_wrap(err, "%s", path);
    while (line->len && line->data[line->len - 1] == '\n')
        ((char *)line->data)[--line->len] = '\0';
    return line->len ? 0 : err_set(err, "%s is empty", path);
}

/* What stands in files, each finding printed. */
static int load_files(struct verify_bed *bed)
{
    OWNED_DIAGS struct diags diags = {0};
    if (settings_load(bed->config, &diags, &bed->settings) == 0 &&
        policy_file_load(bed->settings.policy, &diags, &bed->policy) == 0)
        return 0;
    diags_print(&diags, stderr);
    return -1;
}

int verify_bed_load(const char *config, struct verify_bed *bed, struct err *err)
{
    struct str uid;
    bed->config = config;
    if (load_files(bed) < 0)
        return -1;
    if (known_labels_read(&bed->settings, time(NULL), &bed->labels, &bed->labels_trouble) < 0)
        return err_set(err, "memory is out");
    if (lock_out_others(bed, err) < 0 ||
        read_proc("/proc/sys/kernel/random/boot_id", &bed->arena, &bed->host.boot_id, err) < 0 ||
        read_proc("/proc/version", &bed->arena, &bed->host.version, err) < 0 ||
        read_proc("/proc/sys/kernel/random/uuid", &bed->arena, &uid, err) < 0)
        return -1;
    bed->uid = uid.data;
    return 0;
}
