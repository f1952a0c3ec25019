/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernel a pod ran on, by what that kernel told a program in the pod. Pure; any thread. */
#ifndef CRIGATE_CLI_VERIFY_KERNEL_H
#define CRIGATE_CLI_VERIFY_KERNEL_H

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

/* What a kernel tells of itself; borrowed. */
struct kernel_evidence {
    struct str boot_id; /* /proc/sys/kernel/random/boot_id: one for each boot of each machine; empty
                           when there is none, as in gVisor */
    struct str version; /* /proc/version */
    bool gvisor;        /* its log says that gVisor started */
};

enum probe_kernel {
    KERNEL_UNKNOWN, /* what it said is too little, or contradicts itself */
    KERNEL_HOST,
    KERNEL_GVISOR,
    KERNEL_OTHER, /* a kernel of its own which is not gVisor's: a virtual machine's, or this
                     command does not run on containerd's host */
};

/* Reads what a probe printed: "boot-id: ID", "version: TEXT", "log:", then the kernel's log.
 * -1: it is not whole. */
int kernel_evidence_read(struct str output, struct kernel_evidence *evidence) MUST_CHECK;

enum probe_kernel kernel_evidence_tell(const struct kernel_evidence *evidence,
                                       const struct kernel_evidence *host);

const char *probe_kernel_name(enum probe_kernel kernel); /* for a script */

#endif
