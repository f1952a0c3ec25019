/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a Kubernetes manifest: each may be missing or null, and so may its parent. What stands
 * there in another shape is a finding. */
#ifndef CRIGATE_CONFIG_MANIFEST_FIELD_H
#define CRIGATE_CONFIG_MANIFEST_FIELD_H

#include "config/reader.h"

/* Both: NULL when it is not there. */
const struct yaml_node *manifest_mapping(struct reader *reader, const struct yaml_node *parent,
                                         const char *key);
const struct yaml_node *manifest_list(struct reader *reader, const struct yaml_node *parent,
                                      const char *key);

/* Leaves `value` as it is when it is not there. */
void manifest_string(struct reader *reader, const struct yaml_node *parent, const char *key,
                     struct str *value);

bool manifest_flag(struct reader *reader, const struct yaml_node *parent, const char *key,
                   bool otherwise);

#endif
