/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as they are printed: carets under wide, invisible and far-off characters. */
#include <criterion/criterion.h>

#include "base/nearest.h"
#include "config/diag.h"
#include "config/snippet.h"

static char *printed(const struct diags *diags)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    diags_print(diags, out);
    fclose(out);
    return text;
}

static void expect_printed(struct str source_text, struct place at, const char *expected)
{
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p.yaml", .text = source_text};
    diags_add(&diags, DIAG_ERROR, &source, at, NULL, "bad");
    OWNED_MEM char *text = printed(&diags);
    cr_expect_str_eq(text, expected);
}

Test(diag, prints_place_line_caret_and_hint)
{
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "policy.yaml", .text = STR("rules:\n- matchs: {}\n")};
    diags_add(&diags, DIAG_ERROR, &source, (struct place){2, 3}, "did you mean \"match\"?",
              "unknown key \"%s\"", "matchs");
    diags_add(&diags, DIAG_WARNING, &source, (struct place){1, 1}, NULL, "odd");
    OWNED_MEM char *text = printed(&diags);
    cr_assert_str_eq(text, "policy.yaml:2:3: error: unknown key \"matchs\"\n"
                           "    2 | - matchs: {}\n"
                           "      |   ^\n"
                           "      = did you mean \"match\"?\n"
                           "policy.yaml:1:1: warning: odd\n"
                           "    1 | rules:\n"
                           "      | ^\n"
                           "1 error, 1 warning\n");
}

Test(diag, puts_the_caret_under_tabs_and_wide_characters)
{
    expect_printed(STR("a:\tb\n"), (struct place){1, 4},
                   "p.yaml:1:4: error: bad\n    1 | a:    b\n      |       ^\n1 error\n");
    expect_printed(STR("\u65e5\u672c: b\n"), (struct place){1, 5},
                   "p.yaml:1:5: error: bad\n    1 | \u65e5\u672c: b\n      |       ^\n1 error\n");
    /* a combining mark takes no column */
    expect_printed(STR("e\u0301: b\n"), (struct place){1, 5},
                   "p.yaml:1:5: error: bad\n    1 | e\u0301: b\n      |    ^\n1 error\n");
}

Test(diag, makes_control_characters_visible)
{
    expect_printed(STR("a\x1b[31m\n"), (struct place){1, 3},
                   "p.yaml:1:3: error: bad\n    1 | a\\x1b[31m\n      |      ^\n1 error\n");
    expect_printed(STR("x\u202e\xff"
                       "b"),
                   (struct place){1, 4},
                   "p.yaml:1:4: error: bad\n"
                   "    1 | x\\xe2\\x80\\xae\\xffb\n"
                   "      |                  ^\n1 error\n");
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p", .text = STR("")};
    diags_add(&diags, DIAG_ERROR, &source, (struct place){0}, "h\nh", "a\nb\x07");
    cr_assert_str_eq(diags.items[0].message, "a\\x0ab\\x07");
    cr_assert_str_eq(diags.items[0].hint, "h\\x0ah");
}

Test(diag, shows_a_window_of_a_long_line)
{
    enum { LEN = 5000 };
    char text[LEN];
    memset(text, 'x', sizeof(text));
    text[2999] = '!';
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p", .text = {text, LEN}};
    diags_add(&diags, DIAG_ERROR, &source, (struct place){1, 3000}, NULL, "bad");
    const struct diag *diag = &diags.items[0];
    size_t len = strlen(diag->line);
    cr_assert_leq(len, 120);
    cr_assert_eq(diag->line[diag->caret], '!');
    cr_assert_eq(strncmp(diag->line, "...", 3), 0);
    cr_assert_str_eq(diag->line + len - 3, "...");
}

Test(diag, points_behind_the_end_of_a_line_and_of_the_text)
{
    expect_printed(STR("ab\n"), (struct place){1, 3},
                   "p.yaml:1:3: error: bad\n    1 | ab\n      |   ^\n1 error\n");
    expect_printed(STR("ab\n"), (struct place){2, 1},
                   "p.yaml:2:1: error: bad\n    2 | \n      | ^\n1 error\n");
    expect_printed(STR("ab\r\ncd"), (struct place){9, 9},
                   "p.yaml:9:9: error: bad\n    9 | cd\n      |   ^\n1 error\n");
}

Test(diag, finds_places_in_any_order)
{
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p", .text = STR("one\ntwo\nthree\n")};
    static const uint32_t lines[] = {3, 1, 2, 2, 1, 3};
    for (size_t i = 0; i < 6; i++)
        diags_add(&diags, DIAG_ERROR, &source, (struct place){lines[i], 2}, NULL, "bad");
    static const char *const expected[] = {"three", "one", "two", "two", "one", "three"};
    for (size_t i = 0; i < 6; i++)
        cr_expect_str_eq(diags.items[i].line, expected[i]);
    diags_sort(&diags, 0);
    for (size_t i = 0; i + 1 < 6; i++)
        cr_expect_leq(diags.items[i].at.line, diags.items[i + 1].at.line);
}

Test(diag, counts_what_it_does_not_keep)
{
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p", .text = STR("x")};
    for (size_t i = 0; i < DIAGS_KEPT_MAX + 7; i++)
        diags_add(&diags, DIAG_ERROR, &source, (struct place){1, 1}, NULL, "bad");
    cr_assert_eq(diags.count, DIAGS_KEPT_MAX);
    OWNED_MEM char *text = printed(&diags);
    cr_assert(strstr(text, "... and 7 more\n1007 errors\n"));
}

Test(diag, gives_the_first_error_for_a_log)
{
    OWNED_DIAGS struct diags diags = {0};
    struct diag_source source = {.path = "p", .text = STR("x\ny\n")};
    struct err err;
    diags_add(&diags, DIAG_WARNING, &source, (struct place){1, 1}, NULL, "odd");
    diags_add(&diags, DIAG_ERROR, &source, (struct place){2, 1}, NULL, "bad");
    cr_assert_eq(diags_first(&diags, &err), -1);
    cr_assert_str_eq(err.text, "p:2:1: bad");
    OWNED_DIAGS struct diags whole = {0};
    diags_add(&whole, DIAG_ERROR, &source, (struct place){0}, NULL, "gone");
    cr_assert_eq(diags_first(&whole, &err), -1);
    cr_assert_str_eq(err.text, "p: gone");
}

Test(diag, says_when_memory_is_out)
{
    OWNED_DIAGS struct diags diags = {0};
    struct err err;
    diags_add_memory_out(&diags);
    cr_assert(diags_failed(&diags));
    cr_assert_eq(diags_first(&diags, &err), -1);
    cr_assert_str_eq(err.text, "memory is out");
}

Test(diag, cuts_foreign_text_between_characters)
{
    char text[200];
    memset(text, 'x', 79);
    memcpy(text + 79, "\u65e5\u672c", 6);
    cr_assert_eq(diag_text_len((struct str){text, 85}), 82);
    cr_assert_eq(diag_text_len((struct str){text, 79}), 79);
}

Test(diag, suggests_the_nearest_word)
{
    static const struct str words[] = {{"match", 5}, {"matchLabels", 11}, {"mode", 4}, {"run", 3}};
    static const struct {
        const char *word, *nearest;
    } cases[] = {{"matchs", "match"},
                 {"macth", "match"},
                 {"Match", "match"},
                 {"rnu", "run"},
                 {"matchlabel", "matchLabels"},
                 {"modes", "mode"},
                 {"zebra", NULL},
                 {"", NULL},
                 {"x", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct str *near = nearest_word(str_of(cases[i].word), words, 4, sizeof(words[0]));
        cr_expect(cases[i].nearest ? near && str_eq(*near, str_of(cases[i].nearest)) : !near, "%s",
                  cases[i].word);
    }
}
