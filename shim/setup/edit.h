/* SPDX-License-Identifier: Apache-2.0 */
/* One file of the node that setup changes: as it is, and as it shall be. */
#ifndef CRIGATE_SETUP_EDIT_H
#define CRIGATE_SETUP_EDIT_H

#include "setup/place.h"

/* Containerd's are put in force before the gate starts, the kubelet's once the gate answers. */
enum edit_stage { EDIT_CONTAINERD, EDIT_KUBELET };

struct edit {
    enum edit_stage stage;
    const char *path;
    struct placed before, after;
    const char *mark; /* a text that is in the file as long as something of ours is */
};

#endif
