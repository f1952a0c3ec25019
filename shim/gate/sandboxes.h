/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandboxes on this node: id -> the handler that containerd runs it under. At most 4 MiB for
 * 10,000 of them, a lookup within a microsecond. One thread at a time.
 */
#ifndef CRIGATE_GATE_SANDBOXES_H
#define CRIGATE_GATE_SANDBOXES_H

#include "base/own.h"
#include "base/str.h"

struct sandboxes;

/* The longest id or handler that is kept; containerd's ids have 64 bytes. A removal of whatever id
 * succeeds, so that a caller could fill the memory with longer ones. */
#define SANDBOX_TEXT_MAX ((size_t)256)

/* NULL: memory is out. */
struct sandboxes *sandboxes_create(void) MUST_CHECK;
void sandboxes_destroy(struct sandboxes *sandboxes);
DEFINE_OWNED(own_sandboxes, struct sandboxes, sandboxes_destroy)

/* Whether `id` is known; then `*handler` is its, valid until the next change. */
bool sandboxes_find(const struct sandboxes *sandboxes, struct str id,
                    struct str *handler) MUST_CHECK;

/* Puts one in, or gives it another handler. Without memory, or with a text over SANDBOX_TEXT_MAX,
 * it is left out: a later question finds nothing, and containerd is asked. */
void sandboxes_put(struct sandboxes *sandboxes, struct str id, struct str handler);
void sandboxes_drop(struct sandboxes *sandboxes, struct str id);

/*
 * A whole list is asked for from now on. At its end, `complete` says whether all of it was put in:
 * then what was not put in since the beginning goes. What is dropped meanwhile stays dropped,
 * though an older answer may still list it: containerd never gives an id twice.
 */
void sandboxes_list_begin(struct sandboxes *sandboxes);
void sandboxes_list_end(struct sandboxes *sandboxes, bool complete);

/* Tells the handler of each, in no order. It must not change the table. */
void sandboxes_each(const struct sandboxes *sandboxes,
                    void (*tell)(void *cookie, struct str handler), void *cookie);

size_t sandboxes_count(const struct sandboxes *sandboxes);

#endif
