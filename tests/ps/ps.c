/* SPDX-License-Identifier: Apache-2.0 */
/* crigate ps as a person or a script runs it, in front of a fake containerd. */
#include <criterion/criterion.h>
#include <grpc/grpc.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_cri.h"

#define HOUR (3600 * INT64_C(1000000000))
#define OUTPUT_MAX ((size_t)1 << 20)
#define MANAGED "agenttier.io/managed", "true"

static const char policy[] =
    "apiVersion: crigate/v1\n"
    "kind: RuntimePolicy\n"
    "metadata: {name: ps}\n"
    "mode: enforce\n"
    "runtimes:\n"
    "- {handler: runc, isolation: hostKernel, default: true}\n"
    "- {handler: runsc, aliases: [gvisor], isolation: sandbox, cannot: [hostNetwork]}\n"
    "rules:\n"
    "- name: no-host-network-in-shop\n"
    "  match: {namespaces: [shop], hostNetwork: true}\n"
    "  refuse: the shop has no host network\n"
    "- name: agents-in-gvisor\n"
    "  match:\n"
    "    node: {matchLabels: {agenttier.io/runtime: gvisor}}\n"
    "    pod: {matchLabels: {agenttier.io/managed: \"true\"}}\n"
    "  run: runsc\n"
    "otherwise: {run: requested}\n";

/* --- the bed ------------------------------------------------------------------------------- */

struct bed {
    char dir[64], socket[96];
    struct fake_cri *fake;
};

struct run {
    int status;
    size_t len;
    char *text;
};

static void write_file(const struct bed *bed, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", bed->dir, name);
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

static struct bed make_bed(const char *labels)
{
    struct bed bed = {.dir = "/tmp/crigate-ps-XXXXXX"};
    cr_assert_not_null(mkdtemp(bed.dir));
    chmod(bed.dir, 0755);
    snprintf(bed.socket, sizeof(bed.socket), "%s/containerd.sock", bed.dir);
    char text[1024];
    snprintf(text, sizeof(text),
             "listen: %s/crigate.sock\nupstream: %s\npolicy: %s/policy.yaml\npeers: {uids: [0]}\n"
             "node: {name: node-1, labels: {file: %s/labels}}\naudit: {file: %s/audit.jsonl}\n",
             bed.dir, bed.socket, bed.dir, bed.dir, bed.dir);
    write_file(&bed, "crigate.yaml", text);
    write_file(&bed, "policy.yaml", policy);
    if (labels)
        write_file(&bed, "labels", labels);
    return bed;
}

static struct bed set_up(const struct fake_cri_plan *plan, const char *labels)
{
    struct bed bed = make_bed(labels);
    grpc_init();
    bed.fake = fake_cri_start(bed.socket, plan);
    return bed;
}

static void remove_bed(struct bed *bed)
{
    static const char *const names[] = {"crigate.yaml", "policy.yaml", "labels", "containerd.sock",
                                        "crigate"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", bed->dir, names[i]);
        unlink(path);
    }
    cr_expect_eq(rmdir(bed->dir), 0);
}

static void tear_down(struct bed *bed)
{
    cr_expect_eq(fake_cri_others(bed->fake), 0, "it asked containerd for something else");
    fake_cri_stop(bed->fake);
    grpc_shutdown();
    remove_bed(bed);
}

/* Both outputs are taken. */
static struct run run_program(const struct bed *bed, const char *program, const char *arguments)
{
    char shell[1024];
    snprintf(shell, sizeof(shell), "{ %s ps --config %s/crigate.yaml %s; } 2>&1", program, bed->dir,
             arguments);
    FILE *out = popen(shell, "r");
    cr_assert_not_null(out);
    struct run run = {.text = calloc(1, OUTPUT_MAX)};
    run.len = fread(run.text, 1, OUTPUT_MAX - 1, out);
    int status = pclose(out);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

static struct run run(const struct bed *bed, const char *arguments)
{
    return run_program(bed, CRIGATE, arguments);
}

static void expect(const struct bed *bed, const char *arguments, int status, const char *text)
{
    struct run got = run(bed, arguments);
    cr_expect_eq(got.status, status, "exit %d\n%s", got.status, got.text);
    cr_expect(strstr(got.text, text), "no \"%s\" in\n%s", text, got.text);
    free(got.text);
}

static int64_t ago(int64_t ns)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec - ns;
}

/* --- what it shows ------------------------------------------------------------------------- */

Test(ps, shows_what_drifts, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s4", "shop", "web-1", "runc", .created_at = ago(9 * 24 * HOUR + HOUR)},
        {"s1", "agents", "build-7", "runsc", MANAGED, .created_at = ago(4 * HOUR + HOUR / 5)},
        {"s2", "agents", "build-8", "runc", MANAGED, .created_at = ago(HOUR / 20)},
        {"s3", "shop", "kata-1", "kata", .created_at = ago(HOUR / 20)},
        {"s6", "shop", "old", NULL, .created_at = ago(HOUR / 20)},
        {"s5", "shop", "done", "runc", MANAGED, .not_ready = true, .created_at = ago(HOUR / 20)},
    };
    struct fake_cri_plan plan = {sandboxes, 6, 0, false, false};
    struct bed bed = set_up(&plan, "agenttier.io/runtime=gvisor\n");
    struct run got = run(&bed, "");
    cr_expect_eq(got.status, 0);
    cr_expect_str_eq(
        got.text,
        "POD             RUNTIME    ISOLATION    AGE    POLICY SAYS                     DRIFT\n"
        "agents/build-7  runsc      sandbox      4h12m  runsc by rule agents-in-gvisor\n"
        "agents/build-8  runc       host kernel  3m     runsc by rule agents-in-gvisor  DRIFT\n"
        "shop/done       runc       host kernel  3m     (not ready)\n"
        "shop/kata-1     kata       ?            3m     refuse (unknownRuntime)         DRIFT\n"
        "shop/old        (default)  host kernel  3m     runc by otherwise\n"
        "shop/web-1      runc       host kernel  9d     runc by otherwise\n"
        "\n"
        "DRIFT: runs under runc; policy says runsc by rule agents-in-gvisor\n"
        "DRIFT: runs under kata; policy says refuse (unknownRuntime): runtime handler \"kata\" is "
        "not declared in the policy; declared are \"runc\", \"runsc\", \"gvisor\": use a "
        "RuntimeClass with one of them, or declare the handler\n"
        "(default): it came without a runtime's name, so containerd's own default runs it, which "
        "the policy takes for runc.\n"
        "A running pod keeps its runtime: delete it, and what replaces it follows the policy.\n"
        "5 sandboxes: 1 sandboxed, 3 on the host kernel, 1 of unknown isolation, 2 drift; 1 more "
        "is not ready\n");
    free(got.text);
    cr_expect_eq(fake_cri_statuses(bed.fake), 5, "only the ready ones are asked about");
    expect(&bed, "--exit-code", 1, "2 drift");
    tear_down(&bed);
}

Test(ps, asks_for_the_namespaces, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "shop", "web-1", "runc", .host_network = true, .created_at = 1},
        {"s2", "shop", "web-2", "runc", .created_at = 1},
        {"s3", "net", "proxy", "runsc", .host_network = true, .created_at = 1},
    };
    struct fake_cri_plan plan = {sandboxes, 3, 0, false, false};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 0, "refuse by rule no-host-network-in-shop");
    expect(&bed, "", 0, ": the shop has no host network");
    expect(&bed, "", 0, "refuse (incompatible) by otherwise");
    expect(&bed, "", 0, "3 sandboxes: 1 sandboxed, 2 on the host kernel, 2 drift\n");
    tear_down(&bed);
}

Test(ps, does_not_take_the_unknown_for_drift, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "agents", "build-7", "runc", MANAGED, .created_at = 1},
        {"s2", "agents", "plain", "runc", .created_at = 1},
        {"s3", "agents", "shy", "runc", .created_at = 1, .status_code = GRPC_STATUS_INTERNAL},
        {"s4", "agents", "gone", "runc", .created_at = 1, .status_code = GRPC_STATUS_NOT_FOUND},
    };
    struct fake_cri_plan plan = {sandboxes, 4, 0, false, false};
    struct bed bed = set_up(&plan, NULL);
    struct run got = run(&bed, "--exit-code");
    static const char *const parts[] = {
        "? node labels not known, rule agents-in-gvisor  ?\n",
        "labels, which are not known: /tmp/",
        "agents/plain    runc     host kernel",
        "? agents/shy: containerd did not tell its namespaces: the fake \\x1b[2J says no\n",
        "3 sandboxes: 0 sandboxed, 3 on the host kernel, none drifts, 2 cannot be told\n",
    };
    cr_expect_eq(got.status, 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        cr_expect(strstr(got.text, parts[i]), "no \"%s\" in\n%s", parts[i], got.text);
    cr_expect_null(strstr(got.text, "agents/gone"), "%s", got.text);
    free(got.text);
    tear_down(&bed);
}

Test(ps, does_not_take_an_empty_answer_for_no_host_namespaces, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "shop", "web-1", "runc", .created_at = 1, .empty_status = true},
        {"s2", "shop", "web-2", "runc", .created_at = 1, .status_id = "s1"},
    };
    struct fake_cri_plan plan = {sandboxes, 2, 0, false, false};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 0, "none drifts, 2 cannot be told\n");
    expect(&bed, "", 0, "? shop/web-1: containerd did not tell its namespaces: ");
    expect(&bed, "", 0, "? shop/web-2: containerd did not tell its namespaces: it answered about");
    tear_down(&bed);
}

Test(ps, an_alias_of_containerds_own_drifts, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "shop", "web-1", "gvisor", .created_at = 1},
    };
    struct fake_cri_plan plan = {sandboxes, 1, 0, false, false};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 0, "DRIFT: runs under gvisor; policy says runsc by otherwise\n");
    expect(&bed, "", 0, "1 sandbox: 0 sandboxed, 0 on the host kernel, 1 of unknown isolation");
    tear_down(&bed);
}

Test(ps, shows_an_empty_node, .timeout = 60)
{
    struct fake_cri_plan plan = {0};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "--exit-code", 0, "containerd has no pod sandboxes on this node\n");
    expect(&bed, "--output json", 0, "\"sandboxes\":[],\"drift\":0");
    expect(&bed, "--exit-code >/dev/full", 2, "standard output cannot be written");
    tear_down(&bed);
}

Test(ps, prints_nothing_that_deceives, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "a\nb", "x\x1b[2Jy\xe2\x80\xae", "ru\rnc", .created_at = 1},
        {"s2", "\xff\xfe", "z", "\x1b]0;t\a", .created_at = 1},
    };
    struct fake_cri_plan plan = {sandboxes, 2, 0, false, false};
    struct bed bed = set_up(&plan, "");
    struct run got = run(&bed, "");
    for (size_t i = 0; i < got.len; i++)
        cr_expect((got.text[i] >= ' ' && got.text[i] <= '~') || got.text[i] == '\n');
    cr_expect(strstr(got.text, "a\\x0ab/x\\x1b[2Jy\\xe2\\x80\\xae  ru\\x0dnc"), "%s", got.text);
    free(got.text);
    expect(&bed, "--output json", 0, "\"name\":\"x\\u001B[2Jy\\u202E\"");
    tear_down(&bed);
}

Test(ps, keeps_long_names_whole_in_a_pipe, .timeout = 60)
{
    char name[2001] = "";
    memset(name, 'n', sizeof(name) - 1);
    const struct fake_sandbox sandboxes[] = {{"s1", "shop", name, "runc", .created_at = 1}};
    struct fake_cri_plan plan = {sandboxes, 1, 0, false, false};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 0, name);
    tear_down(&bed);
}

/* --- JSON ---------------------------------------------------------------------------------- */

Test(ps, writes_json, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "agents", "build-7", "runc", MANAGED, .created_at = 1789000000123456789},
        {"s2", "agents", "done", "runsc", .not_ready = true, .created_at = 0},
    };
    struct fake_cri_plan plan = {sandboxes, 2, 0, false, false};
    struct bed bed = set_up(&plan, "agenttier.io/runtime=gvisor\n");
    struct run got = run(&bed, "--exit-code -o json");
    cr_expect_eq(got.status, 1);
    static const char *const parts[] = {
        "{\"policy\":{\"name\":\"ps\",\"sha256\":\"",
        "\"nodeLabels\":{\"known\":true,\"source\":\"file\",\"ageSeconds\":",
        "{\"id\":\"s1\",\"namespace\":\"agents\",\"name\":\"build-7\",\"uid\":\"uid-1\","
        "\"attempt\":0,\"handler\":\"runc\",\"isolation\":\"hostKernel\",\"state\":\"ready\","
        "\"createdAt\":\"2026-09-10T00:26:40.123Z\",\"policy\":{\"action\":\"run\",\"reason\":"
        "\"rule\",\"rule\":\"agents-in-gvisor\",\"handler\":\"runsc\"},\"drift\":true}",
        "\"isolation\":\"sandbox\",\"state\":\"notready\",\"createdAt\":null,\"policy\":null,"
        "\"drift\":null}],\"drift\":1,\"unknown\":0}\n",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        cr_expect(strstr(got.text, parts[i]), "no \"%s\" in\n%s", parts[i], got.text);
    json_t *root = json_loads(got.text, JSON_REJECT_DUPLICATES, NULL);
    cr_expect_not_null(root);
    json_decref(root);
    free(got.text);
    tear_down(&bed);
}

/* --- many ---------------------------------------------------------------------------------- */

Test(ps, shows_a_thousand, .timeout = 60)
{
    enum { COUNT = 1000 };
    static struct fake_sandbox sandboxes[COUNT];
    static char ids[COUNT][16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(ids[i], sizeof(ids[i]), "pod-%04d", (i * 7) % COUNT);
        sandboxes[i] =
            (struct fake_sandbox){ids[i], "agents", ids[i], "runsc", MANAGED, .created_at = 1};
    }
    struct fake_cri_plan plan = {sandboxes, COUNT, 0, false, false};
    struct bed bed = set_up(&plan, "agenttier.io/runtime=gvisor\n");
    struct run got = run(&bed, "");
    cr_expect(strstr(got.text, "1000 sandboxes: 1000 sandboxed, 0 on the host kernel, none drifts"),
              "%s", got.text);
    cr_expect_lt(strstr(got.text, "pod-0000"), strstr(got.text, "pod-0001"));
    cr_expect_lt(strstr(got.text, "pod-0001"), strstr(got.text, "pod-0999"));
    free(got.text);
    cr_expect_eq(fake_cri_statuses(bed.fake), COUNT);
    cr_expect_leq(fake_cri_peak(bed.fake), 16);
    tear_down(&bed);
}

/* --- when it cannot be found out ------------------------------------------------------------- */

Test(ps, says_what_to_do_without_containerd, .timeout = 60)
{
    struct bed bed = make_bed("");
    expect(&bed, "", 2, "containerd.sock does not exist: is containerd running");
    write_file(&bed, "containerd.sock", ""); /* no socket at all: like one that nobody listens at */
    expect(&bed, "--output json", 2, "containerd.sock: start containerd");
    remove_bed(&bed);
}

Test(ps, says_what_to_do_without_permission, .timeout = 60)
{
    if (getuid() != 0)
        cr_skip_test("only root can become somebody else");
    struct fake_cri_plan plan = {0};
    struct bed bed = set_up(&plan, "");
    chmod(bed.socket, 0600);
    char program[256]; /* where nobody may run it, wherever the build directory is */
    snprintf(program, sizeof(program),
             "cp " CRIGATE " %s/crigate && setpriv --reuid 65534 --clear-groups %s/crigate",
             bed.dir, bed.dir);
    struct run got = run_program(&bed, program, "");
    cr_expect_eq(got.status, 2, "exit %d\n%s", got.status, got.text);
    cr_expect(strstr(got.text, "permission denied at containerd's socket"), "%s", got.text);
    cr_expect(strstr(got.text, "as root (sudo)"), "%s", got.text);
    free(got.text);
    tear_down(&bed);
}

Test(ps, gives_up_when_containerd_hangs, .timeout = 60)
{
    struct fake_cri_plan plan = {.hang = true};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 2, "did not answer within 10 s");
    tear_down(&bed);
}

Test(ps, tells_what_containerd_said, .timeout = 60)
{
    struct fake_cri_plan plan = {.list_code = GRPC_STATUS_INTERNAL};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 2, "could not be asked: the fake \\x1b[2J says no\n");
    plan.list_code = GRPC_STATUS_UNIMPLEMENTED;
    expect(&bed, "", 2, "does not speak runtime.v1");
    plan.list_code = 0;
    plan.broken_list = true;
    expect(&bed, "", 2, "containerd's list of sandboxes");
    tear_down(&bed);
}

Test(ps, fails_when_containerd_goes_away_midway, .timeout = 60)
{
    const struct fake_sandbox sandboxes[] = {
        {"s1", "a", "b", "runc", .created_at = 1, .status_code = GRPC_STATUS_UNAVAILABLE},
        {"s2", "a", "c", "runc", .created_at = 1},
    };
    struct fake_cri_plan plan = {sandboxes, 2, 0, false, false};
    struct bed bed = set_up(&plan, "");
    expect(&bed, "", 2, "could not be asked");
    tear_down(&bed);
}

Test(ps, refuses_wrong_usage_and_wrong_files, .timeout = 60)
{
    struct bed bed = make_bed("");
    expect(&bed, "pod", 2, "ps takes no argument: pod");
    expect(&bed, "--output xml", 2, "text or json");
    write_file(&bed, "policy.yaml", "kind: x\n");
    expect(&bed, "", 2, "policy.yaml:1:7: error: kind");
    write_file(&bed, "crigate.yaml", "x: y\n");
    expect(&bed, "", 2, "crigate.yaml:1:1: error");
    remove_bed(&bed);
}
