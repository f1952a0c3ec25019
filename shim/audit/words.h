/* SPDX-License-Identifier: Apache-2.0 */
/* How records, metrics and the status page call things that have a fixed set of names. */
#ifndef CRIGATE_AUDIT_WORDS_H
#define CRIGATE_AUDIT_WORDS_H

#include "audit/audit.h"

/* "allow", "wouldRefuse", ...; NULL for AUDIT_NO_ACTION. */
const char *audit_action_name(enum audit_action action);

/* gRPC's status codes (grpc/doc/statuscodes.md) are 0 to one less than this. */
#define AUDIT_CODES 17

/* "PERMISSION_DENIED"; NULL for a number that gRPC does not have. */
const char *audit_code_name(int code);

/* The other way; -1: no code has that name. */
int audit_code_find(const char *name);

#endif
