/* SPDX-License-Identifier: Apache-2.0 */
/* The version of this program, as meson.build has it. */
#ifndef CRIGATE_BASE_VERSION_H
#define CRIGATE_BASE_VERSION_H

extern const char crigate_version[];

#endif
