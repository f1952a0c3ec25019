/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of `crigate verify`, in the wire format of the CRI. Pure; any thread. */
#ifndef CRIGATE_CLI_VERIFY_MESSAGE_H
#define CRIGATE_CLI_VERIFY_MESSAGE_H

#include "base/arena.h"

/* A probe's pod. All borrowed, none NULL. */
struct probe_pod {
    const char *name, *namespace, *uid;
    const char *label; /* a key, by which a later run knows a pod that was left behind */
    const char *cgroup_parent;
    uint32_t attempt;
};

/* Each is made in `arena`; an empty `data` pointer: memory is out. `words` end with a NULL. */
struct str verify_run_request(const struct probe_pod *pod, const char *handler,
                              struct arena *arena) MUST_CHECK;
struct str verify_create_request(const struct probe_pod *pod, const char *sandbox,
                                 const char *image, const char *const *words,
                                 struct arena *arena) MUST_CHECK;
struct str verify_start_request(const char *container, struct arena *arena) MUST_CHECK;
struct str verify_exec_request(const char *container, const char *const *words, int timeout_s,
                               struct arena *arena) MUST_CHECK;
/* Of ImageStatus and of RemoveImage. */
struct str verify_image_request(const char *image, struct arena *arena) MUST_CHECK;

#endif
