/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: alignment, cutting to a terminal, colours, hostile cells. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"

static const struct table_column columns[] = {
    {"NAME", 6, true, 0}, {"KIND", 0, false, 0}, {"EMPTY", 0, false, 0}, {"SAYS", 5, false, 0}};

static void set(struct table *table, size_t row, size_t column, const char *text)
{
    cr_assert_eq(table_set(table, row, column, str_of(text), TABLE_PLAIN), 0);
}

static char *printed(const struct table *table, struct table_look look)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    table_print(table, &look, out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static void expect(const struct table *table, struct table_look look, const char *text)
{
    char *got = printed(table, look);
    cr_expect_str_eq(got, text);
    free(got);
}

static struct table make(size_t rows)
{
    struct table table;
    cr_assert_eq(table_make(columns, 4, rows, &table), 0);
    return table;
}

Test(table, aligns_and_leaves_out_empty_columns)
{
    struct table table = make(2);
    set(&table, 0, 0, "agents/a");
    set(&table, 0, 1, "x");
    set(&table, 1, 0, "b");
    set(&table, 1, 3, "yes");
    expect(&table, (struct table_look){0},
           "NAME      KIND  SAYS\n"
           "agents/a  x\n"
           "b               yes\n");
    table_free(&table);
}

Test(table, comes_into_line_again_behind_a_long_cell)
{
    static const struct table_column padded[] = {
        {"A", 0, false, 2}, {"B", 0, false, 4}, {"C", 0, false, 0}};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    static const char *const first[] = {"x", "xxxx", ""};
    for (size_t i = 0; i < 3; i++) {
        struct table table;
        cr_assert_eq(table_make(padded, 3, 1, &table), 0);
        set(&table, 0, 0, first[i]);
        set(&table, 0, 1, "y");
        set(&table, 0, 2, "z");
        table_print_rows(&table, &(struct table_look){0}, out);
        table_free(&table);
    }
    cr_assert_eq(fclose(out), 0);
    cr_expect_str_eq(text, "x   y     z\n"
                           "xxxx  y   z\n"
                           "    y     z\n");
    free(text);
}

Test(table, aligns_by_columns_of_the_terminal)
{
    struct table table = make(2);
    set(&table, 0, 0, "\xe6\xbc\xa2\xe5\xad\x97"); /* two wide characters */
    set(&table, 0, 1, "x");
    set(&table, 1, 0, "e\xcc\x81"); /* e and a combining accent */
    set(&table, 1, 1, "y");
    expect(&table, (struct table_look){0},
           "NAME  KIND\n"
           "\xe6\xbc\xa2\xe5\xad\x97  x\n"
           "e\xcc\x81     y\n");
    table_free(&table);
}

Test(table, cuts_the_last_first_and_names_in_the_middle)
{
    struct table table = make(1);
    set(&table, 0, 0, "abcdefghij");
    set(&table, 0, 1, "k");
    set(&table, 0, 3, "0123456789");
    expect(&table, (struct table_look){.width = 28},
           "NAME        KIND  SAYS\n"
           "abcdefghij  k     0123456789\n");
    expect(&table, (struct table_look){.width = 25},
           "NAME        KIND  SAYS\n"
           "abcdefghij  k     012345\xe2\x80\xa6\n");
    expect(&table, (struct table_look){.width = 21},
           "NAME      KIND  SAYS\n"
           "abcd\xe2\x80\xa6hij  k     0123\xe2\x80\xa6\n");
    expect(&table, (struct table_look){.width = 1},
           "NAME    KIND  SAYS\n"
           "abc\xe2\x80\xa6ij  k     0123\xe2\x80\xa6\n");
    table_free(&table);
}

Test(table, cuts_between_wide_characters)
{
    struct table table = make(1);
    set(&table, 0, 0,
        "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"); /* 12 wide */
    set(&table, 0, 1, "k");
    for (unsigned width = 1; width < 22; width++) {
        char *got = printed(&table, (struct table_look){.width = width});
        const char *row = strchr(got, '\n') + 1;
        cr_expect(strstr(row, "\xe6\xbc\xa2"), "%s", row);
        cr_expect_eq(row[strlen(row) - 2], 'k', "%s", row);
        free(got);
    }
    table_free(&table);
}

Test(table, colours_cells_only_when_told)
{
    struct table table = make(1);
    cr_assert_eq(table_set(&table, 0, 0, STR("n"), TABLE_RED), 0);
    set(&table, 0, 1, "k");
    expect(&table, (struct table_look){.colours = true}, "NAME  KIND\n\x1b[1;31mn\x1b[0m     k\n");
    expect(&table, (struct table_look){0}, "NAME  KIND\nn     k\n");
    table_free(&table);
}

Test(table, escapes_what_could_deceive)
{
    struct table table = make(1);
    cr_assert_eq(table_set(&table, 0, 0, (struct str){"a\0\x1b\n\xff", 5}, TABLE_PLAIN), 0);
    expect(&table, (struct table_look){0}, "NAME\na\\x00\\x1b\\x0a\\xff\n");
    table_free(&table);
}
