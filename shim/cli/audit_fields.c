/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the fields of a record by their names. */
#include "cli/audit_fields.h"

bool audit_fields_scan(struct str line, struct audit_fields *fields)
{
    fields->root = NULL;
    return record_scan(line, &fields->scan);
}

bool audit_fields_parse(struct str line, struct audit_fields *fields)
{
    fields->root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    return fields->root != NULL;
}

static const json_t *find(const struct audit_fields *fields, const char *object, const char *key)
{
    return json_object_get(object ? json_object_get(fields->root, object) : fields->root, key);
}

struct str audit_field(const struct audit_fields *fields, const char *object, const char *key)
{
    const json_t *value = find(fields, object, key);
    if (!json_is_string(value))
        return STR("");
    return (struct str){.data = json_string_value(value), .len = json_string_length(value)};
}

uint64_t audit_field_number(const struct audit_fields *fields, const char *object, const char *key)
{
    json_int_t number = json_integer_value(find(fields, object, key));
    return number > 0 ? (uint64_t)number : 0;
}

bool audit_fields_decide(const struct audit_fields *fields)
{
    return audit_field(fields, "decision", "action").len > 0 &&
           !str_eq(fields->scan.stage, STR("completed"));
}
