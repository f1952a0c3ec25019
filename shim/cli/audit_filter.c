/* SPDX-License-Identifier: Apache-2.0 */
/* Holds a record against the filters of the command line. */
#include "cli/audit_filter.h"

#include "policy/glob.h"

static bool matches(const char *pattern, struct str text)
{
    if (!pattern)
        return true;
    struct glob glob = glob_make(str_of(pattern));
    return glob_match(&glob, text);
}

static bool is_word(const char *word, struct str text)
{
    return !word || str_eq(str_of(word), text);
}

static bool ends(struct str text, struct str suffix)
{
    return text.len > suffix.len &&
           str_eq((struct str){.data = text.data + text.len - suffix.len, .len = suffix.len},
                  suffix);
}

struct str audit_type_short(struct str type)
{
    static const struct str suffixes[] = {
        {".decision", sizeof(".decision") - 1},
        {".refused", sizeof(".refused") - 1},
    };
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (ends(type, suffixes[i]))
            return (struct str){.data = type.data, .len = type.len - suffixes[i].len};
    }
    return type;
}

bool audit_action_is_known(const char *word)
{
    static const char *const words[] = {"allow", "modify", "refuse", "wouldModify", "wouldRefuse"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

/* What the log needs for itself. */
static bool is_upkeep(struct str type)
{
    return str_eq(type, STR("heartbeat")) || str_eq(type, STR("segment.open"));
}

bool audit_filter_takes_head(const struct audit_filter *filter, const struct audit_fields *fields)
{
    const struct record_scan *scan = &fields->scan;
    if (filter->type)
        return matches(filter->type, scan->type) ||
               matches(filter->type, audit_type_short(scan->type));
    return filter->all || !is_upkeep(scan->type);
}

/* A call's end tells something new when it went on and failed. */
static bool is_news(const struct audit_fields *fields)
{
    return !str_eq(fields->scan.stage, STR("completed")) ||
           (!str_eq(audit_field(fields, "decision", "action"), STR("refuse")) &&
            !str_eq(audit_field(fields, "result", "code"), STR("OK")));
}

bool audit_filter_takes_body(const struct audit_filter *filter, const struct audit_fields *fields)
{
    return (filter->all || is_news(fields)) &&
           matches(filter->namespace, audit_field(fields, "pod", "namespace")) &&
           matches(filter->pod, audit_field(fields, "pod", "name")) &&
           is_word(filter->action, audit_field(fields, "decision", "action")) &&
           is_word(filter->rule, audit_field(fields, "decision", "rule"));
}
