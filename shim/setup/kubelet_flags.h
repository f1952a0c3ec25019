/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of the kubelet in unit files and environment files. Pure; any thread. */
#ifndef CRIGATE_SETUP_KUBELET_FLAGS_H
#define CRIGATE_SETUP_KUBELET_FLAGS_H

#include "base/arena.h"

struct kubelet_flag {
    struct str value; /* borrows from the text; may be empty */
    uint32_t line;
};

/*
 * The next `--name=value` or `--name value` at or behind `*at`, which moves behind it; false when
 * there is none. Lines that are comments are not looked at.
 */
bool kubelet_flag_next(struct str text, const char *name, size_t *at, struct kubelet_flag *flag);

/* The text with `value` in place of each value of the flag; its data is NULL when memory is out. */
struct str kubelet_flag_set(struct str text, const char *name, const char *value,
                            struct arena *arena);

#endif
