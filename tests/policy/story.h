/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case files: a policy and the pods that it is asked about, one statement a line, words
 * separated by spaces. `#` opens a comment, "" is the empty word, \xNN is a byte.
 *
 *   policy NAME [observe]                 opens a policy; what follows belongs to it
 *   runtime HANDLER host|sandbox [default] [alias=NAME]... [cannot=ABILITY]...
 *           [device=GLOB]...
 *   rule NAME [observe]                   then its match, then its action:
 *     handlers|namespaces|names|annotationKeys WORD...
 *     pod|annotation|node KEY In|NotIn|Exists|DoesNotExist [VALUE]...
 *     hostNetwork|hostPID|hostIPC|privileged true|false
 *     run HANDLER|requested [allowDowngrade]   or   refuse MESSAGE...
 *   otherwise run HANDLER|requested [allowDowngrade]   or   otherwise refuse MESSAGE...
 *   warning covered RULE EARLIER | warning downgrade RULE
 *   case NAME                             one pod; what follows belongs to it
 *     is NAMESPACE NAME | handler NAME | untrusted | with ABILITY...
 *     label|note|nodelabel KEY VALUE      (a note is an annotation)
 *     node unknown
 *     sandbox HANDLER                     containerd runs the pod under it: its container is judged
 *     container NAME                      opens one, of a pod that is restored or of the sandbox
 *       with ABILITY... | device PATH-OR-NAME... | mount recursiveReadOnly|bidirectional PATH
 *     expect VERDICT                      as verdict_text() in run.c writes it
 *     observed VERDICT
 *     message TEXT...                     stands somewhere in the refusal
 */
#ifndef CRIGATE_TESTS_POLICY_STORY_H
#define CRIGATE_TESTS_POLICY_STORY_H

#include "base/arena.h"
#include "policy/policy.h"

#define STORY_MANY 64
#define STORY_FEW 8

struct story_case {
    struct str name;
    unsigned line;
    struct pod_facts pod;
    struct label labels[STORY_MANY], notes[STORY_MANY], node[STORY_MANY];
    size_t label_count, note_count, node_count;
    bool node_unknown;
    struct container_facts containers[STORY_FEW];
    struct str sandbox; /* data NULL: the pod is judged */
    char expected[512]; /* the verdict, then each observed one, a line each */
    struct str message;
};

struct story {
    const char *path;
    struct arena arena;
    struct policy_spec spec;
    struct runtime_spec runtimes[STORY_MANY];
    struct rule_spec rules[2 * STORY_MANY]; /* room for padding behind the file's own */
    char warnings[1024];                    /* expected, a line each */
};

typedef void story_policy_fn(void *cookie, struct story *story);
typedef void story_case_fn(void *cookie, struct story *story, struct story_case *asked);

/* Reads `path` and reports each policy and each case in order; what is wrong with the file itself
 * ends the program with exit 2. */
void story_read(const char *path, story_policy_fn *on_policy, story_case_fn *on_case, void *cookie);

#endif
