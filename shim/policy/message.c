/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads about a refusal in `kubectl describe pod`: what happened and what to do. */
#include "base/nearest.h"
#include "base/writer.h"
#include "policy/compiled.h"
#include "policy/device.h"

/* What a refusal is about: a pod, or one container of it. */
struct subject {
    const struct policy *policy;
    const struct pod_facts *pod;
    const struct container_facts *container; /* NULL: the pod */
    const struct verdict *verdict;
};

/* The pod's field that asks for an ability; what it is about follows, see write_object(). */
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
        return "the device ";
    case ABILITY_RECURSIVE_READ_ONLY:
        return "volumeMounts[].recursiveReadOnly at ";
    case ABILITY_BIDIRECTIONAL_MOUNTS:
        return "volumeMounts[].mountPropagation: Bidirectional at ";
    }
    return "a setting";
}

/* The device or the mount in question, where the field does not say all. */
static void write_object(struct writer *writer, const struct verdict *verdict)
{
    if (verdict->lacking == ABILITY_DEVICES)
        writer_quoted(writer, verdict->device);
    else if (verdict->lacking == ABILITY_RECURSIVE_READ_ONLY)
        writer_quoted(writer, verdict->container->recursive_read_only);
    else if (verdict->lacking == ABILITY_BIDIRECTIONAL_MOUNTS)
        writer_quoted(writer, verdict->container->bidirectional);
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

static void write_unknown_sandbox(struct writer *writer, const struct policy *policy,
                                  struct str handler)
{
    writer_text(writer, "its sandbox runs under handler ");
    writer_quoted(writer, handler);
    writer_text(writer,
                ", which the policy does not declare as a runtime's own name; declared are ");
    for (size_t i = 0; i < policy->runtime_count; i++) {
        writer_text(writer, i ? ", " : "");
        writer_quoted(writer, policy->runtimes[i].handler);
    }
    writer_text(writer, ": declare it, or delete the pod, so that it starts under one of them");
}

static void write_who(struct writer *writer, const struct subject *subject)
{
    const struct container_facts *container = subject->verdict->container;
    if (!container || subject->container) {
        writer_text(writer, container ? "the container" : "the pod");
        return;
    }
    writer_text(writer, "its container ");
    writer_quoted(writer, container->name);
}

static void write_incompatible(struct writer *writer, const struct subject *subject)
{
    const struct verdict *verdict = subject->verdict;
    writer_text(writer, "runtime ");
    writer_quoted(writer, verdict->effective->handler);
    writer_text(writer, " cannot do ");
    writer_text(writer, ability_name(verdict->lacking));
    writer_text(writer, ", which ");
    write_who(writer, subject);
    writer_text(writer, " asks for with ");
    writer_text(writer, field_of(verdict->lacking));
    write_object(writer, verdict);
    if (verdict->lacking != ABILITY_DEVICES)
        writer_text(writer, "; remove that from the pod, or run it under another runtime");
    else if (device_can_be_listed(verdict->device))
        writer_text(writer, "; remove that from the pod, run it under another runtime, or list the "
                            "device in the runtime's `devices`");
    else
        writer_text(writer,
                    "; remove that from the pod, or run it under another runtime: `devices` "
                    "can list clean absolute paths and CDI names only, and this is neither");
}

static void write_reason(struct writer *writer, const struct subject *subject)
{
    const struct verdict *verdict = subject->verdict;
    switch (verdict->reason) {
    case REASON_RULE:
    case REASON_OTHERWISE:
        writer_str(writer, rule_of(verdict->rule)->action.message);
        break;
    case REASON_UNKNOWN_RUNTIME:
        if (verdict->handler.data)
            write_unknown_sandbox(writer, subject->policy, verdict->handler);
        else
            write_unknown_runtime(writer, subject->policy, subject->pod);
        break;
    case REASON_LABELS_UNKNOWN:
        writer_text(writer, "this node's labels are not known yet and the rule depends on them; "
                            "the kubelet tries again by itself");
        break;
    case REASON_DOWNGRADE:
        write_downgrade(writer, verdict);
        break;
    case REASON_INCOMPATIBLE:
        write_incompatible(writer, subject);
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
        writer_text(writer, "containerd did not tell the runtime of its sandbox; the kubelet tries "
                            "again by itself");
        break;
    }
}

size_t verdict_explain(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size)
{
    struct writer writer = writer_make(buf, size);
    struct subject subject = {.policy = policy, .pod = pod, .verdict = verdict};
    if (verdict->action == VERDICT_REFUSE)
        write_reason(&writer, &subject);
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

static void write_subject(struct writer *writer, const struct subject *subject)
{
    writer_text(writer, subject->container ? "container " : "pod ");
    writer_short(writer, subject->pod->namespace);
    writer_text(writer, "/");
    writer_short(writer, subject->pod->name);
    if (subject->container) {
        writer_text(writer, "/");
        writer_short(writer, subject->container->name);
    }
}

static size_t write_message(const struct subject *subject, char *buf, size_t size)
{
    struct writer whole = writer_make(buf, size);
    if (subject->verdict->action != VERDICT_REFUSE)
        return 0;
    char source[1024];
    struct writer tail = writer_make(source, sizeof(source));
    write_source(&tail, subject->policy, subject->verdict);
    /* A long message is cut, not the rule's name behind it, as long as there is room for both. */
    size_t kept = tail.used < size / 2 ? tail.used : 0;
    struct writer head = writer_make(buf, size - kept);
    writer_text(&head, "crigate: ");
    write_subject(&head, subject);
    writer_text(&head, " refused: ");
    write_reason(&head, subject);
    whole.used = head.used;
    whole.full = size == 0;
    writer_str(&whole, (struct str){.data = source, .len = tail.used});
    return whole.used;
}

size_t verdict_message(const struct policy *policy, const struct pod_facts *pod,
                       const struct verdict *verdict, char *buf, size_t size)
{
    struct subject subject = {.policy = policy, .pod = pod, .verdict = verdict};
    return write_message(&subject, buf, size);
}

size_t verdict_container_message(const struct policy *policy, const struct pod_facts *pod,
                                 const struct container_facts *container,
                                 const struct verdict *verdict, char *buf, size_t size)
{
    struct subject subject = {
        .policy = policy, .pod = pod, .container = container, .verdict = verdict};
    return write_message(&subject, buf, size);
}
