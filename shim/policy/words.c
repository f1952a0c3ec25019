/* SPDX-License-Identifier: Apache-2.0 */
/* The words that stand for abilities in a policy and for reasons in the audit log. */
#include "policy/policy.h"

static const struct {
    enum ability ability;
    const char *name;
} abilities[] = {
    {ABILITY_HOST_NETWORK, "hostNetwork"},
    {ABILITY_HOST_PID, "hostPID"},
    {ABILITY_HOST_IPC, "hostIPC"},
    {ABILITY_PRIVILEGED, "privileged"},
    {ABILITY_USER_NAMESPACES, "userNamespaces"},
    {ABILITY_SELINUX, "seLinux"},
    {ABILITY_DEVICES, "devices"},
    {ABILITY_RECURSIVE_READ_ONLY, "recursiveReadOnly"},
    {ABILITY_BIDIRECTIONAL_MOUNTS, "bidirectionalMounts"},
};

#define ABILITY_COUNT (sizeof(abilities) / sizeof(abilities[0]))

const char *ability_name(enum ability ability)
{
    for (size_t i = 0; i < ABILITY_COUNT; i++) {
        if (abilities[i].ability == ability)
            return abilities[i].name;
    }
    return "unknown";
}

unsigned ability_of(struct str word)
{
    for (size_t i = 0; i < ABILITY_COUNT; i++) {
        if (str_eq(word, str_of(abilities[i].name)))
            return abilities[i].ability;
    }
    return 0;
}

const char *verdict_reason_name(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_NONE:
        return "none";
    case REASON_RULE:
        return "rule";
    case REASON_OTHERWISE:
        return "otherwise";
    case REASON_UNKNOWN_RUNTIME:
        return "unknownRuntime";
    case REASON_LABELS_UNKNOWN:
        return "labelsUnknown";
    case REASON_DOWNGRADE:
        return "downgrade";
    case REASON_INCOMPATIBLE:
        return "incompatible";
    case REASON_MALFORMED:
        return "malformed";
    case REASON_AUDIT_UNAVAILABLE:
        return "auditUnavailable";
    case REASON_SERVICE_NOT_ALLOWED:
        return "serviceNotAllowed";
    case REASON_PEER_NOT_ALLOWED:
        return "peerNotAllowed";
    case REASON_SANDBOX_UNKNOWN:
        return "sandboxUnknown";
    }
    return "none";
}
