/* SPDX-License-Identifier: Apache-2.0 */
/* The one setting of gRPC's C++ library that is ours to make. For the first time before other
 * threads start; again, it changes nothing, from any thread. */
#ifndef CRIGATE_GATE_ABSEIL_H
#define CRIGATE_GATE_ABSEIL_H

/* Turns off the watch for lock cycles, a debugging aid that is on in Debian's build and takes 15 %
 * of a call's instructions. Another build keeps its own mode. */
void abseil_ignore_lock_cycles(void);

#endif
