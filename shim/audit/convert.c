/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a line that may be anything, and writes it in another format if it is a record. */
#include "audit/convert.h"

#include <string.h>

#include "audit/convert_walk.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER)

static const struct str names[] = {
    [AUDIT_NATIVE] = {"native", 6},
    [AUDIT_ECS] = {"ecs", 3},
    [AUDIT_OCSF] = {"ocsf", 4},
};

bool audit_format_parse(struct str word, enum audit_format *format)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq(word, names[i])) {
            *format = (enum audit_format)i;
            return true;
        }
    }
    return false;
}

const char *audit_format_name(enum audit_format format)
{
    return names[format].data;
}

static void own_json(json_t **value)
{
    json_decref(*value);
}

static json_t *parse(struct str line, struct err *err)
{
    json_error_t error = {.line = 0};
    json_t *root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    if (root)
        return root;
    /* jansson has no words for most of its failed allocations. */
    if (!error.text[0] || json_error_code(&error) == json_error_out_of_memory)
        err_set(err, "audit record: out of memory");
    else
        err_set(err, "no record: not JSON, or not whole");
    return NULL;
}

/* What both formats rely on; the rest is taken as it comes. */
static int check(const struct convert *convert, struct err *err)
{
    if (convert_number(convert, "v", 0) != 1)
        return err_set(err, "no record: no audit record of version 1");
    if (convert_number(convert, "seq", 0) < 1)
        return err_set(err, "no record: seq is missing or wrong");
    if (convert_time_ms(convert_text(convert, "time")) < 0)
        return err_set(err, "no record: time is missing or wrong");
    if (!*convert_text(convert, "instance") || !*convert_text(convert, "type") ||
        !*convert_text(convert, "node"))
        return err_set(err, "no record: instance, type or node is missing");
    return 0;
}

static int write_line(const struct convert *convert, char **out, size_t *length, struct err *err)
{
    char text[CONVERTED_MAX];
    size_t most = sizeof(text) - 1; /* but for the newline */
    size_t size = convert->failed ? 0 : json_dumpb(convert->out, text, most, DUMP_FLAGS);
    if (size > most)
        return err_set(err, "audit record: does not fit %zu bytes once it is converted",
                       CONVERTED_MAX);
    char *line = size ? malloc(size + 1) : NULL;
    if (!line)
        return err_set(err, "audit record: out of memory");
    memcpy(line, text, size);
    line[size] = '\n';
    *out = line;
    *length = size + 1;
    return 0;
}

const char *audit_format_start(enum audit_format format)
{
    return format == AUDIT_ECS ? "{\"@timestamp\":\"" : "{\"class_uid\":6003,";
}

int audit_convert(enum audit_format format, struct str line, char **out, size_t *length,
                  struct err *err)
{
    OWNED(own_json) json_t *in = parse(line, err);
    if (!in)
        return -1;
    OWNED(own_json) json_t *made = json_object();
    struct convert convert = {.in = in, .out = made, .failed = !made};
    if (check(&convert, err) < 0)
        return -1;
    convert_drop(&convert, "v");
    convert_flatten_inputs(&convert);
    if (format == AUDIT_ECS)
        convert_ecs(&convert);
    else
        convert_ocsf(&convert);
    return write_line(&convert, out, length, err);
}
