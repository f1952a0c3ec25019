/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what commands found, for a person and for a script. */
#include "cli/output.h"

#include <errno.h>

#include "base/say.h"
#include "base/writer.h"

#define ESCAPED_MAX ((size_t)4)  /* bytes that one byte takes as \xNN */
#define TEXT_SIZE ((size_t)1280) /* what writer_short() takes, all of it escaped */

bool output_format_parse(const char *word, enum output_format *format)
{
    bool is_json = strcmp(word, "json") == 0;
    if (!is_json && strcmp(word, "text") != 0)
        return false;
    *format = is_json ? OUTPUT_JSON : OUTPUT_TEXT;
    return true;
}

void output_text(struct str s)
{
    char text[TEXT_SIZE];
    struct writer writer = writer_make(text, sizeof(text));
    writer_short(&writer, s);
    fputs(text, stdout);
}

static json_t *escape(struct str s)
{
    size_t size = ESCAPED_MAX * s.len + 1;
    OWNED_MEM char *text = malloc(size);
    if (!text)
        return NULL;
    struct writer writer = writer_make(text, size);
    writer_str(&writer, s);
    return json_stringn(text, writer.used);
}

int output_json_str(json_t *object, const char *key, struct str s)
{
    json_t *text = json_stringn(s.data, s.len);
    return json_object_set_new(object, key, text ? text : escape(s));
}

int output_json(json_t *root)
{
    OWNED_JSON json_t *whole = root;
    if (!whole) {
        say_error("memory is out");
        return -1;
    }
    if (json_dumpf(whole, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
        putchar('\n');
    return 0;
}

enum cli_exit output_finish(enum cli_exit status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    say_error("standard output cannot be written: %s", strerror(errno));
    return CLI_DOES_NOT_HOLD;
}
