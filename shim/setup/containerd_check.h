/* SPDX-License-Identifier: Apache-2.0 */
/* An edit of containerd's configuration, held against containerd itself before it is made. */
#ifndef CRIGATE_SETUP_CONTAINERD_CHECK_H
#define CRIGATE_SETUP_CONTAINERD_CHECK_H

#include "setup/edit.h"
#include "setup/toml.h"

/*
 * Asks containerd what it would make of the edited main file, from a copy in a private directory,
 * and compares with `before`. An import, or a main file with relative imports, can only be looked
 * at in its place; then `*verdict` stays as it is, else it says that containerd agrees.
 */
int containerd_check_edit(const char *main_path, const struct edit *edit, const struct toml *before,
                          struct arena *arena, const char **verdict, struct err *err) MUST_CHECK;

#endif
