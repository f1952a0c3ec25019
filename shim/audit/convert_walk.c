/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a record apart by the paths of its fields and puts another object together. */
#include "audit/convert_walk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

/* --- paths --------------------------------------------------------------------------------- */

/* The first part of `*path`, which moves behind it; after the last one it is empty. */
static struct str next_part(const char **path)
{
    struct str part = {.data = *path, .len = strcspn(*path, ".")};
    *path += part.len;
    if (**path == '.')
        (*path)++;
    return part;
}

static json_t *find(json_t *from, const char *path)
{
    while (from && *path) {
        struct str part = next_part(&path);
        from = json_object_getn(from, part.data, part.len);
    }
    return from;
}

json_t *convert_find(const struct convert *convert, const char *path)
{
    return find(convert->in, path);
}

const char *convert_text(const struct convert *convert, const char *path)
{
    const char *text = json_string_value(convert_find(convert, path));
    return text ? text : "";
}

int64_t convert_number(const struct convert *convert, const char *path, int64_t otherwise)
{
    json_t *value = convert_find(convert, path);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool convert_is(const struct convert *convert, const char *path, const char *text)
{
    return strcmp(convert_text(convert, path), text) == 0;
}

void convert_drop(struct convert *convert, const char *path)
{
    json_t *from = convert->in;
    for (;;) {
        struct str part = next_part(&path);
        if (!*path) {
            json_object_deln(from, part.data, part.len);
            return;
        }
        from = json_object_getn(from, part.data, part.len);
    }
}

void convert_put(struct convert *convert, const char *path, json_t *value)
{
    json_t *to = convert->out;
    for (;;) {
        struct str part = next_part(&path);
        if (!*path) {
            if (json_object_setn_new_nocheck(to, part.data, part.len, value) < 0)
                convert->failed = true;
            return;
        }
        json_t *inner = json_object_getn(to, part.data, part.len);
        if (!inner) {
            inner = json_object();
            if (json_object_setn_new_nocheck(to, part.data, part.len, inner) < 0) {
                convert->failed = true;
                json_decref(value);
                return;
            }
        }
        to = inner;
    }
}

void convert_put_text(struct convert *convert, const char *path, const char *text)
{
    convert_put(convert, path, json_string_nocheck(text));
}

void convert_put_number(struct convert *convert, const char *path, int64_t number)
{
    convert_put(convert, path, json_integer(number));
}

void convert_fields(struct convert *convert, const struct convert_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct convert_field *field = &fields[i];
        json_t *value = convert_find(convert, field->from);
        if (field->kind == CONVERT_TEXT ? !json_is_string(value) : !json_is_integer(value))
            continue;
        convert_put(convert, field->to, json_incref(value));
        if (!field->keep)
            convert_drop(convert, field->from);
    }
}

/* --- what is left -------------------------------------------------------------------------- */

static void flatten(struct convert *convert, json_t *inputs, const char *name)
{
    json_t *pairs = json_object_get(inputs, name);
    const char *key;
    json_t *value;
    if (!json_is_object(pairs))
        return;
    json_t *list = json_array();
    json_object_foreach(pairs, key, value)
    {
        const char *text = json_string_value(value);
        json_t *pair = text ? json_sprintf("%s=%s", key, text) : json_pack("[sO]", key, value);
        if (json_array_append_new(list, pair) < 0)
            convert->failed = true;
    }
    if (json_object_set_new_nocheck(inputs, name, list) < 0)
        convert->failed = true;
}

void convert_flatten_inputs(struct convert *convert)
{
    json_t *inputs = convert_find(convert, "inputs");
    flatten(convert, inputs, "podLabels");
    flatten(convert, inputs, "annotations");
    flatten(convert, inputs, "nodeLabels");
}

/* Objects all of whose fields were taken say nothing more. */
static void drop_empty(json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_object(value) && json_object_size(value) == 0)
            json_object_del(object, key);
    }
}

void convert_rest(struct convert *convert, const char *path)
{
    drop_empty(convert->in);
    if (json_object_size(convert->in))
        convert_put(convert, path, json_incref(convert->in));
}

/* --- what it means ------------------------------------------------------------------------- */

/* strptime() alone takes blanks and longer numbers too. */
static bool looks_like_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    for (size_t i = 0; i < sizeof(form); i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != form[i])
            return false;
    }
    return true;
}

int64_t convert_time_ms(const char *text)
{
    struct tm utc = {0};
    const char *rest = looks_like_time(text) ? strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) : NULL;
    time_t seconds = rest ? timegm(&utc) : -1;
    return seconds < 0 ? -1 : (int64_t)seconds * 1000 + strtol(rest + 1, NULL, 10) / 1000;
}

json_t *convert_uid(const struct convert *convert)
{
    return json_sprintf("%s-%lld", convert_text(convert, "instance"),
                        (long long)convert_number(convert, "seq", 0));
}

static json_t *describe(const struct convert *convert)
{
    const char *stage = convert_text(convert, "stage");
    const char *action = convert_text(convert, "decision.action");
    const char *namespace = convert_text(convert, "pod.namespace");
    const char *name = convert_text(convert, "pod.name");
    const char *code = convert_text(convert, "result.code");
    return json_sprintf("%s%s%s%s%s%s%s%s%s%s%s", convert_text(convert, "type"), *stage ? " " : "",
                        stage, *action ? ": " : "", action, *name ? " " : "", namespace,
                        *namespace && *name ? "/" : "", name, *code ? ": " : "", code);
}

json_t *convert_message(const struct convert *convert)
{
    const char *told = convert_text(convert, "decision.message");
    const char *error = convert_text(convert, "error");
    if (!*told && !*error)
        return describe(convert);
    return json_string_nocheck(*told ? told : error);
}

const char *convert_operation(const struct convert *convert)
{
    const char *method = convert_text(convert, "method");
    const char *slash = strrchr(method, '/');
    return slash ? slash + 1 : method;
}

enum convert_action convert_action(const struct convert *convert)
{
    static const struct {
        const char *word;
        enum convert_action action;
    } actions[] = {
        {"allow", CONVERT_ALLOWED},        {"modify", CONVERT_ALLOWED},
        {"wouldModify", CONVERT_OBSERVED}, {"wouldRefuse", CONVERT_OBSERVED},
        {"refuse", CONVERT_DENIED},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (convert_is(convert, "decision.action", actions[i].word))
            return actions[i].action;
    }
    return CONVERT_NONE;
}

/* A call that goes on has not ended when its decision is told. */
enum convert_outcome convert_outcome(const struct convert *convert)
{
    const char *code = convert_text(convert, "result.code");
    if (*code)
        return strcmp(code, "OK") == 0 ? CONVERT_SUCCESS : CONVERT_FAILURE;
    enum convert_action action = convert_action(convert);
    if (action == CONVERT_DENIED || *convert_text(convert, "error"))
        return CONVERT_FAILURE;
    return action == CONVERT_NONE ? CONVERT_SUCCESS : CONVERT_UNKNOWN;
}
