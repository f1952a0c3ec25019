/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gate knows about gRPC methods by their path: which services pass, which calls are
 * judged or read, and which are plain unary and so take the short way. Anything else of a service
 * that passes is relayed in full duplex, known today or not.
 */
#ifndef CRIGATE_GATE_METHOD_H
#define CRIGATE_GATE_METHOD_H

#include "base/str.h"

/* A request of more bytes is refused: the kubelet and containerd end there, too. */
#define METHOD_REQUEST_MAX ((size_t)16 * 1024 * 1024)

/* Zero is the safe one: a service that does not pass. */
enum method_kind {
    METHOD_FOREIGN,
    METHOD_RUN_POD_SANDBOX,
    METHOD_RESTORE_POD,
    METHOD_REMOVE_POD_SANDBOX,
    METHOD_CREATE_CONTAINER,
    METHOD_STATUS,      /* whose answer names the runtimes */
    METHOD_IMAGE,       /* with an ImageSpec in the request */
    METHOD_LIST_IMAGES, /* with one in the filter */
    METHOD_UNARY,
    METHOD_DUPLEX,
};

struct method {
    const char *path; /* "/runtime.v1.RuntimeService/Version" */
    enum method_kind kind;
};

/* The methods with a way of their own, all of them unary; `*count` of them, static. */
const struct method *method_table(size_t *count);

/* Judges a path letter by letter, as grpc-go does: "/SERVICE/METHOD", no normalisation. */
enum method_kind method_classify(struct str path);

#endif
