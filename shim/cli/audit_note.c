/* SPDX-License-Identifier: Apache-2.0 */
/* Notes about files and lines, with names that cannot deceive a terminal. */
#include "cli/audit_note.h"

#include <inttypes.h>

#include "base/say.h"
#include "base/writer.h"
#include "cli/table.h"

#define NAME_SIZE ((size_t)1280) /* what writer_short() takes, all of it escaped */

static void print_dim(const char *name, const char *what)
{
    struct table_look look = table_look_of_stderr();
    char clean[NAME_SIZE];
    struct writer writer = writer_make(clean, sizeof(clean));
    writer_short(&writer, str_of(name));
    fflush(stdout); /* where both go to a terminal, the note stands at its place */
    fprintf(stderr, "%s%s%s%s\n", table_style_begin(&look, TABLE_DIM), clean, what,
            table_style_end(&look, TABLE_DIM));
}

void audit_note_no_record(const struct segment_line *line)
{
    char what[64];
    snprintf(what, sizeof(what), ":%" PRIu64 ": no record", line->number);
    print_dim(line->file, what);
}

void audit_note_missing(const char *path)
{
    print_dim(path, " is not there yet: waiting for it");
}

void audit_note_no_log(const char *path)
{
    say_error("%s is not there, nor is a rotated file of it: has the gate been started?", path);
}

void audit_note_error(const struct err *err)
{
    char text[4 * sizeof(err->text)]; /* each byte as \xNN */
    struct writer writer = writer_make(text, sizeof(text));
    writer_str(&writer, str_of(err->text));
    say_error("%s", text);
}
