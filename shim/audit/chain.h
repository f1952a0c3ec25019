/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of lines: each carries the hash of the one before it. A plain value: who may have to
 * take lines back keeps a copy. One thread.
 */
#ifndef CRIGATE_AUDIT_CHAIN_H
#define CRIGATE_AUDIT_CHAIN_H

#include "audit/line.h"

struct chain {
    char head[RECORD_HASH_SIZE]; /* of the last line; RECORD_NO_HASH before the first */
};

/* The chain whose last line is `line`, newline included; NULL data: before the first. */
int chain_begin(struct chain *chain, struct str line, struct err *err) MUST_CHECK;

/* Puts the head with line->seq in front of the line's body (again, when it has one already), and
 * moves the chain on. -1: no hash could be had; the chain is as it was. */
int chain_seal(struct chain *chain, struct audit_line *line, struct err *err) MUST_CHECK;

#endif
