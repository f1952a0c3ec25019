/* SPDX-License-Identifier: Apache-2.0 */
/* CreateContainer between the wire and the policy; as strict as inspect.h. Any thread. */
#ifndef CRIGATE_GATE_INSPECT_CONTAINER_H
#define CRIGATE_GATE_INSPECT_CONTAINER_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/facts.h"

struct container_request {
    struct str sandbox_id;        /* as asked: containerd takes a unique beginning of an id, too */
    struct pod_facts pod;         /* of sandbox_config; its handler is empty */
    struct container_facts facts; /* of config */
    struct str image_handler;     /* ImageSpec.runtime_handler; empty: none */
};

/* Borrows from `request` and `arena`. -1 as inspect_pod(). */
int inspect_container(struct str request, struct arena *arena, struct container_request *asked,
                      struct err *err) MUST_CHECK;

/* The request with `id` in the place of its sandbox_id, every other byte as it was. Lives in
 * `arena`. -1: memory is out, or the request names no sandbox. */
int inspect_container_put_sandbox(struct str request, struct str id, struct arena *arena,
                                  struct str *replaced, struct err *err) MUST_CHECK;

/* The container id in a reply, empty when there is none. Borrows from `reply`. */
struct str inspect_container_id(struct str reply);

#endif
