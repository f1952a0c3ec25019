/* SPDX-License-Identifier: Apache-2.0 */
/* Where a TOML string ends. */
#ifndef CRIGATE_SETUP_TOML_STRING_H
#define CRIGATE_SETUP_TOML_STRING_H

#include "base/str.h"

/* The length, quotation marks included, of the string at the front of `text`, which begins with a
 * quotation mark; 0 when it is not closed. */
size_t toml_string_len(struct str text);

#endif
