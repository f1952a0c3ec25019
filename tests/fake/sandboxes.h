/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxes that a test has told the fake of, and what it then answers about them. */
#ifndef CRIGATE_TESTS_FAKE_SANDBOXES_H
#define CRIGATE_TESTS_FAKE_SANDBOXES_H

#include <grpc/grpc.h>
#include <stdbool.h>

/* Zeroed: a test has told nothing. */
struct sandboxes {
    char *text; /* lines "ID HANDLER" */
};

/* Forgets those of before. */
void sandboxes_set(struct sandboxes *sandboxes, grpc_slice text);

/* A ListPodSandboxResponse, the caller's; NULL while nothing is told. */
grpc_byte_buffer *sandboxes_list(const struct sandboxes *sandboxes);

/* A PodSandboxStatusResponse, the caller's, for the request; as containerd, it takes a unique
 * beginning of an id, too. NULL: there is none. */
grpc_byte_buffer *sandboxes_status(const struct sandboxes *sandboxes, grpc_slice request);

#endif
