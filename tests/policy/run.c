/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the case files against the policy module and nothing else. Each case is decided three
 * times: plainly, with so many rules behind its own that the filters of large policies work, and
 * rule by rule without any filter; all must agree.
 */
#include "story.h"

#include <stdarg.h>

#define PADDING 40

struct run {
    size_t passed, failed;
    struct policy *plain, *padded;
    char warnings[1024];
};

static void add_text(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_text(char *to, size_t size, const char *format, ...)
{
    size_t used = strlen(to);
    va_list args;
    va_start(args, format);
    vsnprintf(to + used, size - used, format, args);
    va_end(args);
}

static void add_warning(void *cookie, enum policy_warning_kind kind, const struct policy_rule *rule,
                        const struct policy_rule *earlier)
{
    struct run *run = cookie;
    if (kind == WARNING_RULE_COVERED)
        add_text(run->warnings, sizeof(run->warnings), "covered %.*s %.*s\n", STR_FMT(rule->name),
                 STR_FMT(earlier->name));
    else
        add_text(run->warnings, sizeof(run->warnings), "downgrade %.*s\n", STR_FMT(rule->name));
}

static void report(struct run *run, const struct story *story, struct str name, const char *wrong)
{
    printf("%s %s: %.*s%s%s\n", wrong ? "FAIL" : "ok", story->path, STR_FMT(name),
           wrong ? "\n" : "", wrong ? wrong : "");
    if (wrong)
        run->failed++;
    else
        run->passed++;
}

static void drop_policies(struct run *run)
{
    if (run->plain)
        policy_unref(run->plain);
    if (run->padded)
        policy_unref(run->padded);
    run->plain = run->padded = NULL;
}

/* Rules that match nothing: a label cannot both be there and not. */
static void pad(struct story *story)
{
    static const struct requirement_spec never[] = {
        {{"padding", 7}, OPERATOR_EXISTS, NULL, 0},
        {{"padding", 7}, OPERATOR_DOES_NOT_EXIST, NULL, 0}};
    for (size_t i = 0; i < PADDING; i++)
        story->rules[story->spec.rule_count++] =
            (struct rule_spec){.name = STR("padding"), .match = {.pod = {never, 2}}};
}

static void meet_policy(void *cookie, struct story *story)
{
    struct run *run = cookie;
    char wrong[4096] = "";
    struct err err;
    drop_policies(run);
    run->warnings[0] = '\0';
    size_t own = story->spec.rule_count;
    int compiled = policy_compile(&story->spec, add_warning, run, &run->plain, &err);
    pad(story);
    if (compiled < 0 || policy_compile(&story->spec, NULL, NULL, &run->padded, &err) < 0) {
        fprintf(stderr, "%s: policy %.*s: %s\n", story->path, STR_FMT(story->spec.name), err.text);
        exit(2);
    }
    story->spec.rule_count = own;
    if (strcmp(run->warnings, story->warnings) != 0)
        add_text(wrong, sizeof(wrong), "  expected warnings:\n%s  got:\n%s", story->warnings,
                 run->warnings);
    report(run, story, story->spec.name, wrong[0] ? wrong : NULL);
}

/* "run HANDLER[ REASON RULE][ modified]" or "refuse REASON[ RULE][ HANDLER][ ABILITY][ in
 * CONTAINER][ DEVICE]". A container that runs has no reason and no rule. */
static void verdict_text(const struct verdict *verdict, char *text, size_t size)
{
    const char *reason = verdict_reason_name(verdict->reason);
    const struct policy_runtime *effective = verdict->effective;
    if (verdict->action == VERDICT_RUN) {
        add_text(text, size, "run %.*s", STR_FMT(effective->handler));
        if (verdict->rule)
            add_text(text, size, " %s %.*s", reason, STR_FMT(verdict->rule->name));
        add_text(text, size, "%s\n", verdict->modifies ? " modified" : "");
        return;
    }
    add_text(text, size, "refuse %s", reason);
    if (verdict->rule)
        add_text(text, size, " %.*s", STR_FMT(verdict->rule->name));
    if (effective)
        add_text(text, size, " %.*s", STR_FMT(effective->handler));
    if (verdict->reason == REASON_INCOMPATIBLE)
        add_text(text, size, " %s", ability_name(verdict->lacking));
    if (verdict->container)
        add_text(text, size, " in %.*s", STR_FMT(verdict->container->name));
    if (verdict->device.data)
        add_text(text, size, " %.*s", STR_FMT(verdict->device.len ? verdict->device : STR("\"\"")));
    add_text(text, size, "\n");
}

static void decision_text(const struct decision *decision, char *text, size_t size)
{
    verdict_text(&decision->verdict, text, size);
    for (size_t i = 0; i < decision->observed_count; i++) {
        add_text(text, size, "observed ");
        verdict_text(&decision->observed[i], text, size);
    }
}

/* The rule that settles the matter, each asked by itself; NULL: none does. */
static const struct policy_rule *settle(const struct policy *policy, const struct story *story,
                                        const struct story_case *asked,
                                        const struct label_set *node)
{
    char why[512];
    for (size_t i = 0; i < story->spec.rule_count; i++) {
        enum match match = policy_explain_rule(policy, i, &asked->pod, node, why, sizeof(why));
        if ((match == MATCH_YES) != (why[0] == '\0'))
            return NULL;
        if (match != MATCH_NO && !story->spec.rules[i].observe)
            return policy_rule_at(policy, i);
    }
    return NULL;
}

static void decide(const struct policy *policy, const struct story_case *asked,
                   const struct label_set *node, struct decision *decision)
{
    if (asked->sandbox.data)
        policy_decide_container(policy, asked->sandbox, &asked->pod, asked->containers, node,
                                decision);
    else
        policy_decide(policy, &asked->pod, node, decision);
}

/* The same for a container: the rule that refuses it because of an annotation, or might. */
static const struct policy_rule *settle_container(const struct policy *policy,
                                                  const struct story *story,
                                                  const struct story_case *asked,
                                                  const struct label_set *node)
{
    char why[512];
    struct pod_facts pod = asked->pod;
    const struct policy_rule *unknown = NULL;
    pod.handler = asked->sandbox;
    pod.untrusted = false;
    for (size_t i = 0; i < story->spec.rule_count; i++) {
        const struct rule_spec *spec = &story->spec.rules[i];
        enum match match = policy_explain_rule(policy, i, &pod, node, why, sizeof(why));
        if (match == MATCH_NO || spec->observe)
            continue;
        if (match == MATCH_UNKNOWN && !unknown)
            unknown = policy_rule_at(policy, i);
        if (spec->action.kind == ACTION_REFUSE &&
            (spec->match.annotations.count || spec->match.annotation_keys.count))
            return unknown ? unknown : policy_rule_at(policy, i);
        if (match == MATCH_YES)
            return NULL;
    }
    return NULL;
}

static size_t write_message(const struct policy *policy, const struct story_case *asked,
                            const struct verdict *verdict, char *buf, size_t size)
{
    if (asked->sandbox.data)
        return verdict_container_message(policy, &asked->pod, asked->containers, verdict, buf,
                                         size);
    return verdict_message(policy, &asked->pod, verdict, buf, size);
}

static const char *disagreement(const struct run *run, const struct story *story,
                                const struct story_case *asked, const struct label_set *node,
                                const struct verdict *verdict)
{
    struct decision padded;
    char message[4096], plain_text[2048] = "", padded_text[2048] = "";
    decide(run->padded, asked, node, &padded);
    verdict_text(verdict, plain_text, sizeof(plain_text));
    verdict_text(&padded.verdict, padded_text, sizeof(padded_text));
    if (strcmp(plain_text, padded_text) != 0)
        return "  a large policy decides otherwise\n";
    const struct policy_rule *rule = asked->sandbox.data
                                         ? settle_container(run->plain, story, asked, node)
                                         : settle(run->plain, story, asked, node);
    bool by_rule = verdict->rule && !str_eq(verdict->rule->name, STR("otherwise"));
    if (verdict->requested && rule != (by_rule ? verdict->rule : NULL))
        return "  policy_explain_rule() finds another rule\n";
    size_t len = write_message(run->plain, asked, verdict, message, sizeof(message));
    if (asked->message.len && !memmem(message, len, asked->message.data, asked->message.len)) {
        printf("  message: %s\n", message);
        return "  the message lacks what is expected\n";
    }
    return NULL;
}

static void meet_case(void *cookie, struct story *story, struct story_case *asked)
{
    struct run *run = cookie;
    struct label_set node;
    struct str twice;
    struct decision decision;
    char got[2048] = "", wrong[8192] = "";
    if (label_set_make(asked->node, asked->node_count, &node, &twice) < 0)
        exit(2);
    const struct label_set *known = asked->node_unknown ? NULL : &node;
    decide(run->plain, asked, known, &decision);
    decision_text(&decision, got, sizeof(got));
    const char *other = disagreement(run, story, asked, known, &decision.verdict);
    if (strcmp(got, asked->expected) != 0)
        add_text(wrong, sizeof(wrong), "  line %u, expected:\n%s  got:\n%s", asked->line,
                 asked->expected, got);
    if (other)
        add_text(wrong, sizeof(wrong), "%s", other);
    report(run, story, asked->name, wrong[0] ? wrong : NULL);
}

int main(int argc, char **argv)
{
    struct run run = {0};
    for (int i = 1; i < argc; i++)
        story_read(argv[i], meet_policy, meet_case, &run);
    drop_policies(&run);
    printf("%zu passed, %zu failed\n", run.passed, run.failed);
    return run.failed || run.passed == 0 ? 1 : 0;
}
