/* SPDX-License-Identifier: Apache-2.0 */
/* The commands check, explain and test, as a person or a script runs them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define POLICY SOURCE_ROOT "/config/policy.yaml"
#define AGENT                                                                               \
    "printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: b7, namespace: agents, labels: " \
    "{agenttier.io/managed: \"true\"}}\\n'"
#define EXPLAIN " | " CRIGATE " explain " POLICY " "
#define GVISOR "--node-labels agenttier.io/runtime=gvisor "

struct run {
    int status;
    char text[16384]; /* both outputs */
};

static struct run run(const char *command)
{
    struct run run = {.status = -1};
    char shell[4096];
    snprintf(shell, sizeof(shell), "{ %s; } 2>&1", command);
    FILE *out = popen(shell, "r");
    cr_assert_not_null(out);
    run.text[fread(run.text, 1, sizeof(run.text) - 1, out)] = '\0';
    int status = pclose(out);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

static void expect(const char *command, int status, const char *text)
{
    struct run got = run(command);
    cr_expect_eq(got.status, status, "%s: exit %d\n%s", command, got.status, got.text);
    cr_expect(strstr(got.text, text), "%s: no \"%s\" in\n%s", command, text, got.text);
}

Test(cli, tells_what_it_can_do)
{
    expect(CRIGATE " --help", 0, "check");
    expect(CRIGATE " --version", 0, "crigate ");
    expect(CRIGATE " check --help", 0, "Exit status: 0");
    expect(CRIGATE " explain --help", 0, "Left out, they are not known");
}

Test(cli, refuses_wrong_usage)
{
    expect(CRIGATE, 2, "which command?");
    expect(CRIGATE " chekc", 2, "did you mean \"check\"?");
    expect(CRIGATE " zebra x --help", 2, "\"zebra\" is no command");
    expect(CRIGATE " --frobnicate", 2, "unrecognized option");
    expect(CRIGATE " check", 2, "which policy?");
    expect(CRIGATE " check a b", 2, "one too many");
    expect(CRIGATE " check --output xml a", 2, "text or json");
    expect(CRIGATE " explain " POLICY, 2, "a Pod manifest");
    expect(CRIGATE " explain " POLICY " a b", 2, "one too many");
}

Test(cli, checks_a_policy)
{
    expect(CRIGATE " check " POLICY, 0, POLICY ": ok (3 rules, 0 warnings)\n");
    expect(CRIGATE " check /nonexistent", 1, "/nonexistent: error: it cannot be opened");
    expect("echo 'kind: x' | " CRIGATE " check /dev/stdin", 1, "/dev/stdin:1:7: error: kind");
    expect(CRIGATE " check --output json " POLICY, 0, "\"ok\":true,\"name\":\"agent-node\"");
    expect("echo 'kind: \"\\\"\"' | " CRIGATE " check --output json /dev/stdin", 1,
           "\"level\":\"error\",\"line\":1,\"column\":7,\"message\":\"kind: unknown value "
           "\\\"\\\"\\\"\"");
}

Test(cli, does_not_lose_its_output_in_silence)
{
    expect(CRIGATE " check " POLICY " >/dev/full", 1, "standard output cannot be written");
}

Test(cli, explains_a_pod_that_runs)
{
    struct run got = run(AGENT EXPLAIN GVISOR "-");
    cr_assert_eq(got.status, 0, "%s", got.text);
    static const char *const parts[] = {
        "pod agents/b7\n", "asks for: no handler, which means runc\n",
        "no-gvisor-flag-overrides: no match: ", "agents-in-gvisor: matches, and wins\n",
        "runs under runsc (the request is changed to say so)\n"};
    for (size_t i = 0; i < 5; i++)
        cr_expect(strstr(got.text, parts[i]), "no \"%s\" in\n%s", parts[i], got.text);
    cr_expect_null(strstr(got.text, "agents-need-a-gvisor-node"));
    expect(AGENT EXPLAIN GVISOR "--handler '' --output json -", 0,
           "\"verdict\":{\"action\":\"run\",\"reason\":\"rule\",\"rule\":\"agents-in-gvisor\","
           "\"handler\":\"runsc\",\"modifies\":true}");
    expect("echo '{apiVersion: v1, kind: Pod, metadata: {name: web}}'" EXPLAIN "-", 0,
           "otherwise: no rule above wins");
}

Test(cli, explains_a_pod_that_is_refused)
{
    expect(AGENT EXPLAIN "--node-labels '' -", 1,
           "refused (rule): crigate: pod agents/b7 refused: agent sandboxes run only on nodes "
           "labelled agenttier.io/runtime=gvisor (rule agents-need-a-gvisor-node");
    expect(AGENT EXPLAIN "-", 1, "agents-in-gvisor: not known: ");
    expect(AGENT EXPLAIN GVISOR "--handler kata -", 1, "kata, which is not declared");
    expect(AGENT EXPLAIN GVISOR "--output json --handler kata -", 1,
           "\"reason\":\"unknownRuntime\"");
    expect("printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: b7, labels: "
           "{agenttier.io/managed: \"true\"}}\\nspec: {hostNetwork: true}\\n'" EXPLAIN GVISOR "-",
           1, "cannot refuses: runsc cannot hostNetwork");
}

Test(cli, prints_nothing_that_deceives)
{
    const char *pod =
        "printf '%s' '{apiVersion: v1, kind: Pod, metadata: {name: \"x\\e[2J\"}}'" EXPLAIN;
    char command[1024];
    snprintf(command, sizeof(command), "%s --handler \"$(printf 'a\\nb\\377')\" -", pod);
    expect(command, 1, "pod default/x\\x1b[2J\nasks for: a\\x0ab\\xff, which");
    strcat(command, " --output json");
    expect(command, 1, "\"name\":\"x\\u001B[2J\"},\"requested\":\"a\\\\x0ab\\\\xff\",");
}

Test(cli, takes_the_runtime_class_for_the_handler)
{
    expect("echo '{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {runtimeClassName: "
           "gvisor}}'" EXPLAIN "-",
           0, "gvisor (by runtimeClassName");
    expect("echo '{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {runtimeClassName: "
           "gvisor}}'" EXPLAIN "--handler runc -",
           0, "asks for: runc\n");
}

Test(cli, does_not_take_what_it_cannot_read_for_a_refusal)
{
    expect(CRIGATE " explain /nonexistent " POLICY, 2, "/nonexistent: error");
    expect(CRIGATE " explain " POLICY " /nonexistent", 2, "/nonexistent: error");
    expect(AGENT EXPLAIN "--node-labels a -", 2, "a label is written key=value");
    expect("echo 'kind: Deployment'" EXPLAIN "-", 2, "standard input:1:7: error: kind");
}

Test(cli, lets_a_policy_that_observes_through)
{
    expect("sed 's/^mode: enforce/mode: observe/' " POLICY " >/tmp/crigate-cli-$$.yaml; " AGENT
           " | " CRIGATE " explain /tmp/crigate-cli-$$.yaml --node-labels '' -; s=$?; "
           "rm /tmp/crigate-cli-$$.yaml; (exit $s)",
           0, "the policy only observes");
}

/* Cases beside nothing: their policy is named by its whole path. */
#define CASES                                                                                      \
    "f=$(mktemp); trap 'rm $f' EXIT; printf '%s\\n' 'apiVersion: crigate/v1' 'kind: PolicyCases' " \
    "'policy: " POLICY "' 'cases:' "
#define WEB "'- {name: web, pod: {metadata: {name: web}}, expect: {run: runc}}' "
#define WRONG                                                                                  \
    "'- {name: \"a <b> & c\", nodeLabels: {}, cri: {name: b7, labels: {agenttier.io/managed: " \
    "\"true\"}}, expect: {run: runsc, rule: agents-in-gvisor}}' "
#define TEST ">$f; " CRIGATE " test "

Test(cli, the_default_policy_holds_and_no_rule_is_left_out)
{
    struct run got = run(CRIGATE " test " SOURCE_ROOT "/config/policy-cases.yaml");
    cr_expect_eq(got.status, 0, "%s", got.text);
    cr_expect(strstr(got.text, " passed, 0 failed\n"), "%s", got.text);
    cr_expect_null(strstr(got.text, "FAILED"), "%s", got.text);
    cr_expect_null(strstr(got.text, "warning"), "%s", got.text);
    cr_expect_null(strchr(got.text, '\033'));
}

Test(cli, tests_tell_each_difference)
{
    struct run got = run(CASES WEB WRONG TEST "$f");
    cr_assert_eq(got.status, 1, "%s", got.text);
    static const char *const parts[] = {
        ":5: web\n",
        "FAILED ",
        ":6: a <b> & c\n",
        "expected  runs under runsc by rule agents-in-gvisor (" POLICY ":",
        "got       refused (rule) by rule agents-need-a-gvisor-node (" POLICY ":",
        "why       rule agents-in-gvisor does not match: node label agenttier.io/runtime is not "
        "there",
        "message   crigate: pod default/b7 refused: agent sandboxes run only",
        ": warning: no case reaches rule \"no-gvisor-flag-overrides\"\n",
        ": warning: no case reaches rule \"agents-in-gvisor\"\n",
        "\n1 passed, 1 failed\n"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        cr_expect(strstr(got.text, parts[i]), "no \"%s\" in\n%s", parts[i], got.text);
    cr_expect_null(strstr(got.text, "reaches rule \"agents-need"));
    cr_expect_null(strchr(got.text, '\033'));
}

Test(cli, tests_print_json)
{
    struct run got = run(CASES WEB WRONG TEST
                         "--output json $f | jq -r '.passed, .failed, "
                         "(.files[0].cases[] | .ok, .verdict.action), .files[0].cases[1].line, "
                         "(.policies[0].unreached | map(.rule) | join(\",\"))'");
    cr_expect_str_eq(got.text, "1\n1\ntrue\nrun\nfalse\nrefuse\n6\n"
                               "no-gvisor-flag-overrides,agents-in-gvisor\n");
    expect(CASES WRONG TEST "--output json $f", 1, "\"failed\":1");
}

Test(cli, tests_print_junit)
{
    struct run got = run(CASES WEB WRONG TEST "--output junit $f 2>/dev/null | xmllint --noout - "
                                              "&& " CRIGATE " test --output junit $f 2>/dev/null");
    cr_assert_eq(got.status, 1, "%s", got.text);
    static const char *const parts[] = {
        "tests=\"2\" failures=\"1\" errors=\"0\"",
        "name=\"a &lt;b&gt; &amp; c\"",
        "line=\"6\" time=\"0.0",
        "<failure type=\"difference\" message=\"expected runs under runsc by rule",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        cr_expect(strstr(got.text, parts[i]), "no \"%s\" in\n%s", parts[i], got.text);
    expect(CASES "'- {name: \"\\uFFFE \U0001F600\", pod: {metadata: {name: a}}, expect: "
                 "{refuse: true}}' " TEST "--output junit $f | xmllint --noout - && echo valid",
           0, "valid\n");
}

Test(cli, tests_judge_containers)
{
    static const char text[] =
        CASES "'- {name: x, pod: {metadata: {name: a}, spec: {runtimeClassName: runsc, containers: "
              "[{name: app, volumeMounts: [{mountPath: /d, mountPropagation: Bidirectional}]}]}}, "
              "expect: {run: runsc}}' " TEST "$f";
    expect(text, 1, "got       its container app is refused (incompatible) by otherwise (");
    expect("echo '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {runtimeClassName: runsc, "
           "containers: [{name: b}, {name: app, volumeMounts: [{mountPath: /d, mountPropagation: "
           "Bidirectional}]}]}}'" EXPLAIN "-",
           1, "container app: refused (incompatible): crigate: container default/a/app refused: ");
}

Test(cli, tests_what_would_be_observed)
{
    static const char text[] =
        "d=$(mktemp -d); trap 'rm -r $d' EXIT; printf '%s\\n' 'apiVersion: crigate/v1' "
        "'kind: RuntimePolicy' 'metadata: {name: p}' 'mode: observe' "
        "'runtimes: [{handler: runc, isolation: hostKernel, default: true}]' 'rules:' "
        "'- {name: w, match: {names: [a]}, refuse: not a, mode: observe}' "
        "'- {name: x, match: {names: [b]}, refuse: not b}' 'otherwise: {run: requested}' "
        ">$d/policy.yaml; printf '%s\\n' 'apiVersion: crigate/v1' 'kind: PolicyCases' "
        "'policy: policy.yaml' 'cases:' "
        "'- {name: a, cri: {name: a}, expect: {run: runc, observed: [w]}}' "
        "'- {name: b, cri: {name: b}, expect: {refuse: rule, rule: x, message: not b}}' "
        "'- {name: c, cri: {name: c}, expect: {run: runc, observed: [w]}}' "
        ">$d/cases.yaml; cd $d && " CRIGATE " test cases.yaml";
    expect(text, 1, "ok      cases.yaml:5: a\nok      cases.yaml:6: b\nFAILED  cases.yaml:7: c\n");
    expect(text, 1,
           "got       runs under runc by otherwise (policy.yaml:9); observed by no rule\n");
    cr_expect_null(strstr(run(text).text, "warning"));
}

Test(cli, tests_do_not_run_what_they_cannot_read)
{
    expect(CRIGATE " test", 2, "which cases?");
    expect(CRIGATE " test --output xml a", 2, "text, json or junit");
    expect(CRIGATE " test --help", 0, "Example: crigate test");
    expect(CRIGATE " test /nonexistent", 2, "/nonexistent: error: it cannot be opened");
    expect(CASES "'- {name: x, podd: {}, expect: {run: runc}}' " TEST "$f " POLICY, 2,
           "unknown key \"podd\" in a case");
    expect(CRIGATE " test " SOURCE_ROOT "/config/policy-cases.yaml >/dev/full", 1,
           "standard output cannot be written");
}
