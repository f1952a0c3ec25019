/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ImageSpec.runtime_handler: where a request carries an ImageSpec, the handler in it is read, and
 * put in another's place with every length around it. Any thread.
 */
#ifndef CRIGATE_GATE_INSPECT_IMAGE_H
#define CRIGATE_GATE_INSPECT_IMAGE_H

#include "base/arena.h"
#include "base/err.h"

/* Where the ImageSpec lies in the request. */
enum inspect_image_in {
    IMAGE_IN_REQUEST,   /* field 1: PullImage, ImageStatus, RemoveImage */
    IMAGE_IN_FILTER,    /* field 1 of field 1: ListImages */
    IMAGE_IN_CONTAINER, /* field 2 of field 2: CreateContainer */
};

/*
 * `*handler` borrows from `request`, and is empty when none is given. -1: two decoders could read
 * the way to it, or it, differently; what stands elsewhere in the request is not looked at.
 */
int inspect_image(enum inspect_image_in where, struct str request, struct str *handler,
                  struct err *err) MUST_CHECK;

/* The request with `handler` in place of the one that inspect_image() found, not empty; every other
 * byte but the lengths around it as it was. Lives in `arena`. -1: memory is out. */
int inspect_image_replace(enum inspect_image_in where, struct str request, struct str handler,
                          struct arena *arena, struct str *replaced, struct err *err) MUST_CHECK;

#endif
