/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML bytes -> a tree that an arena owns. Only what a configuration needs: anchors, aliases and
 * tags are refused, and so is whatever could make a person read another file than the machine
 * does (control characters, direction marks, odd line ends).
 */
#ifndef CRIGATE_CONFIG_YAML_H
#define CRIGATE_CONFIG_YAML_H

#include "config/diag.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* What a scalar is to Kubernetes, whose reader follows YAML 1.1 for booleans. */
enum yaml_type { YAML_STRING, YAML_NULL, YAML_BOOLEAN, YAML_NUMBER };

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_type type; /* of a scalar */
    struct place at;
    struct str text;         /* of a scalar: UTF-8 without NUL, a NUL behind its length */
    struct yaml_node *first; /* a sequence's items; a mapping's keys, which are scalars */
    struct yaml_node *next;  /* the next item or key */
    struct yaml_node *value; /* of a key */
    size_t count;            /* items or keys */
};

enum yaml_documents {
    YAML_ONE_DOCUMENT,   /* another one is an error */
    YAML_FIRST_DOCUMENT, /* whatever comes behind the first one is not read */
};

/* A text has at most this many nodes, and they are nested at most this deep. */
#define YAML_NODES_MAX ((size_t)1000000)
#define YAML_DEPTH_MAX 64

/*
 * Parses the source's text. The nodes live in `arena` and do not borrow from the source. Findings
 * go to `diags`. NULL when the text has no tree to look at: a syntax error, no document, or no
 * memory; each is a finding. A tree may be returned although errors were found (a repeated key
 * keeps its first value), so that the reader's own findings come in the same run.
 */
struct yaml_node *yaml_read(struct diag_source *source, enum yaml_documents documents,
                            struct arena *arena, struct diags *diags) MUST_CHECK;

#endif
