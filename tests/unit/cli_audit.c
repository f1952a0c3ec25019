/* SPDX-License-Identifier: Apache-2.0 */
/* `crigate audit show` and `audit stats` on made logs, and following one across a rotation. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256.h"

#define NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define WAIT_MS 20000

#define POD(namespace, name) "\"pod\":{\"namespace\":\"" namespace "\",\"name\":\"" name "\"},"
#define ALLOWED                                                 \
    "\"handler\":{\"requested\":\"\",\"effective\":\"runsc\"}," \
    "\"decision\":{\"action\":\"modify\",\"reason\":\"rule\",\"rule\":\"in-gvisor\"}"
#define REFUSED                                                                            \
    "\"handler\":{\"requested\":\"kata\"},\"decision\":{\"action\":\"refuse\",\"reason\":" \
    "\"unknownRuntime\",\"message\":\"crigate: pod a/b refused: kata is not declared "     \
    "(policy p 3f9a1c2b)\"}"
#define MODIFIED_ROW                                                                       \
    "2026-11-24 02:00:01.000  modify  pod        agents/build-7                  default " \
    "-> runsc  in-gvisor\n"
#define TITLES                                                                              \
    "TIME                     ACTION  TYPE       POD                             RUNTIME  " \
    "         WHY\n"

struct log {
    char dir[64], path[96];
    char prev[SHA256_HEX_SIZE];
    unsigned seq;
    FILE *out;
};

static void open_log(struct log *log)
{
    log->out = fopen(log->path, "a");
    cr_assert_not_null(log->out);
}

static struct log make_log(void)
{
    struct log log = {.dir = "/tmp/crigate-audit-XXXXXX", .prev = NO_HASH};
    cr_assert_not_null(mkdtemp(log.dir));
    snprintf(log.path, sizeof(log.path), "%s/audit.jsonl", log.dir);
    open_log(&log);
    setenv("TZ", "UTC", 1);
    return log;
}

static void drop_log(struct log *log)
{
    char command[128];
    fclose(log->out);
    snprintf(command, sizeof(command), "rm -r %s", log->dir);
    cr_expect_eq(system(command), 0);
}

/* One line of the chain; `at` is a second after 02:00:00. */
static void add(struct log *log, const char *type, const char *stage, unsigned at, const char *rest)
{
    char line[4096], named[64] = "";
    struct err err;
    if (stage)
        snprintf(named, sizeof(named), "\"stage\":\"%s\",", stage);
    int len = snprintf(line, sizeof(line),
                       "{\"v\":1,\"seq\":%u,\"prev\":\"%s\",\"instance\":"
                       "\"0123456789abcdef0123456789abcdef\",\"type\":\"%s\",%s\"time\":"
                       "\"2026-11-24T02:%02u:%02u.000000Z\",%s}\n",
                       ++log->seq, log->prev, type, named, at / 60, at % 60, rest);
    fwrite(line, 1, (size_t)len, log->out);
    fflush(log->out);
    cr_assert_eq(sha256_hex((struct str){line, (size_t)len}, log->prev, &err), 0);
}

static void add_some(struct log *log)
{
    add(log, "pod.decision", "decided", 1, POD("agents", "build-7") ALLOWED);
    add(log, "pod.decision", "completed", 2,
        POD("agents", "build-7") ALLOWED ",\"result\":{\"code\":\"OK\",\"durationUs\":812345}");
    add(log, "pod.decision", "decided", 3, POD("a", "b") REFUSED);
    add(log, "pod.decision", "completed", 3,
        POD("a", "b") REFUSED ",\"result\":{\"code\":\"INVALID_ARGUMENT\",\"durationUs\":9}");
    add(log, "pod.decision", "completed", 4,
        POD("agents", "c") ALLOWED ",\"result\":{\"code\":\"UNAVAILABLE\",\"durationUs\":1250000}");
    add(log, "repeated", NULL, 300,
        POD("a", "b") REFUSED ",\"repeated\":{\"of\":\"pod.decision\",\"count\":19,\"firstTime\":"
                              "\"2026-11-24T02:00:13.000000Z\",\"lastTime\":"
                              "\"2026-11-24T02:04:50.000000Z\"}");
    add(log, "heartbeat", NULL, 301, "\"heartbeat\":{\"records\":6,\"lost\":0}");
}

struct run {
    int status;
    char text[32768]; /* both outputs */
};

static struct run run(const struct log *log, const char *arguments)
{
    struct run run = {.status = -1};
    char shell[1024];
    snprintf(shell, sizeof(shell), CRIGATE " audit %s %s 2>&1", arguments, log->path);
    FILE *out = popen(shell, "r");
    cr_assert_not_null(out);
    run.text[fread(run.text, 1, sizeof(run.text) - 1, out)] = '\0';
    int status = pclose(out);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

static void expect(const struct log *log, const char *arguments, int status, const char *text)
{
    struct run got = run(log, arguments);
    cr_expect_eq(got.status, status, "%s: exit %d\n%s", arguments, got.status, got.text);
    cr_expect_str_eq(got.text, text, "%s:\n%s", arguments, got.text);
}

static size_t lines_of(const struct log *log, const char *arguments)
{
    struct run got = run(log, arguments);
    size_t count = 0;
    for (const char *at = got.text; (at = strchr(at, '\n')); at++)
        count++;
    cr_expect_eq(got.status, 0, "%s: exit %d\n%s", arguments, got.status, got.text);
    return count;
}

Test(cli_audit, shows_a_line_a_decision)
{
    struct log log = make_log();
    add_some(&log);
    expect(&log, "show", 0,
           TITLES MODIFIED_ROW
           "2026-11-24 02:00:03.000  refuse  pod        a/b                             kata      "
           "        unknownRuntime: kata is not declared\n"
           "2026-11-24 02:00:04.000  failed  pod        agents/c                        default "
           "-> runsc  UNAVAILABLE after 1.2 s\n"
           "2026-11-24 02:05:00.000  refuse  repeated   a/b                             kata      "
           "        19 more until 2026-11-24 02:04:50.000, unknownRuntime: kata is not declared\n");
    drop_log(&log);
}

Test(cli_audit, filters)
{
    struct log log = make_log();
    add_some(&log);
    expect(&log, "show --namespace 'ag*' --action modify --rule in-gvisor --pod 'b*-7'", 0,
           TITLES MODIFIED_ROW);
    expect(&log, "show --pod nobody", 0, "");
    cr_expect_eq(lines_of(&log, "show --all"), 8);
    cr_expect_eq(lines_of(&log, "show --type heartbeat"), 2);
    cr_expect_eq(lines_of(&log, "show --type pod"), 4);
    cr_expect_eq(lines_of(&log, "show --type 'pod.*'"), 4);
    cr_expect_eq(lines_of(&log, "show --output json"), 7);
    cr_expect_eq(lines_of(&log, "show --since 2026-11-24T02:00:03Z"), 4);
    cr_expect_eq(lines_of(&log, "show --since 2026-11-24T03:05:00+01:00"), 2);
    cr_expect_eq(lines_of(&log, "show --since 2026-11-24T02:05:00.5Z"), 0);
    cr_expect_eq(run(&log, "show --since yesterday").status, 2);
    cr_expect_eq(run(&log, "show --since 2026-02-30T00:00:00Z").status, 2);
    cr_expect_eq(run(&log, "show --since 10x").status, 2);
    cr_expect_eq(run(&log, "show --action explode").status, 2);
    drop_log(&log);
}

Test(cli_audit, gives_a_script_the_lines_as_they_are)
{
    struct log log = make_log();
    char command[512];
    add_some(&log);
    snprintf(command, sizeof(command), CRIGATE " audit show --output json %s | cmp - %s", log.path,
             log.path);
    cr_expect_eq(system(command), 0);
    drop_log(&log);
}

Test(cli_audit, prints_nothing_that_deceives)
{
    struct log log = make_log();
    add(&log, "pod.decision", "decided", 1,
        POD("a\\u001b[2J",
            "\\u202eb") "\"handler\":{\"requested\":\"k\\nx\"},\"decision\":{"
                        "\"action\":\"refuse\",\"reason\":\"rule\",\"rule\":\"r\\u0007\"}");
    struct run got = run(&log, "show");
    cr_expect(strstr(got.text, "a\\x1b[2J/\\xe2\\x80\\xaeb          k\\x0ax  "), "%s", got.text);
    cr_expect(strstr(got.text, "r\\x07\n"), "%s", got.text);
    got = run(&log, "stats");
    cr_expect(strstr(got.text, "\na\\x1b[2J "), "%s", got.text);
    drop_log(&log);
}

Test(cli_audit, tells_of_lines_that_are_no_records)
{
    struct log log = make_log();
    char note[512];
    add(&log, "pod.decision", "decided", 1, POD("agents", "build-7") ALLOWED);
    fputs("{\"v\":1,\"seq\":\n", log.out);
    fflush(log.out);
    snprintf(note, sizeof(note), TITLES MODIFIED_ROW "%s:2: no record\n", log.path);
    expect(&log, "show", 1, note);
    cr_expect_eq(run(&log, "stats").status, 1);
    drop_log(&log);
}

Test(cli_audit, counts_decisions)
{
    struct log log = make_log();
    add_some(&log);
    expect(&log, "stats", 0,
           "21 decisions from 2026-11-24 02:00:01.000 to 2026-11-24 02:05:00.000\n\n"
           "ACTION                                 DECISIONS   SHARE\n"
           "refuse                                        20   95.2%\n"
           "modify                                         1    4.8%\n\n"
           "RULE                                   DECISIONS   SHARE\n"
           "(none)                                        20   95.2%\n"
           "in-gvisor                                      1    4.8%\n\n"
           "RUNTIME                                DECISIONS   SHARE\n"
           "runsc                                          1    4.8%\n\n"
           "NAMESPACE                              DECISIONS   SHARE\n"
           "a                                             20   95.2%\n"
           "agents                                         1    4.8%\n\n"
           "REASON OF REFUSAL                      DECISIONS   SHARE\n"
           "unknownRuntime                                20   95.2%\n");
    drop_log(&log);
}

Test(cli_audit, counts_many_names_together)
{
    struct log log = make_log();
    char rest[512];
    for (int i = 0; i < 4100; i++) {
        snprintf(rest, sizeof(rest), POD("ns%d", "x") ALLOWED, i);
        add(&log, "pod.decision", "decided", 1, rest);
    }
    struct run got = run(&log, "stats");
    cr_expect(strstr(got.text, "\nothers                                      4080   99.5%\n"),
              "%s", got.text);
    drop_log(&log);
}

/* --- following ----------------------------------------------------------------------------- */

struct reader {
    pid_t pid;
    int fd;
    size_t used;
    char text[16384];
};

static struct reader follow(const struct log *log)
{
    struct reader reader = {.fd = -1};
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    reader.pid = fork();
    cr_assert_geq(reader.pid, 0);
    if (reader.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(CRIGATE, CRIGATE, "audit", "show", "-f", log->path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    reader.fd = ends[0];
    return reader;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

/* Waits until `part` has been printed. */
static void await(struct reader *reader, const char *part)
{
    while (!strstr(reader->text, part)) {
        struct pollfd fd = {.fd = reader->fd, .events = POLLIN};
        cr_assert_eq(poll(&fd, 1, WAIT_MS), 1, "no \"%s\" in\n%s", part, reader->text);
        ssize_t got =
            read(reader->fd, reader->text + reader->used, sizeof(reader->text) - 1 - reader->used);
        cr_assert_gt(got, 0, "it ended: no \"%s\" in\n%s", part, reader->text);
        reader->used += (size_t)got;
        reader->text[reader->used] = '\0';
    }
}

static int stop(struct reader *reader)
{
    int status;
    cr_assert_eq(kill(reader->pid, SIGINT), 0);
    cr_assert_eq(waitpid(reader->pid, &status, 0), reader->pid);
    close(reader->fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void rotate(struct log *log, const char *name)
{
    char to[192];
    snprintf(to, sizeof(to), "%s/%s", log->dir, name);
    cr_assert_eq(rename(log->path, to), 0);
    fclose(log->out);
    open_log(log);
}

static void add_named(struct log *log, const char *name)
{
    char rest[512];
    snprintf(rest, sizeof(rest), POD("agents", "%s") ALLOWED, name);
    add(log, "pod.decision", "decided", 9, rest);
}

Test(cli_audit, follows_across_rotations, .timeout = 90)
{
    struct log log = make_log();
    add_named(&log, "pod-1");
    struct reader reader = follow(&log);
    await(&reader, "agents/pod-1");
    add_named(&log, "pod-2");
    await(&reader, "agents/pod-2");
    /* Held up: it finds all of these at once. */
    cr_assert_eq(kill(reader.pid, SIGSTOP), 0);
    rotate(&log, "audit-20261124T020000Z-3.jsonl");
    add_named(&log, "pod-3");
    rotate(&log, "audit-20261124T020001Z-4.jsonl");
    add_named(&log, "pod-4");
    rotate(&log, "audit-20261124T020002Z-5.jsonl");
    cr_assert_eq(kill(reader.pid, SIGCONT), 0);
    add_named(&log, "pod-5");
    await(&reader, "agents/pod-5");
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof(name), "agents/pod-%d ", i);
        cr_expect_eq(count_of(reader.text, name), 1, "%s in\n%s", name, reader.text);
    }
    cr_expect_eq(stop(&reader), 0);
    drop_log(&log);
}

Test(cli_audit, follows_a_file_that_is_written_after_its_renaming, .timeout = 90)
{
    struct log log = make_log();
    char to[192];
    add_named(&log, "pod-1");
    struct reader reader = follow(&log);
    await(&reader, "agents/pod-1");
    snprintf(to, sizeof(to), "%s/audit.jsonl.1", log.dir);
    cr_assert_eq(rename(log.path, to), 0);
    add_named(&log, "pod-2");
    await(&reader, "agents/pod-2");
    int empty = open(log.path, O_WRONLY | O_CREAT, 0600); /* as logrotate's "create" does */
    close(empty);
    add_named(&log, "pod-3");
    await(&reader, "agents/pod-3");
    fclose(log.out);
    open_log(&log);
    add_named(&log, "pod-4");
    await(&reader, "agents/pod-4");
    cr_expect_eq(stop(&reader), 0);
    drop_log(&log);
}

Test(cli_audit, follows_a_file_that_is_deleted_or_not_there_yet, .timeout = 90)
{
    struct log log = make_log();
    cr_assert_eq(unlink(log.path), 0);
    fclose(log.out);
    struct reader reader = follow(&log);
    open_log(&log);
    add_named(&log, "pod-1");
    await(&reader, "agents/pod-1");
    cr_assert_eq(unlink(log.path), 0);
    fclose(log.out);
    open_log(&log);
    add_named(&log, "pod-2");
    await(&reader, "agents/pod-2");
    cr_expect_eq(stop(&reader), 0);
    drop_log(&log);
}

Test(cli_audit, prints_whole_lines_only, .timeout = 90)
{
    struct log log = make_log();
    add_named(&log, "pod-1");
    struct reader reader = follow(&log);
    await(&reader, "agents/pod-1");
    fputs("{\"v\":1,\"seq\":2,", log.out);
    fflush(log.out);
    cr_assert_eq(ftruncate(fileno(log.out), ftell(log.out) - 15), 0); /* as the gate cuts it */
    add_named(&log, "pod-2");
    await(&reader, "agents/pod-2");
    cr_expect_eq(stop(&reader), 0);
    drop_log(&log);
}
