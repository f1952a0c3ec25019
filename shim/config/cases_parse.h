/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a file of cases, each read from its node. Inside config/ only. */
#ifndef CRIGATE_CONFIG_CASES_PARSE_H
#define CRIGATE_CONFIG_CASES_PARSE_H

#include "config/cases_file.h"

#define CASES_PATH_LENGTH_MAX ((size_t)4095)

/* What the cases of one file share while they are read. */
struct cases_context {
    struct reader reader;
    struct case_policy *policy; /* NULL: not known, so that no name in it is wrong */
    struct case_node node;      /* of the cases that give none */
};

/* One case as far as its own file tells it. */
struct case_draft {
    struct policy_case *out;
    const struct yaml_node *name;      /* NULL: it has none that is good */
    const struct yaml_node *handler;   /* NULL: the manifest's runtimeClassName */
    const struct yaml_node *pod_file;  /* NULL: the pod is in `out` already */
    const struct yaml_node *container; /* that `expect` names; NULL: none */
};

/* All of it. The findings are the outcome; on an error the output is what could be read. */
void cases_parse_case(struct cases_context *context, const struct yaml_node *node,
                      struct case_draft *draft);

/* The value of `nodeLabels`. */
void cases_parse_node(struct reader *reader, const struct yaml_node *node, struct case_node *out);

void cases_parse_expect(struct cases_context *context, const struct yaml_node *node,
                        struct case_draft *draft);

#endif
