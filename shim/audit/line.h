/* SPDX-License-Identifier: Apache-2.0 */
/* A record on its way to the disk: a node of a singly linked list that owns its bytes. */
#ifndef CRIGATE_AUDIT_LINE_H
#define CRIGATE_AUDIT_LINE_H

#include "audit/record.h"

enum audit_line_origin {
    LINE_HANDED_OVER, /* the queue counts its bytes */
    LINE_OF_LOG,      /* the log's own */
    LINE_OF_FILE,     /* has a meaning in the file alone */
};

struct audit_line {
    struct audit_line *next;
    audit_done_fn *done; /* NULL: nobody waits */
    void *cookie;
    enum audit_line_origin origin;
    bool has_key; /* it is the first of the refusals that are counted under `key` */
    unsigned char key[32];
    uint64_t seq;  /* 0 until it is written for the first time */
    size_t start;  /* the line begins here in `text` once it is sealed (chain.h); 0: it is not */
    size_t length; /* of the body, or of the sealed line; newline included */
    char text[];   /* RECORD_HEAD_MAX bytes of room for the head, then the body */
};

/* Bytes of text that it holds, the same before and after it is sealed. */
static inline size_t audit_line_size(const struct audit_line *line)
{
    return (line->start ? line->start : RECORD_HEAD_MAX) + line->length;
}

/* A line with the body of `event` and room for its head. NULL: memory is out. Any thread. */
struct audit_line *audit_line_make(const struct record_origin *origin,
                                   const struct audit_event *event, struct err *err);

/* Frees a list; NULL is an empty one. */
void audit_lines_free(struct audit_line *lines);

#endif
