/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: records become durable lines of JSON, one object a line (record.h lists its
 * fields, text.h tells how strange bytes look). A writer thread appends and fdatasync()s whole
 * groups; a caller that must not go on before its record is durable is told by callback. All
 * functions but the callback belong to one thread (the gate's loop), save audit_record() without a
 * callback, which any thread may call.
 *
 * `seq` counts the records handed over in one run of the daemon, from 1, and the file is in its
 * order. A record that fails, whether audit_record() refused it or the disk did, has used up its
 * seq: a gap in the file proves a loss, and how large it is.
 */
#ifndef CRIGATE_AUDIT_AUDIT_H
#define CRIGATE_AUDIT_AUDIT_H

#include "base/err.h"
#include "policy/policy.h"

struct audit;

struct audit_peer {
    uint32_t uid;
    int32_t pid;
};

enum audit_action {
    AUDIT_NO_ACTION,
    AUDIT_ALLOW,
    AUDIT_MODIFY,
    AUDIT_REFUSE,
    AUDIT_WOULD_MODIFY,
    AUDIT_WOULD_REFUSE,
};

/* One label or annotation that a rule matched on. */
struct audit_input {
    enum input_source source;
    struct str key, value;
};

/* One label of the node that came, went or got another value. */
struct audit_change {
    struct str key;
    struct str before, after;
    bool had, has; /* false: no such label before, or after */
};

struct audit_observed {
    struct str rule;
    enum audit_action action;
    enum verdict_reason reason;
    struct str handler; /* it would have run under; empty for a refusal */
};

/*
 * What may stand in a record. Empty strings and NULL pointers are left out of the line; everything
 * is borrowed for the length of the call. The types, which readers of the log rely on:
 *
 *   start, stop      the daemon; `policy` tells what is in force
 *   policy.loaded    a policy came into force; `previous` is the one that it replaces
 *   policy.rejected  a policy was not taken, `error` says why; `policy` stays in force
 *   node.labels      other labels are in force: `labels` and `changes`
 *   pod.decision     RunPodSandbox or RestorePod, in both stages
 *   container.decision  CreateContainer, in both stages
 *   image.refused    an image call that asks for a runtime handler that is not declared
 *   service.refused  a call to a service that is not CRI
 *   peer.refused     a connection of somebody who may not connect
 */
struct audit_event {
    const char *type;
    const char *stage;   /* of a decision: "decided", "completed" */
    uint64_t request_id; /* 0: none; the same in both stages of a call */
    const struct audit_peer *peer;
    struct str method;
    const struct pod_facts *pod;             /* for its namespace, name, uid and attempt */
    const struct container_facts *container; /* for its name and attempt */
    struct str sandbox_id;                   /* that the container is for */
    struct str handler_requested, handler_effective;
    bool has_handler; /* handler{} is written; "requested" stands in it even when it is empty */
    enum audit_action action;
    enum verdict_reason reason;
    struct str rule, message;
    const struct audit_input *inputs;
    size_t input_count, input_dropped;       /* what matched beyond `inputs` is counted */
    const struct audit_observed *observed;   /* rules of mode observe that matched */
    size_t observed_count, observed_dropped; /* at most DECISION_OBSERVED_MAX; beyond them */
    const struct policy *policy, *previous;
    struct str error;
    struct {
        const char
            *source; /* "file", "kubernetes", "cache", "none"; NULL: no labels{} is written */
        bool known;
        uint64_t age_s; /* since they were last known to be true */
    } labels;
    const struct audit_change *changes;
    size_t change_count;
    struct {
        bool given;
        int code; /* gRPC status code; written by its name, such as "PERMISSION_DENIED" */
        struct str sandbox_id, container_id;
        uint64_t duration_us;
    } result;
};

/*
 * Opens (or creates, mode 0600) `path` for appending, repairs a torn last line, starts the writer
 * thread. `node` is copied into every record; `instance` is made here: 32 random hex digits that
 * name this run of the daemon. A file that cannot be opened is not an error here: it is logged,
 * records then fail with the cause, and each later record tries to open it again. That is so for
 * all but a regular file, for a symbolic link, and for a file that another process has open as its
 * audit log. Fails when there is no thread or no memory.
 */
int audit_open(const char *path, struct str node, struct audit **audit, struct err *err) MUST_CHECK;

/* Told on the writer thread, exactly once for each record it was given for: `error` is NULL when
 * the record is durable, else the cause, valid for the call. It must not block. */
typedef void audit_done_fn(void *cookie, const struct err *error);

/*
 * Hands over one record; it gets the next `seq`. With `done` NULL nobody waits: the record is
 * written at once, and durable with the next one that is waited for or after a second. The first
 * record that cannot be written is logged, those after it are counted, and the count is logged when
 * the file can be written again. Returns -1, and never calls `done`, when memory is out or the
 * queue is full (8 MiB of lines not yet durable).
 */
int audit_record(struct audit *audit, const struct audit_event *event, audit_done_fn *done,
                 void *cookie, struct err *err);

/* Writes what is queued, stops the thread, closes. NULL is allowed. */
void audit_close(struct audit *audit);
DEFINE_OWNED(own_audit, struct audit, audit_close)

#endif
