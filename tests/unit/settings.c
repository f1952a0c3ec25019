/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: the default file, defaults, and every refusal. */
#include <criterion/criterion.h>
#include <sched.h>

#include "config/settings.h"

#define GOOD_START "listen: /run/c/c.sock\nupstream: /run/d.sock\npolicy: /p.yaml\n"
#define GOOD_AUDIT "audit: {file: /a.jsonl}\n"

static int load(const char *text, struct diags *diags, struct settings *settings)
{
    char path[] = "/tmp/crigate-settings-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int rc = settings_load(path, diags, settings);
    unlink(path);
    return rc;
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *message)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_expect_eq(load(text, &diags, &settings), -1, "taken: %s", text);
    cr_assert_eq(diags.errors, 1, "%zu errors of %s", diags.errors, text);
    const struct diag *diag = &diags.items[0];
    cr_expect(strstr(diag->message, message), "of %s: %s", text, diag->message);
    cr_expect(diag->at.line == line && diag->at.column == column, "of %s: %u:%u", text,
              diag->at.line, diag->at.column);
    cr_expect_null(settings.listen);
}

static void expect_audit_error(const char *key, unsigned column, const char *message)
{
    char text[512];
    snprintf(text, sizeof(text), GOOD_START "audit: {file: /a, %s}\n", key);
    expect_error(text, 4, column, message);
}

Test(settings, reads_the_default_file)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(settings_load(SOURCE_ROOT "/config/crigate.yaml", &diags, &settings), 0);
    cr_assert_str_eq(settings.listen, "/run/crigate/crigate.sock");
    cr_assert_str_eq(settings.upstream, "/run/containerd/containerd.sock");
    cr_assert_str_eq(settings.policy, "/etc/crigate/policy.yaml");
    cr_assert_str_eq(settings.node_labels_file, "/etc/crigate/node-labels");
    cr_assert_str_eq(settings.audit.file, "/var/log/crigate/audit.jsonl");
    cr_assert(settings.peer_uid_count == 1 && settings.peer_uids[0] == 0);
    char host[256];
    cr_assert_eq(gethostname(host, sizeof(host)), 0);
    cr_expect_eq(strcasecmp(settings.node_name, host), 0);
    cr_expect_null(settings.kubeconfig);
    cr_expect_null(settings.labels_cache);
}

Test(settings, the_daemon_confines_itself_unless_told_not_to)
{
    static const struct {
        const char *text;
        bool unconfined;
    } cases[] = {
        {GOOD_START GOOD_AUDIT, false},
        {GOOD_START GOOD_AUDIT "confine: true\n", false},
        {GOOD_START GOOD_AUDIT "confine: false\n", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        OWNED_DIAGS struct diags diags = {0};
        OWNED(settings_free) struct settings settings = {0};
        cr_assert_eq(load(cases[i].text, &diags, &settings), 0, "refused: %s", cases[i].text);
        cr_expect_eq(settings.unconfined, cases[i].unconfined, "of %s", cases[i].text);
    }
    expect_error(GOOD_START GOOD_AUDIT "confine: maybe\n", 5, 10, "confine");
}

static void expect_audit(const char *keys, const struct settings_audit *wanted)
{
    char text[512];
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    snprintf(text, sizeof(text), GOOD_START "audit: {file: /a.jsonl%s}\n", keys);
    cr_assert_eq(load(text, &diags, &settings), 0, "refused: %s", text);
    const struct settings_audit *audit = &settings.audit;
    cr_expect_str_eq(audit->file, "/a.jsonl");
    cr_expect_eq(audit->on_failure, wanted->on_failure, "of %s", keys);
    cr_expect_eq(audit->format, wanted->format, "of %s", keys);
    cr_expect_eq(audit->max_size, wanted->max_size, "of %s: %lu", keys, audit->max_size);
    cr_expect_eq(audit->max_age_s, wanted->max_age_s, "of %s: %lu", keys, audit->max_age_s);
    cr_expect_eq(audit->keep, wanted->keep, "of %s: %lu", keys, audit->keep);
    cr_expect_eq(audit->owner, wanted->owner, "of %s: %u", keys, audit->owner);
    cr_expect_eq(audit->group, wanted->group, "of %s: %u", keys, audit->group);
    cr_expect_eq(audit->repeat_window_s, wanted->repeat_window_s, "of %s", keys);
}

/* The defaults, and what differs from them. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define AUDIT(...)                                           \
    (&(struct settings_audit){.on_failure = SETTINGS_REFUSE, \
                              .max_size = 100 << 20,         \
                              .max_age_s = 86400,            \
                              .keep = 10,                    \
                              .owner = SETTINGS_NO_ID,       \
                              .group = SETTINGS_NO_ID,       \
                              .repeat_window_s = 300,        \
                              __VA_ARGS__})

Test(settings, reads_how_the_log_is_kept)
{
    expect_audit("", AUDIT());
    expect_audit(", onFailure: continue", AUDIT(.on_failure = SETTINGS_CONTINUE));
    expect_audit(", onFailure: refuse", AUDIT(.on_failure = SETTINGS_REFUSE));
    expect_audit(", format: native", AUDIT(.format = SETTINGS_NATIVE));
    expect_audit(", format: ecs", AUDIT(.format = SETTINGS_ECS));
    expect_audit(", format: ocsf", AUDIT(.format = SETTINGS_OCSF));
    expect_audit(", maxSize: 0, maxAge: 0, keep: 0, repeatWindow: 0",
                 AUDIT(.max_size = 0, .max_age_s = 0, .keep = 0, .repeat_window_s = 0));
    expect_audit(", maxSize: 64Ki, maxAge: 1s, keep: 1, repeatWindow: 1s",
                 AUDIT(.max_size = 65536, .max_age_s = 1, .keep = 1, .repeat_window_s = 1));
    expect_audit(", maxSize: 1024Gi, maxAge: 3650d, keep: 100000, repeatWindow: 24h",
                 AUDIT(.max_size = 1ull << 40, .max_age_s = 3650ull * 86400, .keep = 100000,
                       .repeat_window_s = 86400));
    expect_audit(", maxSize: 65536, maxAge: 1d2h3m4s",
                 AUDIT(.max_size = 65536, .max_age_s = 93784));
    expect_audit(", maxSize: 500k, maxAge: 90m", AUDIT(.max_size = 500000, .max_age_s = 5400));
    expect_audit(", maxSize: \"2G\", keep: \"3\"", AUDIT(.max_size = 2000000000, .keep = 3));
    expect_audit(", maxSize: 7M", AUDIT(.max_size = 7000000));
    expect_audit(", owner: root, group: root", AUDIT(.owner = 0, .group = 0));
    expect_audit(", owner: daemon, group: adm", AUDIT(.owner = 1, .group = 4));
    expect_audit(", owner: 4294967294, group: 12345", AUDIT(.owner = 4294967294, .group = 12345));
}

Test(settings, fills_in_what_is_left_out)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(load(GOOD_START GOOD_AUDIT, &diags, &settings), 0);
    cr_assert(settings.peer_uid_count == 1 && settings.peer_uids[0] == 0);
    cr_assert_null(settings.node_labels_file);
    cr_assert_not_null(settings.node_name);
}

Test(settings, reads_uids_and_a_name)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(load(GOOD_START GOOD_AUDIT "peers: {uids: [0, 4294967294]}\nnode: {name: n1}\n",
                      &diags, &settings),
                 0);
    cr_assert(settings.peer_uid_count == 2 && settings.peer_uids[1] == 4294967294u);
    cr_assert_str_eq(settings.node_name, "n1");
}

Test(settings, reads_where_labels_are_from)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings both = {0}, one = {0};
    cr_assert_eq(load(GOOD_START GOOD_AUDIT "node:\n"
                                            "  name: Node-1\n"
                                            "  labels:\n"
                                            "    file: /labels\n"
                                            "    kubernetes: {kubeconfig: /k, cache: /c}\n",
                      &diags, &both),
                 0);
    cr_expect_str_eq(both.node_name, "Node-1");
    cr_expect_str_eq(both.node_labels_file, "/labels");
    cr_expect_str_eq(both.kubeconfig, "/k");
    cr_expect_str_eq(both.labels_cache, "/c");
    cr_assert_eq(load(GOOD_START GOOD_AUDIT "node: {labels: {kubernetes: {kubeconfig: /k}}}\n",
                      &diags, &one),
                 0);
    cr_expect_null(one.node_labels_file);
    cr_expect_str_eq(one.kubeconfig, "/k");
    cr_expect_null(one.labels_cache);
}

/* The example in the default file, once its comment signs are gone. */
Test(settings, reads_the_example_of_kubernetes)
{
    char text[8192] = "", line[256];
    FILE *file = fopen(SOURCE_ROOT "/config/crigate.yaml", "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *sign = strstr(line, "    #") == line && line[5] != ' ' ? line + 4 : NULL;
        sign = strstr(line, "    #  ") == line ? line + 4 : sign;
        if (sign)
            memmove(sign, sign + 1, strlen(sign));
        cr_assert_lt(strlen(text) + strlen(line), sizeof(text));
        strcat(text, line);
    }
    fclose(file);
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(load(text, &diags, &settings), 0);
    cr_expect_str_eq(settings.kubeconfig, "/etc/kubernetes/kubelet.conf");
    cr_expect_str_eq(settings.labels_cache, "/var/lib/crigate/node-labels.json");
    cr_expect_str_eq(settings.node_labels_file, "/etc/crigate/node-labels");
}

/* In a UTS namespace of its own; without the right to one there is nothing to see. */
Test(settings, calls_the_node_as_the_kubelet_does)
{
    static const char name[] = "Node-A.Example";
    if (unshare(CLONE_NEWUTS) || sethostname(name, sizeof(name) - 1))
        cr_skip_test("no host name to change");
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(load(GOOD_START GOOD_AUDIT, &diags, &settings), 0);
    cr_expect_str_eq(settings.node_name, "node-a.example");
}

Test(settings, refuses_each_mistake_at_its_place)
{
    static const char *const wrong[] = {"0.0.0.0:9776",    "10.0.0.1:9776", "localhost:9776",
                                        "[::]:9776",       "127.0.0.1",     "127.0.0.1:0",
                                        "127.0.0.1:65536", ":9776",         "[::1]",
                                        "::1:9776",        "9776x:1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char text[512];
        snprintf(text, sizeof(text), GOOD_START GOOD_AUDIT "http: \"%s\"\n", wrong[i]);
        expect_error(text, 5, 7, "loopback");
    }
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {file: /l, kubernetes: {}}}\n", 5, 39,
                 "node.labels.kubernetes.kubeconfig is missing");
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {}}\n", 5, 16, "names no source");
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {kubernetes: {kubeconfig: k}}}\n", 5, 42,
                 "absolute");
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {kubernetes: {kubeconfig: /k, cache: c}}}\n",
                 5, 53, "absolute");
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {kubernetes: {cache: /c}}}\n", 5, 29,
                 "kubeconfig is missing");
    expect_error(GOOD_START GOOD_AUDIT
                 "node: {labels: {kubernetes: {kubeconfig: /k, context: x}}}\n",
                 5, 46, "unknown key \"context\"");
    expect_error(GOOD_START GOOD_AUDIT "node: {labels: {kubernetes: /k}}\n", 5, 29,
                 "must be a mapping");
    expect_error(GOOD_START, 1, 1, "audit is missing");
    expect_error(GOOD_START "audit: {}\n", 4, 8, "audit.file is missing");
    expect_error(GOOD_START "audit: {file: a}\n", 4, 15, "absolute");
    expect_error(GOOD_START "audit: {file: /a, onFailure: allow}\n", 4, 30, "unknown value");
    expect_audit_error("maxSize: 65535", 28, "0, for no bound, or from 64Ki");
    expect_audit_error("maxSize: 1025Gi", 28, "to 1024Gi");
    expect_audit_error("maxSize: 18446744073709551616", 28, "cannot be read");
    expect_audit_error("maxSize: 18014398509481984Ki", 28, "cannot be read");
    expect_audit_error("maxSize: 1.5Gi", 28, "cannot be read");
    expect_audit_error("maxSize: 100MB", 28, "\"100MB\" cannot be read");
    expect_audit_error("maxSize: -1", 28, "cannot be read");
    expect_audit_error("maxSize: 010Mi", 28, "cannot be read");
    expect_audit_error("maxSize: Mi", 28, "cannot be read");
    expect_audit_error("maxSize: \"\"", 28, "cannot be read");
    expect_audit_error("maxSize: []", 28, "no value");
    expect_audit_error("maxAge: 60", 27, "cannot be read");
    expect_audit_error("maxAge: 1m1h", 27, "cannot be read");
    expect_audit_error("maxAge: 1h1h", 27, "cannot be read");
    expect_audit_error("maxAge: 1h30", 27, "cannot be read");
    expect_audit_error("maxAge: 213503982334602d", 27, "cannot be read");
    expect_audit_error("maxAge: 3651d", 27, "to 3650d");
    expect_audit_error("maxAge: null", 27, "no value");
    expect_audit_error("keep: 100001", 25, "at most 100000");
    expect_audit_error("keep: 1k", 25, "cannot be read");
    expect_audit_error("repeatWindow: 25h", 33, "to 24h");
    expect_audit_error("owner: crigate-nobody-x", 26, "no user \"crigate-nobody-x\" here");
    expect_audit_error("group: crigate-nobody-x", 26, "no group \"crigate-nobody-x\" here");
    expect_audit_error("owner: -1", 26, "an id is a number");
    expect_audit_error("group: 4294967295", 26, "an id is a number");
    expect_audit_error("owner: \"\"", 26, "is empty");
    expect_audit_error("format: cef", 27, "unknown value");
    expect_error("upstream: /d\npolicy: /p\n" GOOD_AUDIT, 1, 1, "listen is missing");
    expect_error("listen: run/a\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, 1, 9, "absolute");
    expect_error("listen: /d\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, 2, 11, "same socket");
    expect_error("listen: /var/run/crio/crio.sock\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, 1, 9,
                 "CRI-O");
    expect_error("listen: /l\nupstream: /a%41b\npolicy: /p\n" GOOD_AUDIT, 2, 11, "parts of a URI");
    expect_error("listen: 1\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, 1, 9, "must be a string");
    expect_error("listen: \"\"\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, 1, 9, "is empty");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: []}\n", 5, 15, "is empty");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: [root]}\n", 5, 16, "a uid is a number");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: [-1]}\n", 5, 16, "a uid is a number");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: [4294967295]}\n", 5, 16, "a uid is a number");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: [010]}\n", 5, 16, "a uid is a number");
    expect_error(GOOD_START GOOD_AUDIT "peers: {uids: [7, 7]}\n", 5, 19, "given twice");
    expect_error(GOOD_START GOOD_AUDIT "peers: {}\n", 5, 8, "peers.uids is missing");
    expect_error("[]\n", 1, 1, "must be a mapping");
    expect_error("", 0, 0, "empty");
}

Test(settings, ends_a_socket_path_where_the_kernel_does)
{
    for (int length = 107; length <= 108; length++) {
        char text[512], path[128];
        memset(path, 'x', sizeof(path));
        path[0] = '/';
        path[length] = '\0';
        snprintf(text, sizeof(text), "listen: %s\nupstream: /d\npolicy: /p\n" GOOD_AUDIT, path);
        OWNED_DIAGS struct diags diags = {0};
        OWNED(settings_free) struct settings settings = {0};
        cr_expect_eq(load(text, &diags, &settings), length == 107 ? 0 : -1);
    }
}

Test(settings, reports_all_in_one_run)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    cr_assert_eq(load("listen: a\nupstrem: /b\npolicy: 1\naudit: {file: c}\n", &diags, &settings),
                 -1);
    cr_assert_eq(diags.errors, 5);
    cr_assert_str_eq(diags.items[2].hint, "did you mean \"upstream\"?");
}

Test(settings, says_that_the_file_is_missing)
{
    OWNED_DIAGS struct diags diags = {0};
    OWNED(settings_free) struct settings settings = {0};
    struct err err;
    cr_assert_eq(settings_load("/nonexistent/c.yaml", &diags, &settings), -1);
    cr_assert_eq(diags_first(&diags, &err), -1);
    cr_assert(strstr(err.text, "/nonexistent/c.yaml: it cannot be opened: No such file"));
}
