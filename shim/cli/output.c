/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON strings by hand: the two commands that print JSON need nothing else of a library. */
#include "cli/output.h"

#include <errno.h>

#include "base/say.h"
#include "base/utf8.h"

bool output_format_parse(const char *word, enum output_format *format)
{
    bool is_json = strcmp(word, "json") == 0;
    if (!is_json && strcmp(word, "text") != 0)
        return false;
    *format = is_json ? OUTPUT_JSON : OUTPUT_TEXT;
    return true;
}

void output_json_str(FILE *out, struct str s)
{
    fputc('"', out);
    for (size_t at = 0; at < s.len;) {
        uint32_t point;
        size_t len = utf8_decode((struct str){.data = s.data + at, .len = s.len - at}, &point);
        if (len == 0)
            fputs("\\ufffd", out);
        else if (point == '"' || point == '\\')
            fprintf(out, "\\%c", (char)point);
        else if (point < 0x10000 && utf8_is_deceptive(point))
            fprintf(out, "\\u%04x", point);
        else
            fwrite(s.data + at, 1, len, out);
        at += len ? len : 1;
    }
    fputc('"', out);
}

enum cli_exit output_finish(enum cli_exit status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    say_error("standard output cannot be written: %s", strerror(errno));
    return CLI_DOES_NOT_HOLD;
}
