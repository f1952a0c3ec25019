/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads about a refusal in `kubectl describe pod`: what happened and what to do. */
#include "base/nearest.h"
#include "base/writer.h"
#include "policy/compiled.h"

/* The pod's field that asks for an ability. */
static const char *field_of(enum ability ability)
{
    switch (ability) {
    case ABILITY_HOST_NETWORK:
        return "spec.hostNetwork: true";
    case ABILITY_HOST_PID:
        return "spec.hostPID: true";
    case ABILITY_HOST_IPC:
        return "spec.hostIPC: true";
    case ABILITY_PRIVILEGED:
        return "securityContext.privileged: true";
    case ABILITY_USER_NAMESPACES:
        return "spec.hostUsers: false";
    case ABILITY_SELINUX:
        return "securityContext.seLinuxOptions";
    case ABILITY_DEVICES:
        return "a device";
    case ABILITY_RECURSIVE_READ_ONLY:
        return "volumeMounts[].recursiveReadOnly";
    case ABILITY_BIDIRECTIONAL_MOUNTS:
        return "volumeMounts[].mountPropagation: Bidirectional";
    }
    return "a setting";
}

static void write_runtimes(struct writer *writer, const struct policy *policy)
{
    for (size_t i = 0; i < policy->name_count; i++) {
        writer_text(writer, i ? ", " : "");
        writer_quoted(writer, policy->names[i].name);
    }
}

static void write_unknown_runtime(struct writer *writer, const struct policy *policy,
                                  const struct pod_facts *pod)
{
    struct str name = pod_facts_requested(pod);
    const struct str *nearest =
        nearest_word(name, &policy->names->name, policy->name_count, sizeof(*policy->names));
    if (pod->untrusted)
        writer_text(writer, "its annotation io.kubernetes.cri.untrusted-workload asks for ");
    writer_text(writer, "runtime handler ");
    writer_quoted(writer, name);
    writer_text(writer, pod->untrusted ? ", which the policy does not declare"
                                       : " is not declared in the policy");
    if (nearest) {
        writer_text(writer, "; did you mean ");
        writer_quoted(writer, *nearest);
        writer_text(writer, "? ");
    } else {
        writer_text(writer, "; ");
    }
    writer_text(writer, "declared are ");
    write_runtimes(writer, policy);
    writer_text(writer, pod->untrusted
                            ? ": remove the annotation, or declare the handler"
                            : ": use a RuntimeClass with one of them, or declare the handler");
}

static void write_downgrade(struct writer *writer, const struct verdict *verdict)
{
    writer_text(writer, "the pod asks for the sandbox runtime ");
    writer_quoted(writer, verdict->requested->handler);
    writer_text(writer, " and the policy would run it on the host kernel under ");
    writer_quoted(writer, verdict->effective->handler);
    writer_text(writer, "; ask for that runtime, or set allowDowngrade: true on the rule");
}

static void write_incompatible(struct writer *writer, const struct verdict *verdict)
{
    writer_text(writer, "runtime ");
    writer_quoted(writer, verdict->effective->handler);
    writer_text(writer, " cannot do ");
    writer_text(writer, ability_name(verdict->lacking));
    writer_text(writer, ", which the pod asks for with ");
    writer_text(writer, field_of(verdict->lacking));
    writer_text(writer, "; remove that from the pod, or run it under another runtime");
}

static void write_reason(struct writer *writer, const struct policy *policy,
                         const struct pod_facts *pod, const struct verdict *verdict)
{
    switch (verdict->reason) {
    case REASON_RULE:
    case REASON_OTHERWISE:
        writer_str(writer, rule_of(verdict->rule)->action.message);
        break;
    case REASON_UNKNOWN_RUNTIME:
        write_unknown_runtime(writer, policy, pod);
        break;
    case REASON_LABELS_UNKNOWN:
        writer_text(writer, "this node's labels are not known yet and the rule depends on them; "
                            "the kubelet tries again by itself");
        break;
    case REASON_DOWNGRADE:
        write_downgrade(writer, verdict);
        break;
    case REASON_INCOMPATIBLE:
        write_incompatible(writer, verdict);
        break;
    case REASON_NONE:
        writer_text(writer, "nothing was decided");
        break;
    case REASON_MALFORMED:
        writer_text(writer, "the request is malformed");
        break;
    case REASON_AUDIT_UNAVAILABLE:
        writer_text(writer, "the decision cannot be written to the audit log");
        break;
    case REASON_SERVICE_NOT_ALLOWED:
        writer_text(writer, "the service is not part of CRI");
        break;
    case REASON_PEER_NOT_ALLOWED:
        writer_text(writer, "the peer is not allowed");
        break;
    case REASON_SANDBOX_UNKNOWN:
        writer_text(writer, "the runtime of its sandbox is not known");
        break;
    }
}

size_t verdict_explain(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size)
{
    struct writer writer = writer_make(buf, size);
    if (verdict->action == VERDICT_REFUSE)
        write_reason(&writer, policy, pod, verdict);
    return writer.used;
}

static void write_source(struct writer *writer, const struct policy *policy,
                         const struct verdict *verdict)
{
    writer_text(writer, " (");
    if (verdict->rule) {
        writer_text(writer, "rule ");
        writer_short(writer, verdict->rule->name);
        writer_text(writer, ", ");
    }
    writer_text(writer, "policy ");
    writer_short(writer, policy->name);
    writer_text(writer, " ");
    writer_str(writer, (struct str){.data = policy->sha256, .len = strnlen(policy->sha256, 8)});
    writer_text(writer, ")");
}

size_t verdict_message(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size)
{
    struct writer whole = writer_make(buf, size);
    if (verdict->action != VERDICT_REFUSE)
        return 0;
    char source[1024];
    struct writer tail = writer_make(source, sizeof(source));
    write_source(&tail, policy, verdict);
    /* A long message is cut, not the rule's name behind it, as long as there is room for both. */
    size_t kept = tail.used < size / 2 ? tail.used : 0;
    struct writer head = writer_make(buf, size - kept);
    writer_text(&head, "crigate: pod ");
    writer_short(&head, pod->namespace);
    writer_text(&head, "/");
    writer_short(&head, pod->name);
    writer_text(&head, " refused: ");
    write_reason(&head, policy, pod, verdict);
    whole.used = head.used;
    whole.full = size == 0;
    writer_str(&whole, (struct str){.data = source, .len = tail.used});
    return whole.used;
}
