/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StatusResponse.runtime_handlers, rewritten: the names that the kubelet may ask by, each with the
 * features that containerd tells of the runtime it means. Any thread.
 */
#ifndef CRIGATE_GATE_INSPECT_STATUS_H
#define CRIGATE_GATE_INSPECT_STATUS_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/policy.h"

/*
 * `*rewritten` is `reply` with other runtime_handlers: one entry for each name that `policy` knows,
 * "" for the default, if containerd has its runtime; the entry is that runtime's own, under the
 * name. Every other field is as it came, to the byte. A reply without runtime_handlers, which an
 * older containerd gives, stays as it is. Lives in `arena`. -1: the reply cannot be read, or memory
 * is out: it is to go on as it came.
 */
int inspect_status(const struct policy *policy, struct str reply, struct arena *arena,
                   struct str *rewritten, struct err *err) MUST_CHECK;

/* The names in runtime_handlers, none from an older containerd; they borrow from `reply`. -1: the
 * reply cannot be read, or memory is out. */
int inspect_handlers(struct str reply, struct arena *arena, struct str **names, size_t *count,
                     struct err *err) MUST_CHECK;

#endif
