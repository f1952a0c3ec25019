/* SPDX-License-Identifier: Apache-2.0 */
/* The table of peers: one word a descriptor, so neither side needs a lock. */
#include "gate/peers.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A pid has 31 bits; the 32nd tells an entry from an empty one. */
#define KNOWN 0x80000000u

void peers_remember(struct peers *peers, int fd, const struct audit_peer *peer)
{
    if (fd >= 0 && fd < PEERS_MAX)
        atomic_store(&peers->by_fd[fd],
                     (uint64_t)peer->uid << 32 | KNOWN | ((uint32_t)peer->pid & ~KNOWN));
}

int peers_find(const struct peers *peers, const char *name, struct audit_peer *peer)
{
    struct str text = str_of(name);
    if (!str_starts(text, STR("fd:")))
        return -1;
    char *end;
    unsigned long fd = strtoul(name + 3, &end, 10);
    if (end == name + 3 || *end || fd >= PEERS_MAX)
        return -1;
    uint64_t word = atomic_load(&peers->by_fd[fd]);
    if (!word)
        return -1;
    *peer = (struct audit_peer){.uid = (uint32_t)(word >> 32),
                                .pid = (int32_t)((uint32_t)word & ~KNOWN)};
    return 0;
}
