/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of names. */
#include "audit/words.h"

#include <string.h>

const char *audit_action_name(enum audit_action action)
{
    switch (action) {
    case AUDIT_NO_ACTION:
        return NULL;
    case AUDIT_ALLOW:
        return "allow";
    case AUDIT_MODIFY:
        return "modify";
    case AUDIT_REFUSE:
        return "refuse";
    case AUDIT_WOULD_MODIFY:
        return "wouldModify";
    case AUDIT_WOULD_REFUSE:
        return "wouldRefuse";
    }
    return NULL;
}

static const char *const codes[AUDIT_CODES] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

const char *audit_code_name(int code)
{
    return code >= 0 && code < AUDIT_CODES ? codes[code] : NULL;
}

int audit_code_find(const char *name)
{
    for (int i = 0; i < AUDIT_CODES; i++) {
        if (strcmp(name, codes[i]) == 0)
            return i;
    }
    return -1;
}
