/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containerd itself makes of its configuration: `containerd config dump`, which merges
 * defaults, file and imports, and starts nothing.
 */
#ifndef CRIGATE_SETUP_CONTAINERD_DUMP_H
#define CRIGATE_SETUP_CONTAINERD_DUMP_H

#include "setup/toml.h"

/* `path` NULL: the defaults, which are in force while there is no file. -1: containerd cannot be
 * run, or does not take the file; `err` has its words. Lives in `arena`. */
int containerd_dump(const char *path, struct arena *arena, struct toml *dump,
                    struct err *err) MUST_CHECK;

/* The `version` in it, 0 when it has none. */
unsigned containerd_dump_version(const struct toml *dump);

/*
 * Holds what the new lines must do against what containerd makes of them: runsc is there with
 * gVisor's type, and no other setting is another than before. A setting that a dump leaves out and
 * its zero value are the same.
 */
int containerd_dump_compare(const struct toml *before, const struct toml *after,
                            struct arena *arena, struct err *err) MUST_CHECK;

#endif
