/* SPDX-License-Identifier: Apache-2.0 */
/* Finds scalars with the same text among siblings: keys of a mapping, names in a list. */
#ifndef CRIGATE_CONFIG_UNIQUE_H
#define CRIGATE_CONFIG_UNIQUE_H

#include "config/yaml.h"

/* Told once for each node whose text stood before; `earlier` is the first with that text. */
typedef void unique_twice_fn(void *cookie, const struct yaml_node *node,
                             const struct yaml_node *earlier);

/* Looks at `first` and its siblings, `count` in all; all are scalars. -1 when memory is out.
 * n log n, whatever the texts are. */
int unique_check(const struct yaml_node *first, size_t count, unique_twice_fn *twice,
                 void *cookie) MUST_CHECK;

/* The same for nodes in an array, whose order is changed. */
void unique_check_array(const struct yaml_node **nodes, size_t count, unique_twice_fn *twice,
                        void *cookie);

#endif
