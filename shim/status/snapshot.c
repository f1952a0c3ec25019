/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a snapshot, and whether what it shows is ready for pods. */
#include "status/snapshot.h"

#include <stdio.h>

#include "base/writer.h"

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    stats_destroy(snapshot->stats);
    survey_free(&snapshot->drift.survey);
    if (snapshot->policy)
        policy_unref(snapshot->policy);
    if (snapshot->labels)
        node_labels_unref(snapshot->labels);
    arena_free(&snapshot->arena);
    free(snapshot);
}

static void check_upstream(const struct snapshot *snapshot, struct snapshot_check *check)
{
    check->holds = snapshot->upstream_up && snapshot->sandboxes_listed;
    snprintf(check->text, sizeof(check->text), "%s %s", snapshot->upstream,
             check->holds            ? "answers"
             : snapshot->upstream_up ? "is connected, and has not listed its sandboxes"
                                     : "is not connected");
}

static void check_policy(const struct snapshot *snapshot, struct snapshot_check *check)
{
    struct writer out = writer_make(check->text, sizeof(check->text));
    check->holds = true;
    writer_short(&out, policy_name(snapshot->policy));
    writer_text(&out, " ");
    writer_str(&out, (struct str){policy_sha256(snapshot->policy), 8});
    writer_text(&out, snapshot->policy_error ? " is in force; its file holds one with errors"
                                             : " is in force");
}

static void check_audit(const struct snapshot *snapshot, struct snapshot_check *check)
{
    static const char *const sinks[] = {
        [AUDIT_TO_FILE] = "can be written",
        [AUDIT_TO_JOURNAL] = "cannot be written; the systemd journal takes the records",
        [AUDIT_TO_NOBODY] = "cannot be written, and nobody else takes the records",
    };
    check->holds = snapshot->audit.sink != AUDIT_TO_NOBODY;
    snprintf(check->text, sizeof(check->text), "%s %s", snapshot->audit_file,
             sinks[snapshot->audit.sink]);
}

static void check_labels(const struct snapshot *snapshot, struct snapshot_check *check)
{
    bool known = node_labels_set(snapshot->labels) != NULL;
    bool asked = policy_asks_node_labels(snapshot->policy);
    check->holds = known || !asked;
    snprintf(check->text, sizeof(check->text), "the node's labels are %s",
             known   ? "known"
             : asked ? "not known, and the policy asks for them"
                     : "not known, and not needed");
}

bool snapshot_check(const struct snapshot *snapshot, struct snapshot_check checks[SNAPSHOT_CHECKS])
{
    static const struct {
        const char *name;
        void (*look)(const struct snapshot *snapshot, struct snapshot_check *check);
    } looks[SNAPSHOT_CHECKS] = {{"containerd", check_upstream},
                                {"policy", check_policy},
                                {"audit", check_audit},
                                {"labels", check_labels}};
    bool all = true;
    for (size_t i = 0; i < SNAPSHOT_CHECKS; i++) {
        checks[i] = (struct snapshot_check){.name = looks[i].name};
        looks[i].look(snapshot, &checks[i]);
        all = all && checks[i].holds;
    }
    return all;
}
