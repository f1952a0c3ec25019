/* SPDX-License-Identifier: Apache-2.0 */
/* Reads labels and annotations, with Kubernetes' syntax of keys and values. */
#include "config/label_reader.h"

#include "base/label_syntax.h"

static bool read_entry(struct reader *reader, const struct yaml_node *key, enum label_kind kind,
                       struct label *label)
{
    bool of_annotations = kind == LABELS_ARE_ANNOTATIONS;
    *label = (struct label){.key = key->text};
    const char *fault =
        of_annotations ? annotation_key_fault(key->text) : label_key_fault(key->text);
    if (fault)
        reader_error(reader, key, NULL, "the key \"%.*s\" %s", DIAG_TEXT(key->text), fault);
    if (!reader_string(reader, key->value, of_annotations ? "an annotation" : "a label",
                       &label->value))
        return false;
    const char *value_fault = of_annotations ? NULL : label_value_fault(label->value);
    if (value_fault)
        reader_error(reader, key->value, NULL, "the value \"%.*s\" %s", DIAG_TEXT(label->value),
                     value_fault);
    return !fault && !value_fault;
}

static bool is_fixed(struct str key, const struct label *fixed, size_t fixed_count)
{
    for (size_t i = 0; i < fixed_count; i++) {
        if (str_eq(key, fixed[i].key))
            return true;
    }
    return false;
}

void label_reader_set(struct reader *reader, const struct yaml_node *node, const char *what,
                      enum label_kind kind, const struct label *fixed, size_t fixed_count,
                      struct label_set *set)
{
    if (node && node->kind != YAML_MAPPING) {
        reader_error(reader, node, NULL, "%s must be a mapping", what);
        node = NULL;
    }
    size_t count = 0;
    struct label *items =
        reader_room(reader, (node ? node->count : 0) + fixed_count, sizeof(*items));
    if (!items)
        return;
    for (const struct yaml_node *key = node ? node->first : NULL; key; key = key->next)
        count += read_entry(reader, key, kind, &items[count]) &&
                 !is_fixed(key->text, fixed, fixed_count);
    for (size_t i = 0; i < fixed_count; i++) {
        if (fixed[i].value.data)
            items[count++] = fixed[i];
    }
    struct str twice; /* yaml_read() has reported it */
    if (label_set_make(items, count, set, &twice))
        *set = (struct label_set){0};
}
