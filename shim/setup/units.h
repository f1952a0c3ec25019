/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's units, through systemctl. Any thread. */
#ifndef CRIGATE_SETUP_UNITS_H
#define CRIGATE_SETUP_UNITS_H

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>

#define UNIT_CONTAINERD "containerd.service"
#define UNIT_KUBELET "kubelet.service"

/* The gate's own, in the order in which they start. */
enum gate_unit { GATE_SOCKET, GATE_SERVICE };
#define GATE_UNITS 2
extern const char *const gate_units[GATE_UNITS];

/* Whether systemd runs this machine. */
bool units_available(void);

/* One that systemctl cannot tell is none: `verb` is "cat" (it is installed), "is-enabled" or
 * "is-active". */
bool unit_is(const char *verb, const char *unit);

/* Does `verb`, and waits until it is done. -1 with systemctl's words, and where to look. */
int unit_do(const char *verb, const char *unit, struct err *err) MUST_CHECK;

#endif
