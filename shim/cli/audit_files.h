/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an audit command reads. */
#ifndef CRIGATE_CLI_AUDIT_FILES_H
#define CRIGATE_CLI_AUDIT_FILES_H

#include "base/arena.h"
#include "base/err.h"

#define AUDIT_CONFIG "/etc/crigate/crigate.yaml"

struct audit_files {
    const char **names; /* for segments_open() */
    size_t count;
    const char *live;   /* the one that grows: the last name, or the settings' file */
    struct arena arena; /* owns the names */
};

/* The files given, or, when there is none, the log that the settings in `config` name with all its
 * rotated files, which may be none at all. -1: the settings cannot be read (what is wrong has been
 * printed), or memory is out. Otherwise the caller frees with audit_files_free(). */
int audit_files_find(const char *config, char *const *given, size_t count,
                     struct audit_files *files) MUST_CHECK;
void audit_files_free(struct audit_files *files);

/* A glob, from malloc(), of the names that rotation gives to files of the log at `path`; with
 * `suffix` (".gz" or "") at the end. NULL: memory is out. */
char *audit_files_rotated(const char *path, const char *suffix) MUST_CHECK;

#endif
