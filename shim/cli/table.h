/* SPDX-License-Identifier: Apache-2.0 */
/* A table of text for a terminal or a pipe: aligned columns under titles. */
#ifndef CRIGATE_CLI_TABLE_H
#define CRIGATE_CLI_TABLE_H

#include <stdio.h>

#include "base/arena.h"

enum table_style { TABLE_PLAIN, TABLE_DIM, TABLE_GREEN, TABLE_YELLOW, TABLE_RED };

struct table_column {
    const char *title;
    unsigned least;     /* may be cut down to so many terminal columns; 0: never cut */
    bool cut_in_middle; /* for names whose end tells them apart; else the end is cut off */
    unsigned pad; /* it takes at least so many, unless one before it takes more than its own */
};

/* How to print: what the terminal is, or a pipe when zeroed. */
struct table_look {
    unsigned width; /* in terminal columns; 0: nothing is cut */
    bool colours;
};

struct table_cell {
    struct str text; /* clean; empty when never set */
    unsigned width;
    enum table_style style;
};

struct table {
    const struct table_column *columns; /* borrowed */
    size_t column_count, row_count;
    struct table_cell *cells;
    struct arena arena; /* owns the cells */
};

/* Room for `row_count` rows of empty cells. -1: memory is out. Freed with table_free(). */
int table_make(const struct table_column *columns, size_t column_count, size_t row_count,
               struct table *table) MUST_CHECK;
void table_free(struct table *table);

/* Copies foreign text into a cell; what could deceive comes out as \xNN. -1: memory is out. */
int table_set(struct table *table, size_t row, size_t column, struct str text,
              enum table_style style) MUST_CHECK;

/* A column in which no row has any text is left out, its title too. */
void table_print(const struct table *table, const struct table_look *look, FILE *out);

/* The rows alone: of a table that is made row by row, with `pad` to keep them in line. */
void table_print_rows(const struct table *table, const struct table_look *look, FILE *out);

/* The look of an output. NO_COLOR and TERM=dumb are heeded. */
struct table_look table_look_of_stdout(void);
struct table_look table_look_of_stderr(void);

/* The escape sequence that begins a style, "" without colours; and the one that ends it. */
const char *table_style_begin(const struct table_look *look, enum table_style style);
const char *table_style_end(const struct table_look *look, enum table_style style);

#endif
