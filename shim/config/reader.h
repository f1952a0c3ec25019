/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed reads from a YAML tree. Each says what is wrong as a finding, at the place, and returns
 * false; then its output is not set. `what` names the value in the finding: its key.
 */
#ifndef CRIGATE_CONFIG_READER_H
#define CRIGATE_CONFIG_READER_H

#include "config/yaml.h"

struct reader {
    struct diag_source *source;
    struct diags *diags;
    struct arena *arena; /* what is read lives here */
};

/* A finding at `node`; printf arguments behind the hint, which may be NULL. */
#define reader_error(reader, node, hint, ...) \
    diags_add((reader)->diags, DIAG_ERROR, (reader)->source, (node)->at, hint, __VA_ARGS__)
#define reader_warning(reader, node, hint, ...) \
    diags_add((reader)->diags, DIAG_WARNING, (reader)->source, (node)->at, hint, __VA_ARGS__)

/* Zeroed room for `count` items; NULL after recording that memory ran out. */
void *reader_room(struct reader *reader, size_t count, size_t size) MUST_CHECK;

#define READER_HINT_SIZE 160

/* Writes `did you mean "..."?` when one of `words` is near; NULL otherwise. Returns `buf`. */
const char *reader_suggest(struct str word, const struct str *words, size_t count,
                           char buf[READER_HINT_SIZE]);

/*
 * Sorts the values of `node`, which must be a mapping: values[i] is that of keys[i], NULL when it
 * is not there. Each other key is a finding; the result is false only when it is no mapping.
 */
bool reader_mapping(struct reader *reader, const struct yaml_node *node, const char *what,
                    const struct str *keys, size_t count, const struct yaml_node **values);

/* The value of `key`, or NULL; for mappings that may hold other keys too. */
const struct yaml_node *reader_find(const struct yaml_node *mapping, const char *key);

/* A finding at `parent` when `value` is NULL. */
bool reader_need(struct reader *reader, const struct yaml_node *parent,
                 const struct yaml_node *value, const char *what, const char *hint);

/* A mapping or list with something in it. */
bool reader_collection(struct reader *reader, const struct yaml_node *node, enum yaml_kind kind,
                       const char *what);

/* A string; a number or boolean without quotes is none. It may be empty. */
bool reader_string(struct reader *reader, const struct yaml_node *node, const char *what,
                   struct str *value);

/* A string of 1 to `most` bytes on one line. */
bool reader_text(struct reader *reader, const struct yaml_node *node, const char *what, size_t most,
                 struct str *value);

/* true or false, without quotes. */
bool reader_boolean(struct reader *reader, const struct yaml_node *node, const char *what,
                    bool *value);

/* One of `words`. */
bool reader_word(struct reader *reader, const struct yaml_node *node, const char *what,
                 const struct str *words, size_t count, size_t *index);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
