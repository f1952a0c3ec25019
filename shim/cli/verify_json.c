/* SPDX-License-Identifier: Apache-2.0 */
/* What `crigate verify` found, for a script. */
#include "cli/output.h"
#include "cli/verify_print.h"

static const char *isolation_word(enum isolation isolation)
{
    return isolation == ISOLATION_SANDBOX ? "sandbox" : "hostKernel";
}

static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value);
}

static json_t *json_verdict(const struct verdict *verdict)
{
    bool runs = verdict->action == VERDICT_RUN;
    OWNED_JSON json_t *object = json_pack("{s:s, s:s}", "action", runs ? "run" : "refuse", "reason",
                                          verdict_reason_name(verdict->reason));
    if ((verdict->rule && output_json_str(object, "rule", verdict->rule->name) < 0) ||
        (runs && output_json_str(object, "handler", verdict->effective->handler) < 0))
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_kernel(const char *name, const struct kernel_evidence *evidence)
{
    OWNED_JSON json_t *object = json_object();
    if ((name && set(object, "is", json_string(name)) < 0) ||
        output_json_str(object, "bootId", evidence->boot_id) < 0 ||
        output_json_str(object, "version", evidence->version) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_verified(const struct verified *verified)
{
    char proof[128];
    verified_proof(verified, proof, sizeof(proof));
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "handler", verified->declared->handler) < 0 ||
        set(object, "isolation", json_string(isolation_word(verified->declared->isolation))) < 0 ||
        set(object, "policy", json_verdict(&verified->verdict)) < 0 ||
        set(object, "verdict", json_string(finding_name(verified->finding))) < 0)
        return NULL;
    if (verified->probe.handler.len &&
        output_json_str(object, "ranUnder", verified->probe.handler) < 0)
        return NULL;
    if (verified->probe.end == PROBE_ANSWERED &&
        (set(object, "kernel",
             json_kernel(probe_kernel_name(verified->kernel), &verified->evidence)) < 0 ||
         output_json_str(object, "proof", str_of(proof)) < 0))
        return NULL;
    if (verified->finding != FINDING_PROVEN &&
        output_json_str(object, "message", str_of(verified->why.text)) < 0)
        return NULL;
    return steal_ptr(&object);
}

static json_t *json_items(const struct verify_report *report)
{
    OWNED_JSON json_t *list = json_array();
    for (size_t i = 0; i < report->count; i++) {
        if (json_array_append_new(list, json_verified(&report->items[i])) < 0)
            return NULL;
    }
    return steal_ptr(&list);
}

static json_t *json_policy(const struct policy *policy)
{
    bool observes = policy_mode(policy) == POLICY_OBSERVE;
    OWNED_JSON json_t *object = json_object();
    if (output_json_str(object, "name", policy_name(policy)) < 0 ||
        set(object, "sha256", json_string(policy_sha256(policy))) < 0 ||
        set(object, "mode", json_string(observes ? "observe" : "enforce")) < 0)
        return NULL;
    return steal_ptr(&object);
}

json_t *verify_report_json(const struct verify_report *report)
{
    OWNED_JSON json_t *root = json_object();
    if (set(root, "policy", json_policy(report->policy)) < 0 ||
        set(root, "host", json_kernel(NULL, &report->host)) < 0 ||
        set(root, "runtimes", json_items(report)) < 0 ||
        set(root, "holds", json_boolean(verify_report_holds(report))) < 0)
        return NULL;
    return steal_ptr(&root);
}
