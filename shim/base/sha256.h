/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of bytes in memory, as text. Any thread. */
#ifndef CRIGATE_BASE_SHA256_H
#define CRIGATE_BASE_SHA256_H

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#define SHA256_HEX_SIZE 65 /* 64 digits and a NUL */

/* Writes 64 lower-case hex digits. -1: libcrypto has no SHA-256, or no memory. */
int sha256_hex(struct str bytes, char hex[SHA256_HEX_SIZE], struct err *err) MUST_CHECK;

#endif
