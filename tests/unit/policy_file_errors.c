/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy may not say: each case changes one part of a good policy, and the finding must
 * stand at its place with the right advice. */
#include <criterion/criterion.h>

#include "config/policy_file.h"

#define META                                                                             \
    "apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: p}\n" /* lines 1 to 3 \
                                                                          */
#define RUNTIMES                                                          \
    "runtimes:\n"                                                 /* 4 */ \
    "- {handler: runc, isolation: hostKernel, default: true}\n"   /* 5 */ \
    "- {handler: runsc, aliases: [gvisor], isolation: sandbox}\n" /* 6 */
#define TAIL "otherwise: {run: requested}\n"
#define RULES(text) META RUNTIMES TAIL "rules:\n" text "\n"            /* the text is line 9 */
#define MATCH(text) RULES("- {name: a, run: runc, match: {" text "}}") /* begins in column 32 */
#define DEVICES(text)                                                                           \
    META TAIL "runtimes:\n- {handler: runc, isolation: hostKernel, default: true}\n" /* 5, 6 */ \
              "- {handler: runsc, isolation: sandbox, cannot: [devices], devices: " text "}\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct policy_error {
    const char *text;
    struct place at;
    const char *message, *hint;
} cases[] = {
    /* the file */
    {"", {0, 0}, "the file is empty", NULL},
    {"- a\n", {1, 1}, "a policy must be a mapping, not a list", NULL},
    {"a\n", {1, 1}, "a policy must be a mapping, not a string", NULL},
    {META RUNTIMES, {1, 1}, "otherwise is missing", "run: requested"},
    {META TAIL, {1, 1}, "runtimes is missing", NULL},
    {"kind: RuntimePolicy\nmetadata: {name: p}\n" RUNTIMES TAIL,
     {1, 1},
     "apiVersion is missing",
     "add `apiVersion: crigate/v1`"},
    {"apiVersion: crigate/v2\nkind: RuntimePolicy\nmetadata: {name: p}\n" RUNTIMES TAIL,
     {1, 13},
     "apiVersion: unknown value \"crigate/v2\"",
     "did you mean \"crigate/v1\"?"},
    {"apiVersion: crigate/v1\nkind: Pod\nmetadata: {name: p}\n" RUNTIMES TAIL,
     {2, 7},
     "kind: unknown value \"Pod\"",
     "valid: RuntimePolicy"},
    {"apiVersion: crigate/v1\nkind: RuntimePolicy\n" RUNTIMES TAIL,
     {1, 1},
     "metadata is missing",
     NULL},
    {"apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: 7}\n" RUNTIMES TAIL,
     {3, 18},
     "metadata.name must be a string, not a number",
     "quote it: \"7\""},
    {"apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {nam: p}\n" RUNTIMES TAIL,
     {3, 11},
     "metadata.name is missing",
     NULL},
    {META RUNTIMES TAIL "rulez: []\n", {8, 1}, "unknown key \"rulez\" in a policy", "\"rules\""},
    {META RUNTIMES TAIL "kind: RuntimePolicy\n", {8, 1}, "key \"kind\" is given twice", "line 2"},
    {META RUNTIMES TAIL "mode: enforced\n", {8, 7}, "mode: unknown value", "\"enforce\""},
    {META RUNTIMES TAIL "mode: off\n", {8, 7}, "mode must be a string, not a boolean", NULL},
    {META RUNTIMES TAIL "rules: {}\n", {8, 8}, "rules must be a list", "`rules: []`"},
    {META RUNTIMES TAIL "rules:\n", {8, 7}, "rules must be a list", NULL},
    /* runtimes */
    {META TAIL "runtimes: []\n", {5, 11}, "runtimes is empty", NULL},
    {META TAIL "runtimes: {}\n", {5, 11}, "runtimes must be a list, not a mapping", NULL},
    {META TAIL "runtimes:\n- {handler: runc, isolation: sandbox}\n",
     {6, 1},
     "no runtime is the default",
     "default: true"},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true}\n"
               "- {handler: b, isolation: sandbox, default: true}\n",
     {7, 45},
     "a second runtime is the default",
     "line 6"},
    {META TAIL "runtimes:\n- {isolation: sandbox, default: true}\n",
     {6, 3},
     "handler of the runtime is missing",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, default: true}\n",
     {6, 3},
     "isolation of the runtime is missing",
     "hostKernel"},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbx, default: true}\n",
     {6, 27},
     "isolation: unknown value \"sandbx\"",
     "did you mean \"sandbox\"?"},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: \"true\"}\n",
     {6, 45},
     "default must be true or false, not a string",
     "without quotes"},
    {META TAIL "runtimes:\n- {handler: a b, isolation: sandbox, default: true}\n",
     {6, 13},
     "handler \"a b\" is no name",
     NULL},
    {META TAIL "runtimes:\n- {handler: \"\", isolation: sandbox, default: true}\n",
     {6, 13},
     "handler \"\" is no name",
     NULL},
    {META TAIL "runtimes:\n- {handler: requested, isolation: sandbox, default: true}\n",
     {6, 13},
     "may not be \"requested\"",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, aliases: [], isolation: sandbox, default: true}\n",
     {6, 25},
     "aliases is empty",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, aliases: [b, b], isolation: sandbox, default: true}\n",
     {6, 29},
     "\"b\" names a runtime twice",
     "line 6, column 26"},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true}\n"
               "- {handler: a, isolation: sandbox}\n",
     {7, 13},
     "\"a\" names a runtime twice",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true, cannot: []}\n",
     {6, 59},
     "cannot is empty",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true, cannot: [hostPid]}\n",
     {6, 60},
     "cannot: unknown value \"hostPid\"",
     "did you mean \"hostPID\"?"},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true, cannot: [devices, "
               "devices]}\n",
     {6, 69},
     "\"devices\" stands twice in cannot",
     NULL},
    {META TAIL "runtimes:\n- {handler: a, isolation: sandbox, default: true, device: [x]}\n",
     {6, 51},
     "unknown key \"device\" in a runtime",
     "did you mean \"devices\"?"},
    {DEVICES("[]"), {7, 68}, "devices is empty", NULL},
    {DEVICES("/dev/kvm"), {7, 68}, "devices must be a list, not a string", NULL},
    {DEVICES("[7]"), {7, 69}, "devices must be a string, not a number", "quote it"},
    {DEVICES("['']"), {7, 69}, "devices is empty", NULL},
    {DEVICES("[\"/dev/\\x01\"]"), {7, 69}, "without control characters", NULL},
    {DEVICES("[/" HUNDRED HUNDRED HUNDRED "]"), {7, 69}, "longer than 256 bytes", NULL},
    {DEVICES("[/dev/*, a/b=c, /dev/*]"), {7, 84}, "\"/dev/*\" stands twice in devices", NULL},
    {DEVICES("[/dev/../mem]"), {7, 69}, "an empty part, \".\" or \"..\"", "/dev/nvidia*"},
    {DEVICES("[/dev/./*]"), {7, 69}, "the path \"/dev/./*\"", NULL},
    {DEVICES("[//dev/kvm]"), {7, 69}, "the path \"//dev/kvm\"", NULL},
    {DEVICES("[/dev/]"), {7, 69}, "the path \"/dev/\"", NULL},
    {DEVICES("[/]"), {7, 69}, "the path \"/\"", NULL},
    /* rules */
    {RULES("- {match: {}, run: runc}"), {9, 3}, "name of the rule is missing", NULL},
    {RULES("- {name: \"\", match: {}, run: runc}"), {9, 10}, "name is empty", NULL},
    {RULES("- {name: \"a\\nb\", match: {}, run: runc}"), {9, 10}, "one line", NULL},
    {RULES("- {name: otherwise, match: {}, run: runc}"), {9, 10}, "may not be called", NULL},
    {RULES("- {name: a, match: {}, run: runc}\n- {name: a, match: {}, run: runc}"),
     {10, 10},
     "two rules are called \"a\"",
     "line 9"},
    {RULES("- {name: a, run: runc}"), {9, 3}, "match of the rule is missing", "`match: {}`"},
    {RULES("- {name: a, match: , run: runc}"), {9, 20}, "match must be a mapping", NULL},
    {RULES("- {name: a, match: {}}"), {9, 3}, "no action is given", "run: requested"},
    {RULES("- {name: a, match: {}, run: runc, refuse: no way}"),
     {9, 43},
     "both run and refuse",
     NULL},
    {RULES("- {name: a, match: {}, run: runcs}"),
     {9, 29},
     "run: \"runcs\" is not a declared runtime",
     "did you mean \"runc\"?"},
    {RULES("- {name: a, match: {}, run: firecracker}"), {9, 29}, "not a declared", "declare it"},
    {RULES("- {name: a, match: {}, refuse: no}"), {9, 32}, "not a boolean", "quote it: \"no\""},
    {RULES("- {name: a, match: {}, refuse: \"\"}"), {9, 32}, "refuse is empty", NULL},
    {RULES("- {name: a, match: {}, run: runc, allowDowngrade: 1}"), {9, 51}, "true or false", NULL},
    {RULES("- {name: a, match: {}, run: runc, allowDowngrade: yes}"),
     {9, 51},
     "true or false",
     NULL},
    {RULES("- {name: a, match: {}, run: runc, mode: audit}"),
     {9, 41},
     "mode: unknown value",
     "valid: enforce, observe"},
    {RULES("- {name: a, matchs: {}, match: {}, run: runc}"),
     {9, 13},
     "unknown key \"matchs\"",
     "did you mean \"match\"?"},
    {RULES("- a"), {9, 3}, "a rule must be a mapping, not a string", NULL},
    /* match */
    {MATCH("handlers: []"), {9, 42}, "handlers is empty", NULL},
    {MATCH("handlers: runc"), {9, 42}, "handlers must be a list, not a string", NULL},
    {MATCH("handlers: [gviser]"), {9, 43}, "handler: \"gviser\"", "did you mean \"gvisor\"?"},
    {MATCH("namespaces: []"), {9, 44}, "namespaces is empty", NULL},
    {MATCH("namespaces: [\"\"]"), {9, 45}, "namespaces is empty", NULL},
    {MATCH("names: [1]"), {9, 40}, "names must be a string, not a number", NULL},
    {MATCH("annotationKeys: []"), {9, 48}, "annotationKeys is empty", NULL},
    {MATCH("hostNetwork: \"true\""), {9, 45}, "hostNetwork must be true or false", NULL},
    {MATCH("hostNet: true"), {9, 32}, "unknown key \"hostNet\"", NULL},
    {MATCH("pod: {}"), {9, 37}, "pod is empty", NULL},
    {MATCH("pod: {matchLabels: {}}"), {9, 51}, "matchLabels is empty", NULL},
    {MATCH("pod: {matchExpressions: []}"), {9, 56}, "matchExpressions is empty", NULL},
    {MATCH("pod: {matchLabels: {a: true}}"), {9, 55}, "not a boolean", "quote it: \"true\""},
    {MATCH("pod: {matchLabels: {a: }}"), {9, 55}, "not nothing", "\"\""},
    {MATCH("pod: {matchLabels: {-a: b}}"), {9, 52}, "the key \"-a\"", NULL},
    {MATCH("pod: {matchLabels: {A.b/c: d}}"), {9, 52}, "has a prefix that is not a DNS name", NULL},
    {MATCH("pod: {matchLabels: {a: b c}}"), {9, 55}, "the value \"b c\"", NULL},
    {MATCH("node: {labels: {a: b}}"), {9, 39}, "unknown key \"labels\" in node", NULL},
    {MATCH("node: {matchExpressions: [{key: a, operator: In}]}"), {9, 58}, "In needs values", NULL},
    {MATCH("node: {matchExpressions: [{key: a, operator: In, values: []}]}"),
     {9, 89},
     "values is empty",
     NULL},
    {MATCH("node: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
     {9, 93},
     "operator Exists takes no values",
     NULL},
    {MATCH("node: {matchExpressions: [{key: a, operator: Gt, values: [b]}]}"),
     {9, 77},
     "operator: unknown value \"Gt\"",
     "valid: In, NotIn, Exists, DoesNotExist"},
    {MATCH("node: {matchExpressions: [{key: a, operator: in, values: [b]}]}"),
     {9, 77},
     "operator: unknown value \"in\"",
     "did you mean \"In\"?"},
    {MATCH("node: {matchExpressions: [{operator: Exists}]}"),
     {9, 58},
     "key of the expression",
     NULL},
    {MATCH("node: {matchExpressions: [{key: a}]}"), {9, 58}, "operator of the expression", NULL},
    /* otherwise */
    {META RUNTIMES "otherwise: {}\n", {7, 12}, "no action is given", NULL},
    {META RUNTIMES "otherwise: run\n", {7, 12}, "otherwise must be a mapping", NULL},
    {META RUNTIMES "otherwise: {run: runsk}\n", {7, 18}, "not a declared", "\"runsc\""},
    {META RUNTIMES "otherwise: {run: runc, mode: observe}\n",
     {7, 24},
     "unknown key \"mode\"",
     NULL},
};

static const struct diag *find(const struct diags *diags, const struct policy_error *expected)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        bool is_there =
            diag->at.line == expected->at.line && diag->at.column == expected->at.column;
        if (is_there && strstr(diag->message, expected->message))
            return diag;
    }
    return NULL;
}

Test(policy_file_errors, stand_at_their_place_with_advice)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWNED_DIAGS struct diags diags = {0};
        struct policy *policy = NULL;
        int rc = policy_file_parse("p.yaml", str_of(cases[i].text), &diags, &policy);
        cr_expect(rc == -1 && !policy && diags.errors > 0, "taken: %s", cases[i].text);
        const struct diag *diag = find(&diags, &cases[i]);
        cr_expect(diag, "\"%s\" is not there for %s; first: %u:%u %s", cases[i].message,
                  cases[i].text, diags.count ? diags.items[0].at.line : 0,
                  diags.count ? diags.items[0].at.column : 0,
                  diags.count ? diags.items[0].message : "nothing");
        if (diag && cases[i].hint)
            cr_expect(diag->hint && strstr(diag->hint, cases[i].hint), "hint of \"%s\": %s",
                      diag->message, diag->hint ? diag->hint : "none");
    }
}

Test(policy_file_errors, come_all_in_one_run_in_order)
{
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    const char *text =
        "apiVersion: crigate/v2\nkind: RuntimePolicy\nmetadata: {name: p}\n" RUNTIMES "rules:\n"
        "- {name: a, matchs: {}, run: runcs}\n"
        "- {name: a, match: {pod: {}}, run: runcs, refuse: never}\n"
        "otherwise: {run: requestd}\n";
    cr_assert_eq(policy_file_parse("p.yaml", str_of(text), &diags, &policy), -1);
    static const uint32_t lines[] = {1, 8, 8, 8, 9, 9, 9, 9, 10};
    cr_assert_eq(diags.count, sizeof(lines) / sizeof(lines[0]));
    for (size_t i = 0; i < diags.count; i++)
        cr_expect_eq(diags.items[i].at.line, lines[i], "%s", diags.items[i].message);
}

/* One mistake is one finding, also where others could be drawn from it. */
Test(policy_file_errors, do_not_follow_from_each_other)
{
    static const char *const texts[] = {
        META "runtimes:\n- {handler: kata containers, isolation: sandbox, default: true}\n"
             "rules:\n- {name: a, match: {}, run: kata}\n" TAIL,
        META "runtimes:\n- {handler: runc, isolation: hostKernel, default: yes}\n" TAIL,
        RULES("- {name: a, match: {}, run: runcs, allowDowngrade: true}"),
        RULES("- {name: a, match: {}, run: 7, allowDowngrade: true}"),
        META "runtimes:\n- {handler: a, isolation: sandbox, default: true, cannot: [device], "
             "devices: [/dev/kvm]}\n" TAIL,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWNED_DIAGS struct diags diags = {0};
        struct policy *policy = NULL;
        cr_assert_eq(policy_file_parse("p.yaml", str_of(texts[i]), &diags, &policy), -1);
        cr_expect_eq(diags.count, 1, "%zu findings in text %zu", diags.count, i);
    }
}
