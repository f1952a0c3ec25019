/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands share of their output: its format and JSON strings. */
#ifndef CRIGATE_CLI_OUTPUT_H
#define CRIGATE_CLI_OUTPUT_H

#include <stdio.h>

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

/* Writes `s` as a JSON string; what is not UTF-8 becomes U+FFFD. */
void output_json_str(FILE *out, struct str s);

/* Flushes standard output; CLI_DOES_NOT_HOLD, with a message, when it could not be written, else
 * `status`. */
enum cli_exit output_finish(enum cli_exit status) MUST_CHECK;

#endif
