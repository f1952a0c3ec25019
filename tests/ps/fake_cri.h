/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A containerd in a thread of the test, as far as `crigate ps` sees it: sandboxes as the test tells
 * them, with labels, namespaces, times and errors.
 */
#ifndef CRIGATE_TESTS_PS_FAKE_CRI_H
#define CRIGATE_TESTS_PS_FAKE_CRI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_sandbox {
    const char *id, *namespace, *name, *handler; /* namespace and so on: NULL is empty */
    const char *label, *value;                   /* one label; NULL: none */
    bool not_ready, host_network;
    int64_t created_at;    /* ns since 1970 */
    int status_code;       /* of PodSandboxStatus */
    bool empty_status;     /* its reply has nothing in it */
    const char *status_id; /* the id in its reply; NULL: the sandbox's */
};

struct fake_cri_plan {
    const struct fake_sandbox *sandboxes;
    size_t count;
    int list_code;    /* of ListPodSandbox */
    bool broken_list; /* its reply is no protobuf */
    bool hang;        /* it is not answered */
};

struct fake_cri;

/* grpc_init() must have been called. The plan is borrowed until fake_cri_stop(). */
struct fake_cri *fake_cri_start(const char *socket, const struct fake_cri_plan *plan);
void fake_cri_stop(struct fake_cri *fake);

/* Calls so far: of PodSandboxStatus; of anything but it and ListPodSandbox; and the most
 * PodSandboxStatus calls that were open at once. */
size_t fake_cri_statuses(const struct fake_cri *fake);
size_t fake_cri_others(const struct fake_cri *fake);
size_t fake_cri_peak(const struct fake_cri *fake);

#endif
