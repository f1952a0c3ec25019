/* SPDX-License-Identifier: Apache-2.0 */
/* What `crigate ps` makes of sandboxes and a policy, and how it words it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/ps_text.h"
#include "config/policy_file.h"

#define MINUTE (INT64_C(60) * 1000000000)

#define RUNTIMES                                              \
    "runtimes:\n"                                             \
    "- {handler: runc, isolation: hostKernel, default: %s}\n" \
    "- {handler: runsc, aliases: [gvisor], isolation: sandbox, default: %s}\n"

static struct policy *load(const char *mode, bool sandbox_default, const char *rules)
{
    char path[] = "/tmp/crigate-ps-policy-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    dprintf(fd, "apiVersion: crigate/v1\nkind: RuntimePolicy\nmetadata: {name: ps}\nmode: %s\n",
            mode);
    dprintf(fd, RUNTIMES "%s", sandbox_default ? "false" : "true",
            sandbox_default ? "true" : "false", rules);
    close(fd);
    OWNED_DIAGS struct diags diags = {0};
    struct policy *policy = NULL;
    int loaded = policy_file_load(path, &diags, &policy);
    unlink(path);
    diags_print(&diags, stderr);
    cr_assert_eq(loaded, 0);
    return policy;
}

static struct queried_sandbox sandbox(const char *handler)
{
    struct queried_sandbox made = {.facts = {.handler = str_of(handler), .ready = true},
                                   .trouble = STR("")};
    made.facts.id = STR("1");
    made.facts.pod.namespace = STR("ns");
    made.facts.pod.name = STR("pod");
    made.facts.pod.uid = STR("");
    made.facts.pod.handler = made.facts.handler;
    return made;
}

struct scene {
    struct policy *policy;
    struct node_labels *labels;
    struct sandbox_query query;
    struct survey survey;
    struct ps_report report;
};

static void judge(struct scene *scene, struct queried_sandbox *items, size_t count)
{
    if (!scene->labels) {
        struct err err;
        cr_assert_eq(node_labels_parse("zone=a", &scene->labels, &err), 0);
    }
    scene->query = (struct sandbox_query){.items = items, .count = count};
    cr_assert_eq(survey_judge(&scene->query, scene->policy, scene->labels, &scene->survey), 0);
    scene->report =
        (struct ps_report){.survey = &scene->survey, .labels_trouble = "", .now = MINUTE};
}

static void end(struct scene *scene)
{
    survey_free(&scene->survey);
    node_labels_unref(scene->labels);
    policy_unref(scene->policy);
}

static void expect_text(const struct scene *scene, unsigned width, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct table_look look = {.width = width};
    cr_assert_eq(ps_report_print(&scene->report, &look, out), 0);
    cr_assert_eq(fclose(out), 0);
    cr_expect(strstr(text, expected), "no \"%s\" in\n%s", expected, text);
    free(text);
}

Test(ps_report, compares_with_the_runtimes_own_name)
{
    struct scene scene = {.policy = load("enforce", false, "otherwise: {run: requested}\n")};
    struct queried_sandbox items[] = {sandbox("runc"), sandbox("runsc"), sandbox("gvisor"),
                                      sandbox("kata"), sandbox("")};
    static const enum standing standings[] = {STANDING_SAME, STANDING_SAME, STANDING_DRIFT,
                                              STANDING_DRIFT, STANDING_SAME};
    judge(&scene, items, 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(scene.survey.items[i].standing, standings[i], "%zu", i);
    cr_expect_eq(scene.survey.tally.unknown_isolation, 2);
    cr_expect_eq(scene.survey.tally.host_kernel, 2);
    end(&scene);
}

Test(ps_report, does_not_call_containerds_default_a_sandbox)
{
    struct scene scene = {.policy = load("enforce", true, "otherwise: {run: requested}\n")};
    struct queried_sandbox item = sandbox("");
    judge(&scene, &item, 1);
    cr_expect_eq(scene.survey.items[0].standing, STANDING_UNKNOWN);
    cr_expect_eq(scene.survey.tally.sandboxed, 0);
    expect_text(&scene, 0, "whether that is a sandbox is not known; the policy's default is runsc");
    end(&scene);
    scene = (struct scene){.policy = load("enforce", true, "otherwise: {run: runc}\n")};
    judge(&scene, &item, 1);
    cr_expect_eq(scene.survey.items[0].standing, STANDING_DRIFT, "a downgrade");
    end(&scene);
}

Test(ps_report, judges_only_what_is_known)
{
    struct scene scene = {.policy = load("enforce", false, "otherwise: {refuse: never}\n")};
    struct queried_sandbox items[] = {sandbox("runc"), sandbox("runc"), sandbox("runc")};
    items[0].facts.ready = false;
    items[1].trouble = STR("it would not say");
    judge(&scene, items, 3);
    cr_expect_eq(scene.survey.items[0].standing, STANDING_NOT_JUDGED);
    cr_expect_eq(scene.survey.items[1].standing, STANDING_UNKNOWN);
    cr_expect_eq(scene.survey.items[2].standing, STANDING_DRIFT);
    expect_text(&scene, 0,
                "\n2 sandboxes: 0 sandboxed, 2 on the host kernel, 1 drifts, 1 cannot "
                "be told; 1 more is not ready\n");
    expect_text(&scene, 0, "policy says refuse by otherwise: never\n");
    end(&scene);
}

Test(ps_report, says_that_a_policy_only_observes)
{
    struct scene scene = {.policy = load("observe", false, "otherwise: {run: runsc}\n")};
    struct queried_sandbox item = sandbox("runc");
    judge(&scene, &item, 1);
    cr_expect_eq(scene.survey.tally.drifted, 1);
    expect_text(&scene, 0, "The policy ps only observes: enforced");
    end(&scene);
}

Test(ps_report, tells_each_reason_once_and_not_too_many)
{
    enum { COUNT = 30 };
    struct scene scene = {.policy = load("enforce", false, "otherwise: {run: requested}\n")};
    struct queried_sandbox items[COUNT];
    char handlers[COUNT][8];
    for (int i = 0; i < COUNT; i++) {
        snprintf(handlers[i], sizeof(handlers[i]), "kata-%d", i / 2);
        items[i] = sandbox(handlers[i]);
    }
    judge(&scene, items, COUNT);
    expect_text(&scene, 0, "There are more reasons than these");
    char *text = NULL;
    size_t size, told = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(ps_report_print(&scene.report, &(struct table_look){0}, out), 0);
    fclose(out);
    for (const char *at = text; (at = strstr(at, "DRIFT: ")); at++)
        told++;
    cr_expect_eq(told, 10);
    free(text);
    end(&scene);
}

Test(ps_report, folds_below_the_table)
{
    struct scene scene = {.policy = load("enforce", false, "otherwise: {run: runsc}\n")};
    struct queried_sandbox item = sandbox("runc");
    judge(&scene, &item, 1);
    expect_text(&scene, 40,
                "\nDRIFT: runs under runc; policy says\nrunsc by otherwise\nA running ");
    end(&scene);
}

Test(ps_report, says_how_old_the_cached_labels_are)
{
    struct node_labels_origin origin = {"cache", 18};
    struct label_set none = {0};
    struct scene scene = {.policy = load("enforce", false, "otherwise: {run: requested}\n"),
                          .labels = node_labels_make(&none, origin)};
    struct queried_sandbox item = sandbox("runc");
    judge(&scene, &item, 1);
    expect_text(&scene, 0, "as the API server told them 42s ago.\n");
    end(&scene);
}

Test(ps_report, words_ages_for_people)
{
    static const struct {
        int64_t age;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {-MINUTE, "0s"},
        {MINUTE - 1000000000, "59s"},
        {3 * MINUTE, "3m"},
        {59 * MINUTE, "59m"},
        {60 * MINUTE, "1h0m"},
        {252 * MINUTE, "4h12m"},
        {1439 * MINUTE, "23h59m"},
        {9 * 1440 * MINUTE, "9d"},
    };
    const int64_t now = 40000 * MINUTE;
    char text[32];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ps_format_age(now - cases[i].age, now, text, sizeof(text));
        cr_expect_str_eq(text, cases[i].text);
    }
    ps_format_age(0, now, text, sizeof(text));
    cr_expect_str_eq(text, "?");
    ps_format_age(INT64_MAX, INT64_MIN, text, sizeof(text));
    cr_expect_str_eq(text, "0s");
}
