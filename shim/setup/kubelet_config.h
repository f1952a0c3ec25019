/* SPDX-License-Identifier: Apache-2.0 */
/* `containerRuntimeEndpoint` in a KubeletConfiguration, YAML or JSON: one line changes. */
#ifndef CRIGATE_SETUP_KUBELET_CONFIG_H
#define CRIGATE_SETUP_KUBELET_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

/*
 * What stands there: `*endpoint` is "" when the key is missing or empty, which is containerd's own
 * default socket. -1: not a KubeletConfiguration that can be read. Any thread.
 */
int kubelet_config_endpoint(const char *path, struct str text, struct arena *arena,
                            struct str *endpoint, struct err *err) MUST_CHECK;

/*
 * The same text with `endpoint` there; every other byte as it was. `endpoint` is made of the
 * characters of a path. Reads the result back: nothing else has changed in what it says.
 */
int kubelet_config_set(const char *path, struct str text, const char *endpoint, struct arena *arena,
                       struct str *changed, struct err *err) MUST_CHECK;

#endif
