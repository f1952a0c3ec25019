/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out and prints a table; on a terminal, cuts what does not fit. */
#include "cli/table.h"

#include <sys/ioctl.h>

#include "base/utf8.h"
#include "base/writer.h"

#define ESCAPED_MAX ((size_t)4) /* bytes that one byte takes as \xNN */
#define GAP 2u                  /* terminal columns between two cells */
#define COLUMNS_MAX ((size_t)16)
#define ELLIPSIS "\xe2\x80\xa6"

int table_make(const struct table_column *columns, size_t column_count, size_t row_count,
               struct table *table)
{
    *table = (struct table){.columns = columns, .column_count = column_count};
    if (column_count > COLUMNS_MAX || row_count > SIZE_MAX / COLUMNS_MAX)
        return -1;
    table->cells = arena_array(&table->arena, row_count * column_count, sizeof(*table->cells));
    if (!table->cells)
        return -1;
    table->row_count = row_count;
    return 0;
}

void table_free(struct table *table)
{
    arena_free(&table->arena);
}

/* The bytes of the front of `s` that take at most `most` columns; `*taken` is what they take. */
static size_t front_bytes(struct str s, unsigned most, unsigned *taken)
{
    size_t at = 0;
    *taken = 0;
    while (at < s.len) {
        uint32_t point = 0;
        size_t len = utf8_decode((struct str){.data = s.data + at, .len = s.len - at}, &point);
        unsigned width = len ? utf8_width(point) : 1;
        if (*taken + width > most)
            break;
        *taken += width;
        at += len ? len : 1;
    }
    return at;
}

static unsigned width_of(struct str s)
{
    unsigned width;
    front_bytes(s, UINT32_MAX / 2, &width);
    return width;
}

int table_set(struct table *table, size_t row, size_t column, struct str text,
              enum table_style style)
{
    if (text.len > (SIZE_MAX - 1) / ESCAPED_MAX)
        return -1;
    OWNED_MEM char *buf = malloc(ESCAPED_MAX * text.len + 1);
    if (!buf)
        return -1;
    struct writer writer = writer_make(buf, ESCAPED_MAX * text.len + 1);
    writer_str(&writer, text);
    struct table_cell *cell = &table->cells[row * table->column_count + column];
    cell->text = arena_str(&table->arena, (struct str){.data = buf, .len = writer.used});
    cell->style = style;
    if (!cell->text.data)
        return -1;
    cell->width = width_of(cell->text);
    return 0;
}

/* --- layout -------------------------------------------------------------------------------- */

/* The width of each column, 0 for one that is left out. */
static void measure(const struct table *table, unsigned widths[COLUMNS_MAX])
{
    for (size_t column = 0; column < table->column_count; column++) {
        unsigned widest = 0, title = width_of(str_of(table->columns[column].title));
        for (size_t row = 0; row < table->row_count; row++) {
            unsigned width = table->cells[row * table->column_count + column].width;
            widest = width > widest ? width : widest;
        }
        widths[column] = widest && widest < title ? title : widest;
    }
}

static unsigned total(const struct table *table, const unsigned widths[COLUMNS_MAX])
{
    unsigned sum = 0;
    for (size_t column = 0; column < table->column_count; column++) {
        if (widths[column])
            sum += widths[column] + (sum ? GAP : 0);
    }
    return sum;
}

/* Takes what is too much from the columns that may be cut, the last first. */
static void fit(const struct table *table, unsigned limit, unsigned widths[COLUMNS_MAX])
{
    for (size_t column = table->column_count; column-- > 0;) {
        unsigned sum = total(table, widths), least = table->columns[column].least;
        if (sum <= limit)
            return;
        if (least == 0 || widths[column] <= least)
            continue;
        unsigned excess = sum - limit, spare = widths[column] - least;
        widths[column] -= excess < spare ? excess : spare;
    }
}

/* --- printing ------------------------------------------------------------------------------ */

const char *table_style_begin(const struct table_look *look, enum table_style style)
{
    static const char *const begins[] = {[TABLE_PLAIN] = "",
                                         [TABLE_DIM] = "\x1b[2m",
                                         [TABLE_GREEN] = "\x1b[32m",
                                         [TABLE_YELLOW] = "\x1b[33m",
                                         [TABLE_RED] = "\x1b[1;31m"};
    return look->colours ? begins[style] : "";
}

const char *table_style_end(const struct table_look *look, enum table_style style)
{
    return look->colours && style != TABLE_PLAIN ? "\x1b[0m" : "";
}

/* The bytes at the end of `s` that take at most `most` columns. */
static struct str back(struct str s, unsigned width, unsigned most, unsigned *taken)
{
    size_t skipped = front_bytes(s, width - most, taken);
    struct str rest = {.data = s.data + skipped, .len = s.len - skipped};
    *taken = width_of(rest);
    while (*taken > most) { /* a wide character stands across the border */
        size_t first = front_bytes(rest, 2, taken);
        rest = (struct str){.data = rest.data + first, .len = rest.len - first};
        *taken = width_of(rest);
    }
    return rest;
}

/* Prints at most `width` columns of the text; returns how many. */
static unsigned print_cut(struct str text, unsigned text_width, unsigned width, bool in_middle,
                          FILE *out)
{
    if (text_width <= width) {
        fwrite(text.data, 1, text.len, out);
        return text_width;
    }
    unsigned tail = in_middle ? (width - 1) / 2 : 0, front, end = 0;
    size_t len = front_bytes(text, width - 1 - tail, &front);
    fwrite(text.data, 1, len, out);
    fputs(ELLIPSIS, out);
    if (tail) {
        struct str rest = back(text, text_width, tail, &end);
        fwrite(rest.data, 1, rest.len, out);
    }
    return front + 1 + end;
}

static void print_row(const struct table *table, const struct table_look *look,
                      const struct table_cell *cells, const unsigned widths[COLUMNS_MAX], FILE *out)
{
    unsigned padding = 0; /* due before the next text: no line ends in blanks */
    bool is_first = true;
    for (size_t column = 0; column < table->column_count; column++) {
        const struct table_cell *cell = &cells[column];
        if (widths[column] == 0)
            continue;
        padding += is_first ? 0 : GAP;
        is_first = false;
        unsigned used = 0;
        if (cell->width) {
            fprintf(out, "%*s%s", (int)padding, "", table_style_begin(look, cell->style));
            used = print_cut(cell->text, cell->width, widths[column],
                             table->columns[column].cut_in_middle, out);
            fputs(table_style_end(look, cell->style), out);
            padding = 0;
        }
        padding += widths[column] - used;
    }
    fputc('\n', out);
}

/* What one column takes beyond its pad, those behind it give up, so that the rows of another table
 * with the same columns come into line again. */
static void pad_out(const struct table *table, unsigned widths[COLUMNS_MAX])
{
    unsigned debt = 0;
    for (size_t column = 0; column < table->column_count; column++) {
        unsigned pad = table->columns[column].pad;
        if (pad && widths[column] > pad)
            debt += widths[column] - pad;
        if (widths[column] >= pad)
            continue;
        unsigned spare = pad - widths[column], given = debt < spare ? debt : spare;
        widths[column] = pad - given;
        debt -= given;
    }
}

static void lay_out(const struct table *table, const struct table_look *look,
                    unsigned widths[COLUMNS_MAX])
{
    measure(table, widths);
    pad_out(table, widths);
    if (look->width)
        fit(table, look->width, widths);
}

static void print_rows(const struct table *table, const struct table_look *look,
                       const unsigned widths[COLUMNS_MAX], FILE *out)
{
    for (size_t row = 0; row < table->row_count; row++)
        print_row(table, look, &table->cells[row * table->column_count], widths, out);
}

void table_print_rows(const struct table *table, const struct table_look *look, FILE *out)
{
    unsigned widths[COLUMNS_MAX];
    lay_out(table, look, widths);
    print_rows(table, look, widths, out);
}

void table_print(const struct table *table, const struct table_look *look, FILE *out)
{
    unsigned widths[COLUMNS_MAX];
    struct table_cell titles[COLUMNS_MAX] = {0};
    lay_out(table, look, widths);
    for (size_t column = 0; column < table->column_count; column++) {
        titles[column].text = str_of(table->columns[column].title);
        titles[column].width = width_of(titles[column].text);
    }
    print_row(table, look, titles, widths, out);
    print_rows(table, look, widths, out);
}

static struct table_look look_of(int fd)
{
    struct table_look look = {0};
    if (!isatty(fd))
        return look;
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    look.colours = term && strcmp(term, "dumb") != 0 && !(no_color && no_color[0]);
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        look.width = size.ws_col;
    return look;
}

struct table_look table_look_of_stdout(void)
{
    return look_of(STDOUT_FILENO);
}

struct table_look table_look_of_stderr(void)
{
    return look_of(STDERR_FILENO);
}
