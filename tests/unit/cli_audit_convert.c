/* SPDX-License-Identifier: Apache-2.0 */
/* `crigate audit convert`: files, standard input, lines that are no records. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define RECORD(seq)                                                                      \
    "{\"v\":1,\"seq\":" seq ",\"prev\":\"p\",\"instance\":\"i\",\"type\":\"heartbeat\"," \
    "\"time\":\"2026-11-24T02:00:00.000000Z\",\"node\":\"n\"}"

struct run {
    int status;
    char text[16384]; /* both outputs */
};

static char path[64];

/* Runs the command on a file with the text; `before` and `behind` its name. */
static struct run run(const char *content, const char *before, const char *behind)
{
    struct run run = {.status = -1};
    char shell[512];
    strcpy(path, "/tmp/crigate-convert-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    FILE *file = fdopen(fd, "w");
    fputs(content, file);
    fclose(file);
    snprintf(shell, sizeof(shell), CRIGATE " audit convert %s%s%s 2>&1", before, path, behind);
    FILE *out = popen(shell, "r");
    run.text[fread(run.text, 1, sizeof(run.text) - 1, out)] = '\0';
    int status = pclose(out);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    remove(path);
    return run;
}

static size_t count(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text++)
        count++;
    return count;
}

static const char two[] = RECORD("1") "\n" RECORD("2") "\n";

Test(cli_audit_convert, converts_files_and_standard_input)
{
    static const char *const befores[] = {"--to ecs ", "--to ecs <", "--to ecs - <"};
    for (size_t i = 0; i < 3; i++) {
        struct run got = run(two, befores[i], "");
        cr_expect_eq(got.status, 0, "%s", got.text);
        cr_expect_eq(count(got.text, "{\"@timestamp\":\"2026-11-24T02:00:00.000000Z\","), 2, "%s",
                     got.text);
    }
    struct run got = run(two, "--to=ocsf ", "");
    cr_expect_eq(got.status, 0, "%s", got.text);
    cr_expect_eq(count(got.text, "{\"class_uid\":6003,"), 2, "%s", got.text);
}

Test(cli_audit_convert, names_a_line_that_is_no_record)
{
    char wanted[128];
    struct run got =
        run(RECORD("1") "\nno \x1b[31m record\n" RECORD("2") "\n{\"v\":1", "--to ecs ", "");
    cr_expect_eq(got.status, 1);
    cr_expect_eq(count(got.text, "{\"@timestamp\":\""), 2, "%s", got.text);
    snprintf(wanted, sizeof(wanted), "%s:2: no record: ", path);
    cr_expect_eq(count(got.text, wanted), 1, "%s", got.text);
    snprintf(wanted, sizeof(wanted), "%s:4: no record: ", path);
    cr_expect_eq(count(got.text, wanted), 1, "%s", got.text);
    cr_expect_null(strchr(got.text, '\x1b'));
}

Test(cli_audit_convert, takes_a_last_line_without_a_newline)
{
    struct run got = run(RECORD("1"), "--to ecs ", "");
    cr_expect_eq(got.status, 0, "%s", got.text);
    cr_expect_eq(count(got.text, "{\"@timestamp\":\""), 1, "%s", got.text);
}

Test(cli_audit_convert, tells_wrong_usage)
{
    cr_expect_eq(run(two, "", "").status, 2);
    cr_expect_eq(run(two, "--to native ", "").status, 2);
    cr_expect_eq(run(two, "--to csv ", "").status, 2);
    cr_expect_eq(run(two, "--to ecs ", ".none").status, 1);
    cr_expect_eq(run(two, "--to ecs ", " >/dev/full").status, 1);
}
