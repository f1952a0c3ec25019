/* SPDX-License-Identifier: Apache-2.0 */
/* One pod judged, as `crigate explain` prints it. */
#ifndef CRIGATE_CLI_EXPLANATION_H
#define CRIGATE_CLI_EXPLANATION_H

#include <jansson.h>

#include "cli/container_verdict.h"

/* All borrowed. */
struct explanation {
    const char *policy_path;
    const struct policy *policy;
    const struct pod_facts *pod;
    bool from_runtime_class;      /* the handler is the manifest's runtimeClassName */
    const struct label_set *node; /* NULL: not known */
    struct decision decision;
    const struct container_verdict *containers; /* one for each, of a pod that runs */
    size_t container_count;
};

/* To standard output. */
void explanation_print(const struct explanation *e);

/* The same as an object, the caller's; NULL when memory is out. */
json_t *explanation_json(const struct explanation *e) MUST_CHECK;

/* One verdict alone; `message` is the refusal, or NULL. Same return. */
json_t *explanation_verdict_json(const struct verdict *verdict, const char *message) MUST_CHECK;

#endif
