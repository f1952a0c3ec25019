/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and annotations, as a manifest writes them: a mapping of strings -> a label set. */
#ifndef CRIGATE_CONFIG_LABEL_READER_H
#define CRIGATE_CONFIG_LABEL_READER_H

#include "config/reader.h"
#include "policy/facts.h"

enum label_kind { LABELS_OF_OBJECT, LABELS_ARE_ANNOTATIONS };

/*
 * Reads the mapping `node` (NULL: an empty one) into `set`, which the reader's arena owns; `what`
 * names it in a finding. The keys of `fixed` are passed over in `node`, for whoever sends the
 * labels sets them; those of them that have a value (data not NULL) are in the set.
 */
void label_reader_set(struct reader *reader, const struct yaml_node *node, const char *what,
                      enum label_kind kind, const struct label *fixed, size_t fixed_count,
                      struct label_set *set);

#endif
