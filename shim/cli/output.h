/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share of their output: its format, JSON, and foreign text on a terminal. */
#ifndef CRIGATE_CLI_OUTPUT_H
#define CRIGATE_CLI_OUTPUT_H

#include <jansson.h>

#include "base/own.h"
#include "base/str.h"
#include "cli/cli.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON };

/* The entry of --output for an argp table. */
#define OUTPUT_KEY 'o'
#define OUTPUT_OPTION                                                                            \
    {                                                                                            \
        "output", OUTPUT_KEY, "FORMAT", 0, "text (the default) or json, for a script to read", 0 \
    }

/* The value of --output; false when it is none. */
bool output_format_parse(const char *word, enum output_format *format) MUST_CHECK;

/* Prints foreign text to standard output: what could deceive comes out as \xNN, and a long text is
 * cut. */
void output_text(struct str s);

/* Adds a string; what is not UTF-8 in it is written as \xNN. -1 when memory is out, or `object` is
 * NULL because it was out before. */
int output_json_str(json_t *object, const char *key, struct str s) MUST_CHECK;

/* Prints `root`, which it frees, as one line. -1, with a message, when it is NULL because memory
 * was out. */
int output_json(json_t *root) MUST_CHECK;

/* Flushes standard output; CLI_DOES_NOT_HOLD, with a message, when it could not be written, else
 * `status`. */
enum cli_exit output_finish(enum cli_exit status) MUST_CHECK;

static inline void own_json(json_t **value)
{
    json_decref(*value);
}

#define OWNED_JSON OWNED(own_json)

#endif
