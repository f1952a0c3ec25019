/* SPDX-License-Identifier: Apache-2.0 */
/* The image that `crigate verify` brings along: one static program, packed by pack-image. */
#ifndef CRIGATE_PROBE_IMAGE_H
#define CRIGATE_PROBE_IMAGE_H

#include <stddef.h>

extern const char probe_image_name[]; /* what it is called in containerd */
extern const char probe_image_id[];   /* "sha256:..." of its configuration: the id in the CRI */
extern const unsigned char probe_image_archive[]; /* as `ctr images import` takes it */
extern const size_t probe_image_size;             /* bytes of it */

#endif
