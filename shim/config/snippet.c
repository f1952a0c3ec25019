/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a place in a text, and shows the line round it: long lines by a window, tabs as blanks,
 * deceptive characters and broken UTF-8 as \xNN. */
#include "config/snippet.h"

#include "base/utf8.h"

#define WINDOW_COLUMNS 100 /* of the line at most, escapes counted at their length */
#define WINDOW_BEFORE 60   /* characters in front of the caret that a cut line keeps */
#define TAB_COLUMNS 4
#define CHARACTER_MAX 16 /* bytes of one character written: four \xNN */

struct shown {
    char bytes[CHARACTER_MAX + 1];
    size_t len;
    unsigned columns;
    size_t taken; /* bytes of the source */
};

static struct str rest_of(struct str s, size_t offset)
{
    return (struct str){.data = s.data + offset, .len = s.len - offset};
}

/* How the first character of `s` (not empty) is shown. */
static struct shown show(struct str s)
{
    struct shown shown = {0};
    uint32_t point = 0;
    size_t len = utf8_decode(s, &point);
    shown.taken = len ? len : 1;
    if (s.data[0] == '\t') {
        memset(shown.bytes, ' ', TAB_COLUMNS);
        shown.len = shown.columns = TAB_COLUMNS;
    } else if (len == 0 || utf8_is_deceptive(point)) {
        for (size_t i = 0; i < shown.taken; i++)
            shown.len += (size_t)sprintf(shown.bytes + shown.len, "\\x%02x",
                                         (unsigned)(unsigned char)s.data[i]);
        shown.columns = (unsigned)shown.len;
    } else {
        memcpy(shown.bytes, s.data, len);
        shown.len = len;
        shown.columns = utf8_width(point);
    }
    return shown;
}

static bool is_line_end(struct str text, size_t offset)
{
    return offset >= text.len || text.data[offset] == '\n' ||
           (text.data[offset] == '\r' && offset + 1 < text.len && text.data[offset + 1] == '\n');
}

/* Moves the source's last place to `at`, or to the end of its line or of the text. */
static void seek(struct diag_source *source, struct place at)
{
    struct str text = source->text;
    bool is_behind = source->at.line == 0 || at.line < source->at.line ||
                     (at.line == source->at.line && at.column < source->at.column);
    if (is_behind) {
        source->at = (struct place){.line = 1, .column = 1};
        source->offset = 0;
    }
    while (source->at.line < at.line) {
        const char *newline = memchr(text.data + source->offset, '\n', text.len - source->offset);
        if (!newline)
            break;
        source->offset = (size_t)(newline - text.data) + 1;
        source->at = (struct place){.line = source->at.line + 1, .column = 1};
    }
    while (source->at.column < at.column && !is_line_end(text, source->offset)) {
        uint32_t point;
        size_t len = utf8_decode(rest_of(text, source->offset), &point);
        source->offset += len ? len : 1;
        source->at.column++;
    }
}

unsigned snippet_write(struct diag_source *source, struct place at, char *buf)
{
    uint32_t first = at.column > WINDOW_BEFORE + 10 ? at.column - WINDOW_BEFORE : 1;
    seek(source, (struct place){.line = at.line, .column = first});
    size_t used = 0, offset = source->offset;
    uint32_t column = source->at.column;
    unsigned columns = 0, caret = 0;
    if (column > 1) {
        memcpy(buf, "...", 3);
        used = columns = 3;
    }
    for (; !is_line_end(source->text, offset); column++) {
        struct shown shown = show(rest_of(source->text, offset));
        if (column == at.column)
            caret = columns;
        if ((column > at.column && columns + shown.columns > WINDOW_COLUMNS) ||
            used + shown.len + sizeof("...") > SNIPPET_SIZE) {
            memcpy(buf + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(buf + used, shown.bytes, shown.len);
        used += shown.len;
        columns += shown.columns;
        offset += shown.taken;
    }
    buf[used] = '\0';
    return column <= at.column ? columns : caret;
}
