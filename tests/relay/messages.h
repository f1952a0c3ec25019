/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRI requests for the tests, with fields that are unknown today around those that are known. The
 * caller owns the slices. An empty text leaves its field out.
 */
#ifndef CRIGATE_TESTS_RELAY_MESSAGES_H
#define CRIGATE_TESTS_RELAY_MESSAGES_H

#include <grpc/slice.h>
#include <stdbool.h>

/* RunPodSandbox of pod agents/NAME. */
grpc_slice message_pod(const char *name, const char *handler);

/* CreateContainer of container "main", attempt 3, of pod agents/build-7. */
grpc_slice message_container(const char *sandbox, const char *device, const char *image_handler);

/* RestorePod of pod agents/build-7; with a device, for its container "sidecar". */
grpc_slice message_restore(const char *handler, const char *device);

/* PullImage, ImageStatus, RemoveImage; in a filter: ListImages. */
grpc_slice message_image(bool in_filter, const char *handler);

/* RemovePodSandbox. */
grpc_slice message_sandbox_id(const char *id);

#endif
