/* SPDX-License-Identifier: Apache-2.0 */
/* Which records `crigate audit show` shows. */
#ifndef CRIGATE_CLI_AUDIT_FILTER_H
#define CRIGATE_CLI_AUDIT_FILTER_H

#include "cli/audit_fields.h"

/* The words are borrowed from the command line; NULL: not asked for. */
struct audit_filter {
    const char *pod, *namespace, *type; /* globs */
    const char *action, *rule;
    bool all; /* what else repeats or only proves something, too */
};

/* Needs no `root`: whether the record is of a type that is asked for. */
bool audit_filter_takes_head(const struct audit_filter *filter, const struct audit_fields *fields);

/* The rest; the head is not looked at again. */
bool audit_filter_takes_body(const struct audit_filter *filter, const struct audit_fields *fields);

/* The type in a word: "pod" for pod.decision, "image" for image.refused, others as they are. */
struct str audit_type_short(struct str type);

/* Whether --action knows the word. */
bool audit_action_is_known(const char *word);

#endif
