/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log: lines, levels, and a message that comes again and again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/say.h"

#define MANY 1000

static FILE *captured;

/* From now on standard error is a file. */
static void capture(void)
{
    captured = tmpfile();
    cr_assert_not_null(captured);
    cr_assert_geq(dup2(fileno(captured), STDERR_FILENO), 0);
}

/* How many lines there are with this text. */
static int count_lines(const char *text)
{
    char line[4096];
    int count = 0;
    rewind(captured);
    while (fgets(line, sizeof(line), captured))
        count += strstr(line, text) != NULL;
    return count;
}

Test(say, one_line_a_message, .init = capture)
{
    unsetenv("JOURNAL_STREAM");
    say_warn("a\nb %d", 7);
    cr_expect_eq(count_lines("crigate: warning: a b 7\n"), 1);
}

Test(say, journald_gets_the_level, .init = capture)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    say_error("broken");
    say_info("mended");
    cr_expect_eq(count_lines("<3>broken\n"), 1);
    cr_expect_eq(count_lines("<6>mended\n"), 1);
}

/* Fields are for journald; on any other standard error there is the text alone. */
Test(say, fields_belong_to_one_message, .init = capture)
{
    unsetenv("JOURNAL_STREAM");
    for (int i = 0; i < 2 * SAY_FIELDS_MAX; i++)
        say_field("CRIGATE_NUMBER=%d", i);
    say_warn("with fields");
    cr_expect_eq(count_lines("crigate: warning: with fields\n"), 1);
    cr_expect_eq(count_lines("CRIGATE_NUMBER"), 0);
}

Test(say, what_comes_again_is_told_some_times, .init = capture)
{
    for (int i = 0; i < MANY; i++)
        say_warn("a stranger, number %d", i);
    say_warn("something else");
    cr_expect_eq(count_lines("a stranger"), SAY_BURST);
    cr_expect_eq(count_lines("something else"), 1);
}
