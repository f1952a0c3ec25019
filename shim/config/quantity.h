/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as a person writes them in settings. Pure; any thread. Each returns false for any other
 * text, and for what does not fit; a number with a leading zero is such, as some read it in octal.
 */
#ifndef CRIGATE_CONFIG_QUANTITY_H
#define CRIGATE_CONFIG_QUANTITY_H

#include "base/own.h"
#include "base/str.h"

/* Digits: 0, 42. */
bool quantity_whole(struct str text, uint64_t *number) MUST_CHECK;

/* Bytes as Kubernetes writes them, whole ones: 65536, 64Ki, 100Mi, 1Gi, 500k, 100M, 2G. */
bool quantity_bytes(struct str text, uint64_t *bytes) MUST_CHECK;

/* A span of time as Go writes it, in whole seconds, and with days: 90s, 5m, 1h30m, 7d; or 0. */
bool quantity_seconds(struct str text, uint64_t *seconds) MUST_CHECK;

#endif
