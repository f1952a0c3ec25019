/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices that a container asks for: host paths, and CDI names VENDOR/CLASS=NAME. A runtime
 * that cannot have devices may list globs over those that it can have all the same.
 */
#ifndef CRIGATE_POLICY_DEVICE_H
#define CRIGATE_POLICY_DEVICE_H

#include "base/str.h"

/* Whether an absolute path (or a glob over such) has no part that is empty, `.` or `..`: then it
 * means what it says, whatever the `*` of a glob stands for. */
bool device_path_is_clean(struct str path);

/* Whether `device` is a clean absolute path or a CDI name; nothing else is ever listed. */
bool device_can_be_listed(struct str device);

/* False only when `glob` surely matches no such device. Source: the Container Device Interface's
 * form of a qualified device name, https://github.com/cncf-tags/container-device-interface. */
bool device_glob_can_match(struct str glob);

#endif
