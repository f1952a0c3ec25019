/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a policy file, each read from its node into the spec. Inside config/ only. */
#ifndef CRIGATE_CONFIG_POLICY_PARSE_H
#define CRIGATE_CONFIG_POLICY_PARSE_H

#include "config/reader.h"
#include "policy/spec.h"

#define POLICY_NAME_MAX ((size_t)253)
#define POLICY_MESSAGE_MAX ((size_t)1024)

/* The handlers and aliases that `runtimes` declares, for looking up. */
struct declared {
    const struct str *names; /* sorted, each once */
    size_t count;
    bool whole; /* false: `runtimes` has errors, so a name that is not here may be no mistake */
};

/* The findings are the outcome; on an error the output is what could be read. */
void policy_parse_runtimes(struct reader *reader, const struct yaml_node *node,
                           struct policy_spec *spec, struct declared *declared);

/* `devices` of a runtime whose `cannot` has been read. */
void policy_parse_devices(struct reader *reader, const struct yaml_node *node,
                          struct runtime_spec *runtime);

/* `what` is the key for the findings. Whether `text` is declared, with a finding if not. */
bool policy_parse_handler(struct reader *reader, const struct yaml_node *node, const char *what,
                          struct str text, const struct declared *declared);

void policy_parse_rules(struct reader *reader, const struct yaml_node *node,
                        const struct declared *declared, struct policy_spec *spec);

void policy_parse_otherwise(struct reader *reader, const struct yaml_node *node,
                            const struct declared *declared, struct policy_spec *spec);

void policy_parse_match(struct reader *reader, const struct yaml_node *node,
                        const struct declared *declared, struct match_spec *match);

/* `what` is "pod", "node" or "annotations". */
void policy_parse_selector(struct reader *reader, const struct yaml_node *node, const char *what,
                           bool of_annotations, struct selector_spec *selector);

/* `mode`: enforce or observe. */
void policy_parse_mode(struct reader *reader, const struct yaml_node *node, enum policy_mode *mode);

#endif
