/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that the build tells the version. */
#include "base/version.h"

const char crigate_version[] = CRIGATE_VERSION;
