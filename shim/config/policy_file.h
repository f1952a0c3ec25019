/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: YAML -> checked spec -> compiled policy. */
#ifndef CRIGATE_CONFIG_POLICY_FILE_H
#define CRIGATE_CONFIG_POLICY_FILE_H

#include "config/diag.h"
#include "policy/policy.h"

/* A policy file is at most this long. */
#define POLICY_FILE_MAX ((size_t)16 * 1024 * 1024)

/* Loads `path`; every finding, warnings too, goes to `diags`. -1 when one of them is an error;
 * otherwise `*policy` is one reference, the caller's. */
int policy_file_load(const char *path, struct diags *diags, struct policy **policy) MUST_CHECK;

/* The same from bytes in memory; `path` names them in the findings. */
int policy_file_parse(const char *path, struct str text, struct diags *diags,
                      struct policy **policy) MUST_CHECK;

#endif
