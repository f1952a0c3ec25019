/* SPDX-License-Identifier: Apache-2.0 */
/* Reads fields of a manifest that are all optional. */
#include "config/manifest_field.h"

const struct yaml_node *manifest_mapping(struct reader *reader, const struct yaml_node *parent,
                                         const char *key)
{
    const struct yaml_node *node = reader_find(parent, key);
    if (node && node->kind != YAML_MAPPING) {
        reader_error(reader, node, NULL, "%s must be a mapping", key);
        return NULL;
    }
    return node;
}

const struct yaml_node *manifest_list(struct reader *reader, const struct yaml_node *parent,
                                      const char *key)
{
    const struct yaml_node *node = reader_find(parent, key);
    if (node && node->kind != YAML_SEQUENCE) {
        reader_error(reader, node, NULL, "%s must be a list", key);
        return NULL;
    }
    return node;
}

void manifest_string(struct reader *reader, const struct yaml_node *parent, const char *key,
                     struct str *value)
{
    const struct yaml_node *node = reader_find(parent, key);
    if (node)
        (void)reader_string(reader, node, key, value);
}

bool manifest_flag(struct reader *reader, const struct yaml_node *parent, const char *key,
                   bool otherwise)
{
    const struct yaml_node *node = reader_find(parent, key);
    bool value;
    return node && reader_boolean(reader, node, key, &value) ? value : otherwise;
}
