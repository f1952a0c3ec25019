/* SPDX-License-Identifier: Apache-2.0 */
/* The words on the command line that the audit commands share, for their argp tables. */
#ifndef CRIGATE_CLI_AUDIT_ARGS_H
#define CRIGATE_CLI_AUDIT_ARGS_H

#include <argp.h>

#include "audit/record_scan.h"
#include "cli/audit_files.h"
#include "cli/audit_time.h"
#include "cli/output.h"

enum { AUDIT_SINCE_KEY = 0x200, AUDIT_CONFIG_KEY };

/* The entries of --since, `what` being what is read from then on, and of --config; that of --output
 * is OUTPUT_OPTION. A command takes those that stand in its table. */
#define AUDIT_SINCE_OPTION(what, group)                                                    \
    {                                                                                      \
        "since", AUDIT_SINCE_KEY, "TIME", 0,                                               \
            what " from then on: 2026-11-24T02:00:00Z, or 45s, 10m, 2h, 3d, 1w ago", group \
    }
#define AUDIT_CONFIG_OPTION(group)                                                   \
    {                                                                                \
        "config", AUDIT_CONFIG_KEY, "FILE", 0,                                       \
            "the gate's settings, which name the log; default: " AUDIT_CONFIG, group \
    }

/* Zeroed: nothing was given. What is a pointer is borrowed from argv. */
struct audit_args {
    const char *config;          /* NULL: AUDIT_CONFIG */
    char since[AUDIT_TIME_SIZE]; /* "": from the beginning */
    enum output_format format;
    char **names; /* FILE... */
    size_t name_count;
};

/* What an argp parser calls for the keys that it does not know itself. ARGP_ERR_UNKNOWN: neither
 * does this; a wrong value ends the process with the usage status, as argp does. */
error_t audit_args_parse(int key, char *arg, struct argp_state *state, struct audit_args *args);

/* Whether the record is late enough for --since. */
bool audit_args_since(const struct audit_args *args, const struct record_scan *scan) MUST_CHECK;

/* audit_files_find() with FILE... and --config. */
int audit_args_files(const struct audit_args *args, struct audit_files *files) MUST_CHECK;

/* Whether `word` is `length` lower-case hex digits, as hashes and instances are written. */
bool audit_args_is_hex(const char *word, size_t length) MUST_CHECK;

#endif
