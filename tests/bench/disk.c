/* SPDX-License-Identifier: Apache-2.0 */
/* Appends and syncs, as one record by itself would be. */
#include "disk.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SYNCS 101
#define RECORD_BYTES 900 /* a decision's record is about so long */

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double measure(int fd)
{
    static const char record[RECORD_BYTES];
    double took[SYNCS];
    for (size_t i = 0; i < SYNCS; i++) {
        double start = now_us();
        if (write(fd, record, sizeof(record)) != (ssize_t)sizeof(record) || fdatasync(fd) < 0)
            return -1;
        took[i] = now_us() - start;
    }
    qsort(took, SYNCS, sizeof(*took), by_value);
    return took[SYNCS / 2];
}

double disk_sync_us(const char *dir)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/sync", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    double median = measure(fd);
    close(fd);
    unlink(path);
    return median;
}
