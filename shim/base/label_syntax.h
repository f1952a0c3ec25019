/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax of Kubernetes' names, label keys and values. Pure; any thread. */
#ifndef CRIGATE_BASE_LABEL_SYNTAX_H
#define CRIGATE_BASE_LABEL_SYNTAX_H

#include "base/str.h"

/* NULL when `name` is a DNS subdomain, as the names of Nodes are; else what is wrong with it: a
 * phrase that goes on after "the name ...". */
const char *dns_name_fault(struct str name);

/* NULL when `key` is a label key ([prefix/]name); else what is wrong with it: a phrase that goes
 * on after "the key ...". */
const char *label_key_fault(struct str key);

/* The same for annotation keys, whose prefix may have upper-case letters. */
const char *annotation_key_fault(struct str key);

/* NULL when `value` is a label value; else what is wrong with it, after "the value ...". */
const char *label_value_fault(struct str value);

#endif
