/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between client and containerd in the benchmark: nothing, the gate, or a proxy. */
#ifndef CRIGATE_TESTS_BENCH_PEER_H
#define CRIGATE_TESTS_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "load.h"

struct peer {
    const char *name;
    char socket[128];
    pid_t pid;        /* 0: direct, there is no process */
    bool in_memory;   /* of crigate: its audit file is on a tmpfs */
    struct load load; /* opened and closed by the caller */
    double sustained; /* calls a second, of a run of seconds */
};

/* Where the programs and their files are. */
struct bench_paths {
    const char *crigate, *fake;
    const char *dir;    /* on a disk: sockets, settings, an audit file */
    const char *memory; /* on a tmpfs: the other audit file */
    char upstream[128];
};

/* Starts the peer `name`: "direct", "crigate", "crigate-tmpfs", "haproxy" or "nginx", with its own
 * settings in paths->dir, and waits until it listens. Says what is wrong, and returns false, when
 * it does not. */
bool peer_start(struct peer *peer, const char *name, const struct bench_paths *paths, int cpu);

/* The processor time of all its threads so far, ns; 0 for direct. */
uint64_t peer_cpu_ns(const struct peer *peer);

/* Its resident memory now, KiB; 0 for direct. */
uint64_t peer_rss_kib(const struct peer *peer);

#endif
