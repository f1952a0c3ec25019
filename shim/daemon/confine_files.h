/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: what of the file system the process may use from now on, by an allow-list. */
#ifndef CRIGATE_DAEMON_CONFINE_FILES_H
#define CRIGATE_DAEMON_CONFINE_FILES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/own.h"

/* What is allowed in a directory and all below it, or with a file. */
enum confine_access {
    CONFINE_READ,    /* read files, list directories */
    CONFINE_WRITE,   /* that, and make, write and remove files, make directories */
    CONFINE_SOCKETS, /* make sockets, remove files */
};

struct confine_options {
    bool reads;            /* reading is confined, too */
    bool connect;          /* TCP connections may be made; binding is not confined */
    bool abstract_sockets; /* of other processes may be connected to */
};

struct confine_files;

/* -1: the kernel has no Landlock, or it is off, or memory is out. */
int confine_files_begin(const struct confine_options *options, struct confine_files **files,
                        struct err *err) MUST_CHECK;

/* A path that is not there is passed over: whoever needs it says so. */
void confine_files_allow(struct confine_files *files, const char *path, enum confine_access access);

/* For the calling thread, and those that it starts later. It may gain no privileges any more
 * (prctl(2), PR_SET_NO_NEW_PRIVS). Returns the version of Landlock's ABI, or -1. */
int confine_files_end(struct confine_files *files, struct err *err) MUST_CHECK;

/* NULL is allowed. */
void confine_files_free(struct confine_files *files);
DEFINE_OWNED(own_confine_files, struct confine_files, confine_files_free)

#endif
