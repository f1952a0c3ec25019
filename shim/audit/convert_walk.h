/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the formats of convert.h share: a record is taken apart field by field, and what no format
 * has taken is handed on as it is. Paths are "policy.name"; those of the output are made on the
 * way. Of a field, only a value of the kind that the record has there is taken.
 */
#ifndef CRIGATE_AUDIT_CONVERT_WALK_H
#define CRIGATE_AUDIT_CONVERT_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct convert {
    json_t *in;  /* the record, less what has been taken */
    json_t *out; /* what it becomes */
    bool failed; /* memory is out */
};

/* One field and its other name. */
struct convert_field {
    const char *from, *to;
    enum { CONVERT_TEXT, CONVERT_NUMBER } kind;
    bool keep; /* it stays under its native name too */
};

/* What is at the path of the record, or nothing: NULL, "" and `otherwise`. Borrowed. */
json_t *convert_find(const struct convert *convert, const char *path);
const char *convert_text(const struct convert *convert, const char *path);
int64_t convert_number(const struct convert *convert, const char *path, int64_t otherwise);
bool convert_is(const struct convert *convert, const char *path, const char *text);

/* Takes it out of the record. */
void convert_drop(struct convert *convert, const char *path);

/* Puts a value, which is freed, at a path of the output; NULL: memory was out. */
void convert_put(struct convert *convert, const char *path, json_t *value);
void convert_put_text(struct convert *convert, const char *path, const char *text);
void convert_put_number(struct convert *convert, const char *path, int64_t number);

/* Those of the fields that the record has. */
void convert_fields(struct convert *convert, const struct convert_field *fields, size_t count);

/* Each label and annotation of `inputs` as "KEY=VALUE" in lists; what the policy used. */
void convert_flatten_inputs(struct convert *convert);

/* Puts what is left of the record at `path`; call it last. */
void convert_rest(struct convert *convert, const char *path);

/* Milliseconds since 1970 of a record's time; -1 when it is none. */
int64_t convert_time_ms(const char *text);

/* "INSTANCE-" and the seq of the record: no two have the same. */
json_t *convert_uid(const struct convert *convert);

/* A sentence for a person: what the caller was told, the error, or what happened to what. */
json_t *convert_message(const struct convert *convert);

/* The gRPC method without its service: "RunPodSandbox"; "" when there is none. */
const char *convert_operation(const struct convert *convert);

/* What the decision means for the call. */
enum convert_action {
    CONVERT_NONE, /* there is no decision in the record */
    CONVERT_ALLOWED,
    CONVERT_OBSERVED, /* it goes on only because the policy, or the rule, just observes */
    CONVERT_DENIED,
};
enum convert_action convert_action(const struct convert *convert);

/* How it ended. */
enum convert_outcome { CONVERT_UNKNOWN, CONVERT_SUCCESS, CONVERT_FAILURE };
enum convert_outcome convert_outcome(const struct convert *convert);

/* The formats; each fills `out`. */
void convert_ecs(struct convert *convert);
void convert_ocsf(struct convert *convert);

#endif
