/* SPDX-License-Identifier: Apache-2.0 */
/* The image of a probe's container. grpc_init() must have been called. */
#ifndef CRIGATE_CLI_VERIFY_IMAGE_H
#define CRIGATE_CLI_VERIFY_IMAGE_H

#include "base/err.h"
#include "base/own.h"

enum image_presence { IMAGE_ABSENT, IMAGE_PRESENT };

/* Asks containerd, through the gate, for `image`, a name or an id. -1: it does not tell. */
int verify_image_find(const char *gate, const char *image, enum image_presence *presence,
                      struct err *err) MUST_CHECK;

/*
 * Brings the embedded image into containerd, whose socket is `containerd`, unless it is there, and
 * waits until its CRI knows it. The CRI cannot import, so containerd's own `ctr` does it. On -1 the
 * image may be there all the same: verify_image_remove() is due either way.
 */
int verify_image_bring(const char *gate, const char *containerd, struct err *err) MUST_CHECK;

/* Removes the embedded image; it is no error when it is not there. */
int verify_image_remove(const char *gate, struct err *err) MUST_CHECK;

#endif
