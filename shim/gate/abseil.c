/* SPDX-License-Identifier: Apache-2.0 */
/* absl::SetMutexDeadlockDetectionMode(), called from C. */
#include "gate/abseil.h"

#define ON_CYCLE_IGNORE 0 /* absl::OnDeadlockCycle::kIgnore, absl/synchronization/mutex.h */

/* By the name that Debian's build gives it; weak, for builds that name it otherwise. */
extern void set_deadlock_detection(int on_cycle) __asm__(
    "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE") __attribute__((weak));

void abseil_ignore_lock_cycles(void)
{
    if (set_deadlock_detection)
        set_deadlock_detection(ON_CYCLE_IGNORE);
}
