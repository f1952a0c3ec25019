/* SPDX-License-Identifier: Apache-2.0 */
/* Containerd's main file and what it imports, read. */
#ifndef CRIGATE_SETUP_CONTAINERD_FILES_H
#define CRIGATE_SETUP_CONTAINERD_FILES_H

#include "setup/containerd.h"

struct containerd_file {
    const char *path; /* behind symbolic links */
    struct placed placed;
    struct toml toml;
};

struct containerd_files {
    struct containerd_file *items; /* the main one, then the imports in the order of their load */
    size_t count;
    unsigned version;
    const char *
        drop_in_dir; /* of an import directory of TOML files, under the root; NULL: there is none */
};

/* A main file that does not exist is one without text. -1 as containerd_plan_make(). */
int containerd_files_read(const struct containerd_request *request, struct arena *arena,
                          struct containerd_files *files, struct err *err) MUST_CHECK;

#endif
