/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk itself asks for a record: the least that a durable one can cost. */
#ifndef CRIGATE_BENCH_DISK_H
#define CRIGATE_BENCH_DISK_H

/* The median of appending one record's bytes to a file in `dir` and fdatasync(), in microseconds;
 * negative when it cannot be done. */
double disk_sync_us(const char *dir);

#endif
