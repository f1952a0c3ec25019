/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the policy about each sandbox that runs, and counts what comes of it. */
#include "survey/judge.h"

#include <stdlib.h>

/* By its own name only: a sandbox under a runtime of containerd's that is called as the policy's
 * alias did not come through the gate, which writes the real name. */
static const struct policy_runtime *find_runtime(const struct policy *policy, struct str handler)
{
    const struct policy_runtime *runtime = policy_resolve(policy, handler);
    return runtime && str_eq(runtime->handler, handler) ? runtime : NULL;
}

/*
 * What a sandbox runs under. One that named no handler, from before the gate, runs under
 * containerd's own default, which CRI does not tell. It counts as the policy's default, but it is
 * never said to be in a sandbox for that.
 */
static const struct policy_runtime *runtime_of(const struct policy *policy, struct str handler)
{
    if (handler.len)
        return find_runtime(policy, handler);
    const struct policy_runtime *runtime = policy_resolve(policy, handler);
    return runtime && runtime->isolation == ISOLATION_HOST_KERNEL ? runtime : NULL;
}

static enum standing stand(const struct policy *policy, const struct judged_sandbox *judged)
{
    const struct verdict *verdict = &judged->verdict;
    struct str handler = judged->sandbox->facts.handler;
    if (verdict->action == VERDICT_REFUSE)
        return verdict->reason == REASON_LABELS_UNKNOWN ? STANDING_UNKNOWN : STANDING_DRIFT;
    if (verdict->effective == judged->runtime)
        return STANDING_SAME;
    bool may_be_the_same =
        handler.len == 0 && verdict->effective == policy_resolve(policy, handler);
    return may_be_the_same ? STANDING_UNKNOWN : STANDING_DRIFT;
}

static void judge(const struct survey *survey, struct judged_sandbox *judged)
{
    const struct queried_sandbox *sandbox = judged->sandbox;
    judged->runtime = runtime_of(survey->policy, sandbox->facts.handler);
    if (!sandbox->facts.ready) {
        judged->standing = STANDING_NOT_JUDGED;
        return;
    }
    if (sandbox->trouble.len)
        return;
    struct decision decision;
    policy_decide(survey->policy, &sandbox->facts.pod, node_labels_set(survey->labels), &decision);
    judged->verdict = decision.verdict;
    judged->has_verdict = true;
    judged->standing = stand(survey->policy, judged);
}

static void count(const struct judged_sandbox *judged, struct survey_tally *tally)
{
    if (judged->standing == STANDING_NOT_JUDGED) {
        tally->not_ready++;
        return;
    }
    tally->ready++;
    tally->drifted += judged->standing == STANDING_DRIFT;
    tally->unknown += judged->standing == STANDING_UNKNOWN;
    if (!judged->runtime)
        tally->unknown_isolation++;
    else if (judged->runtime->isolation == ISOLATION_SANDBOX)
        tally->sandboxed++;
    else
        tally->host_kernel++;
}

int survey_judge(const struct sandbox_query *query, const struct policy *policy,
                 const struct node_labels *labels, struct survey *survey)
{
    *survey = (struct survey){.policy = policy, .labels = labels, .count = query->count};
    survey->items = calloc(query->count + 1, sizeof(*survey->items));
    if (!survey->items)
        return -1;
    for (size_t i = 0; i < query->count; i++) {
        survey->items[i].sandbox = &query->items[i];
        judge(survey, &survey->items[i]);
        count(&survey->items[i], &survey->tally);
    }
    return 0;
}

void survey_free(struct survey *survey)
{
    free(survey->items);
    *survey = (struct survey){0};
}
