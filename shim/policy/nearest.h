/* SPDX-License-Identifier: Apache-2.0 */
/* The declared name that a person most likely meant. */
#ifndef CRIGATE_POLICY_NEAREST_H
#define CRIGATE_POLICY_NEAREST_H

#include "policy/compiled.h"

/* The handler or alias that is a few typing errors away from `name`, or NULL. */
const struct handler_name *nearest_handler(const struct policy *policy, struct str name);

#endif
