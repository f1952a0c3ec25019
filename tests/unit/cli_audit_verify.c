/* SPDX-License-Identifier: Apache-2.0 */
/* `crigate audit verify` as a person or a script runs it, on logs that the gate's own writer made.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include "audit_bed.h"

#define VERIFY CRIGATE " audit verify "

static struct bed bed;
static char said[65536]; /* both outputs of the last command */

static void setup(void)
{
    bed_make(&bed);
    bed_open(&bed);
    for (int i = 0; i < 4; i++)
        cr_assert_null(bed_record(&bed));
    audit_close(steal_ptr(&bed.audit));
}

static void teardown(void)
{
    bed_free(&bed);
}

TestSuite(cli_audit_verify, .init = setup, .fini = teardown, .timeout = 60);

/* The exit status of a command that bash runs in the log's directory. */
__attribute__((format(printf, 1, 2))) static int run(const char *format, ...)
{
    char command[1024], shell[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    snprintf(shell, sizeof(shell), "cd %s; exec 2>&1; bash -c '%s'", bed.dir, command);
    FILE *out = popen(shell, "r");
    cr_assert_not_null(out);
    said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
    int status = pclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(int status, const char *text, int got)
{
    cr_expect_eq(got, status, "exit %d\n%s", got, said);
    cr_expect(strstr(said, text), "no \"%s\" in\n%s", text, said);
}

Test(cli_audit_verify, a_whole_log_holds)
{
    static const char whole[] = "holds: 5 records in 1 file, 1 run of the gate, 20";
    expect(0, whole, run(VERIFY "audit.jsonl"));
    expect(0, whole, run(VERIFY "audit.jsonl ./audit.jsonl audit*"));
    expect(0, whole, run(VERIFY "- <audit.jsonl"));
    expect(0, whole, run(VERIFY "<(cat audit.jsonl)"));
    expect(0, whole, run("cat audit.jsonl | " VERIFY "/dev/stdin"));
    expect(0, whole, run("gzip audit.jsonl; " VERIFY "\"audit.*\""));
}

Test(cli_audit_verify, what_does_not_hold_is_an_exit_status)
{
    expect(1, "bad.jsonl:4: does not follow the line before it, bad.jsonl:3: ",
           run("sed 3s/a.record/the-record/ audit.jsonl >bad.jsonl; " VERIFY "bad.jsonl"));
    expect(1, "the first record follows ",
           run("sed -i 1,2d audit.jsonl; sed -i 2d audit.jsonl; " VERIFY "audit.jsonl"));
    expect(1, "no record was found", run(": >empty; " VERIFY "empty"));
}

Test(cli_audit_verify, an_anchor_is_looked_for)
{
    expect(0, "is line 3 of audit.jsonl\n",
           run(VERIFY "--head $(sed -n 3p audit.jsonl | sha256sum | cut -c 1-64) audit.jsonl"));
    expect(1, "no line has the hash ",
           run(VERIFY "--head $(echo | sha256sum | cut -c 1-64) audit.jsonl"));
    expect(2, "64 lower-case hex digits", run(VERIFY "--head 12 audit.jsonl"));
}

Test(cli_audit_verify, wrong_usage_and_unreadable_files_are_not_findings)
{
    expect(2, "which files?", run(VERIFY));
    expect(2, "there is no such file", run(VERIFY "nothing*"));
    expect(2, "text or json", run(VERIFY "--output xml audit.jsonl"));
    expect(2, "Is a directory", run(VERIFY "."));
    expect(2, "cannot be read on",
           run("gzip -k audit.jsonl; truncate -s -9 audit.jsonl.gz; " VERIFY "audit.jsonl.gz"));
    cr_expect(strstr(said, "does not hold: "), "%s", said);
    expect(2, "\"holds\":false", run(VERIFY "--output json audit.jsonl.gz"));
    expect(0, "Exit status: 0", run(VERIFY "--help"));
}

Test(cli_audit_verify, prints_json)
{
    expect(
        0, "true 1 5 0",
        run(VERIFY
            "--output json audit.jsonl | jq -r "
            "\"[.holds, .files, .records, (.findings | length) | tostring] | join(\\\" \\\")\""));
    expect(0, "bad.jsonl 4 brokenLink",
           run("sed 3s/a.record/the-record/ audit.jsonl >bad.jsonl; " VERIFY
               "--output json bad.jsonl | jq -r "
               "\".findings[] | [.file, .line, .kind | tostring] | join(\\\" \\\")\""));
}

Test(cli_audit_verify, findings_are_bounded)
{
    expect(1, "\n... and 500 more\n", run("yes | head -1500 >noise; " VERIFY "noise"));
    expect(1, "\"findingsTotal\":1500",
           run(VERIFY "--output json noise | tail -c 40; exit ${PIPESTATUS[0]}"));
}

/* A name and a time with an escape sequence, and bytes that are not UTF-8. */
Test(cli_audit_verify, prints_nothing_that_deceives)
{
    expect(1, "\\x1b[2J\\xff",
           run("f=$(printf \"a\\033[2J\\377\"); sed 3s/a.record/the-record/ "
               "audit.jsonl >\"$f\"; " VERIFY "a?*2J*"));
    cr_expect_null(strchr(said, '\033'), "%s", said);
    cr_expect_null(strchr(said, '\377'), "%s", said);
    expect(1, "\"kind\":\"brokenLink\"", run(VERIFY "--output json a?*2J*"));
    run("sed -i \"s/\\\"time\\\":\\\"..../\\\"time\\\":\\\"$(printf \"\\033\")/\" "
        "audit.jsonl; " VERIFY "audit.jsonl");
    cr_expect(strstr(said, "\\x1b"), "%s", said);
    cr_expect_null(strchr(said, '\033'), "%s", said);
}
