/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership helpers: an owned local starts NULL or -1 and is released when it leaves its scope;
 * steal_ptr() and steal_fd() hand it over. A borrowed pointer is const.
 */
#ifndef CRIGATE_BASE_OWN_H
#define CRIGATE_BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* Declares a local that `fn(&local)` releases at the end of its scope. */
#define OWNED(fn) __attribute__((cleanup(fn)))

/* Defines `name`, a cleanup function that hands a non-NULL pointer of `type` to `free_fn`. */
#define DEFINE_OWNED(name, type, free_fn)   \
    static inline void name(type **pointer) \
    {                                       \
        if (*pointer)                       \
            free_fn(*pointer);              \
    }

static inline void own_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void own_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void own_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define OWNED_MEM OWNED(own_free)
#define OWNED_FD OWNED(own_fd)
#define OWNED_FILE OWNED(own_file)

/* The value of an owned local, which no longer owns it. */
#define steal_ptr(pointer)                           \
    ({                                               \
        __typeof__(*(pointer)) stolen_ = *(pointer); \
        *(pointer) = NULL;                           \
        stolen_;                                     \
    })

static inline int steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

#endif
